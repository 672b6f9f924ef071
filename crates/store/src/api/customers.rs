//! Customers of a program in one mode.

use super::{Page, Place, tags_of, tags_text};
use crate::pipeline::counters::{self, Counted};
use crate::pipeline::decisions::partner_now;
use crate::pipeline::known_as::{self, Name};
use crate::pipeline::{decisions, people};
use crate::{P, Row, StoreError, Tx};

/// A customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Customer {
    /// Our id (`ctm_…`).
    pub customer_id: String,
    /// The merchant's key.
    pub key: String,
    /// Lower case, or empty.
    pub email: String,
    /// HMAC of the e-mail under the workspace's key.
    pub email_hash: Option<String>,
    /// First name.
    pub name: String,
    /// Last name.
    pub surname: String,
    /// `active`, `suspended`, `archived` or `deleted`.
    pub status: String,
    /// Tags, in the order given.
    pub tags: Vec<String>,
    /// The partner of the sign-up (our id).
    pub partner_id: Option<String>,
    /// That partner's id as the merchant knows it; after [`decided`] that of whose customer it is now.
    pub partner_external_id: Option<String>,
    /// Who said so: `api` (or empty) a server call, `browser` the script, `user` a person, `purchase` the evidence
    /// of its purchases, computed by settlement.
    pub partner_by: String,
    /// `api` for one that a call or the script made or changed, `purchase` for one that is derived.
    pub origin: String,
    /// ms UTC.
    pub created_at: i64,
    /// ms UTC.
    pub updated_at: i64,
    /// ms UTC.
    pub deleted_at: Option<i64>,
}

macro_rules! columns {
    () => {
        "SELECT c.customer_id, c.key, c.email, c.email_hash, c.name, c.surname, c.status, c.tags, c.partner_id, \
         p.external_id, c.created_at, c.updated_at, c.deleted_at, c.partner_by, c.origin FROM customer c LEFT JOIN partner p \
         ON p.workspace_id = c.workspace_id AND p.partner_id = c.partner_id \
         WHERE c.workspace_id = $1 AND c.program_id = $2 AND c.mode = $3 "
    };
}

fn customer(row: &Row) -> Result<Customer, StoreError> {
    Ok(Customer {
        customer_id: row.text(0)?,
        key: row.text(1)?,
        email: row.text(2)?,
        email_hash: row.opt_text(3)?,
        name: row.text(4)?,
        surname: row.text(5)?,
        status: row.text(6)?,
        tags: tags_of(&row.text(7)?)?,
        partner_id: row.opt_text(8)?,
        partner_external_id: row.opt_text(9)?,
        created_at: row.int(10)?,
        updated_at: row.int(11)?,
        deleted_at: row.opt_int(12)?,
        partner_by: row.text(13)?,
        origin: row.text(14)?,
    })
}

impl Customer {
    fn counted<'c>(&'c self, place: &'c Place) -> Counted<'c> {
        Counted {
            mode: &place.mode,
            program_id: &place.program_id,
            partner_id: self.partner_id.as_deref(),
            created_at: self.created_at,
            deleted: self.deleted_at.is_some(),
        }
    }
}

/// One customer that is not deleted, by our id.
///
/// # Errors
/// The database's.
pub async fn find_by_id(tx: &mut Tx<'_>, place: &Place, id: &str) -> Result<Option<Customer>, StoreError> {
    let sql = concat!(columns!(), "AND c.deleted_at IS NULL AND c.customer_id = $4");
    let params = [P::T(&place.workspace_id), P::T(&place.program_id), P::T(&place.mode), P::T(id)];
    tx.opt(sql, &params).await?.map(|row| customer(&row)).transpose()
}

/// One customer that is not deleted, by the merchant's key.
///
/// # Errors
/// The database's.
pub async fn find_by_key(tx: &mut Tx<'_>, place: &Place, key: &str) -> Result<Option<Customer>, StoreError> {
    Ok(find_holder(tx, place, key).await?.filter(|customer| customer.deleted_at.is_none()))
}

/// One customer by e-mail address (lower case) and its hash; of several the oldest sign-up. Customers born of
/// a purchase keep no hash and are looked at last.
///
/// # Errors
/// The database's.
pub async fn find_by_email(
    tx: &mut Tx<'_>,
    place: &Place,
    email: &str,
    hash: &str,
) -> Result<Option<Customer>, StoreError> {
    let by_hash = concat!(
        columns!(),
        "AND c.deleted_at IS NULL AND c.email_hash = $4 ORDER BY c.created_at, c.customer_id LIMIT 1"
    );
    let born = concat!(
        columns!(),
        "AND c.deleted_at IS NULL AND c.email_hash IS NULL AND c.email = $4 \
         ORDER BY c.created_at, c.customer_id LIMIT 1"
    );
    for (sql, value) in [(by_hash, hash), (born, email)] {
        let params = [P::T(&place.workspace_id), P::T(&place.program_id), P::T(&place.mode), P::T(value)];
        if let Some(row) = tx.opt(sql, &params).await? {
            return customer(&row).map(Some);
        }
    }
    Ok(None)
}

/// Who holds a key, deleted customers included.
///
/// # Errors
/// The database's.
pub async fn find_holder(tx: &mut Tx<'_>, place: &Place, key: &str) -> Result<Option<Customer>, StoreError> {
    let sql = concat!(columns!(), "AND c.key = $4");
    let params = [P::T(&place.workspace_id), P::T(&place.program_id), P::T(&place.mode), P::T(key)];
    tx.opt(sql, &params).await?.map(|row| customer(&row)).transpose()
}

/// What a list of customers is narrowed to; each empty filter lets all through.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CustomerFilter {
    /// The partner whose it is now (our id), decisions included.
    pub partner_id: Option<String>,
    /// Our id.
    pub id: Option<String>,
    /// The merchant's key.
    pub key: Option<String>,
    /// The e-mail address, lower case.
    pub email: Option<String>,
    /// HMAC of the e-mail address; given together with it.
    pub email_hash: Option<String>,
    /// First name, last name, or both with a space between, in any case.
    pub name: Option<String>,
}

macro_rules! filtered {
    ($order:literal) => {
        concat!(
            columns!(),
            "AND c.deleted_at IS NULL AND (CAST($4 AS TEXT) IS NULL OR $4 = ",
            partner_now!("$12"),
            ") \
             AND (CAST($5 AS TEXT) IS NULL OR c.customer_id = $5) AND (CAST($6 AS TEXT) IS NULL OR c.key = $6) \
             AND (CAST($7 AS TEXT) IS NULL OR c.email_hash = $7 OR c.email = $8) \
             AND (CAST($9 AS TEXT) IS NULL OR LOWER(c.name) = LOWER($9) OR LOWER(c.surname) = LOWER($9) \
             OR LOWER(c.name || ' ' || c.surname) = LOWER($9)) ORDER BY ",
            $order,
            " LIMIT $10 OFFSET $11"
        )
    };
}

/// A page of customers that are not deleted, and one more, as they are at `now` (ms UTC).
///
/// # Errors
/// The database's.
pub async fn list(
    tx: &mut Tx<'_>,
    place: &Place,
    filter: &CustomerFilter,
    page: Page,
    now: i64,
) -> Result<Vec<Customer>, StoreError> {
    let sql = if page.newest_first {
        filtered!("c.created_at DESC, c.customer_id DESC")
    } else {
        filtered!("c.created_at, c.customer_id")
    };
    let params = [
        P::T(&place.workspace_id),
        P::T(&place.program_id),
        P::T(&place.mode),
        P::opt_t(filter.partner_id.as_deref()),
        P::opt_t(filter.id.as_deref()),
        P::opt_t(filter.key.as_deref()),
        P::opt_t(filter.email_hash.as_deref()),
        P::opt_t(filter.email.as_deref()),
        P::opt_t(filter.name.as_deref()),
        P::I(page.wanted()),
        P::I(page.offset),
        P::I(now),
    ];
    let mut all =
        tx.rows(sql, &params).await?.iter().map(customer).collect::<Result<Vec<_>, StoreError>>()?;
    decided(tx, place, &mut all, now).await?;
    Ok(all)
}

/// Puts the partner whose customer each is at `now` (ms UTC), decisions included, in place of the one whom the evidence
/// names: for what is told, not for what is stored.
///
/// # Errors
/// The database's.
pub async fn decided(
    tx: &mut Tx<'_>,
    place: &Place,
    customers: &mut [Customer],
    now: i64,
) -> Result<(), StoreError> {
    const SQL: &str = concat!(
        "SELECT p.external_id FROM customer c LEFT JOIN partner p ON p.workspace_id = c.workspace_id AND p.partner_id = ",
        partner_now!("$3"),
        " WHERE c.workspace_id = $1 AND c.customer_id = $2"
    );
    let sets: Vec<_> = customers
        .iter()
        .map(|one| vec![P::T(&place.workspace_id), P::T(&one.customer_id), P::I(now)])
        .collect();
    let found = tx.rows_each(SQL, &sets).await?;
    drop(sets);
    for (one, rows) in customers.iter_mut().zip(found) {
        if let Some(row) = rows.first() {
            one.partner_external_id = row.opt_text(0)?;
        }
    }
    Ok(())
}

/// Stores a new customer made by a call or the script, and counts it.
///
/// # Errors
/// [`StoreError::Conflict`] if the key is taken.
pub async fn insert(tx: &mut Tx<'_>, place: &Place, c: &Customer) -> Result<(), StoreError> {
    let sql = "INSERT INTO customer (workspace_id, customer_id, mode, program_id, key, email, email_hash, name, \
         surname, status, tags, origin, partner_id, partner_by, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'api', $12, $13, $14, $15)";
    let tags = tags_text(&c.tags)?;
    let params = [
        P::T(&place.workspace_id),
        P::T(&c.customer_id),
        P::T(&place.mode),
        P::T(&place.program_id),
        P::T(&c.key),
        P::T(&c.email),
        P::opt_t(c.email_hash.as_deref()),
        P::T(&c.name),
        P::T(&c.surname),
        P::T(&c.status),
        P::T(&tags),
        P::opt_t(c.partner_id.as_deref()),
        P::T(&c.partner_by),
        P::I(c.created_at),
        P::I(c.updated_at),
    ];
    tx.exec(sql, &params).await?;
    counters::customer_changed(tx, &place.workspace_id, None, Some(c.counted(place))).await
}

/// Replaces what may change: key, e-mail, names, status, tags, partner, and the time of deletion, and counts
/// the change. A customer born of a purchase is a source from then on: replay keeps what was written.
///
/// # Errors
/// [`StoreError::Conflict`] if the key is taken.
pub async fn update(
    tx: &mut Tx<'_>,
    place: &Place,
    before: &Customer,
    c: &Customer,
) -> Result<(), StoreError> {
    let sql = "UPDATE customer SET key = $5, email = $6, email_hash = $7, name = $8, surname = $9, status = $10, \
         tags = $11, partner_id = $12, updated_at = $13, deleted_at = $14, partner_by = $15, origin = 'api' \
         WHERE workspace_id = $1 AND program_id = $2 AND mode = $3 AND customer_id = $4";
    let tags = tags_text(&c.tags)?;
    let params = [
        P::T(&place.workspace_id),
        P::T(&place.program_id),
        P::T(&place.mode),
        P::T(&c.customer_id),
        P::T(&c.key),
        P::T(&c.email),
        P::opt_t(c.email_hash.as_deref()),
        P::T(&c.name),
        P::T(&c.surname),
        P::T(&c.status),
        P::T(&tags),
        P::opt_t(c.partner_id.as_deref()),
        P::I(c.updated_at),
        P::opt_i(c.deleted_at),
        P::T(&c.partner_by),
    ];
    tx.exec(sql, &params).await?;
    if before.key != c.key {
        let of = (place.program_id.as_str(), place.mode.as_str());
        decisions::follow_key(tx, &place.workspace_id, of, &before.key, &c.key).await?;
    }
    note_names(tx, place, before, c).await?;
    let (before, after) = (before.counted(place), c.counted(place));
    counters::customer_changed(tx, &place.workspace_id, Some(before), Some(after)).await
}

/// Purchases of the time before were named by the key and the address that it had then.
async fn note_names(
    tx: &mut Tx<'_>,
    place: &Place,
    before: &Customer,
    c: &Customer,
) -> Result<(), StoreError> {
    if before.partner_by == "browser" && c.partner_by != "browser" {
        // What anybody may have typed into a form is not what the customer was.
        return known_as::forget(tx, &place.workspace_id, &c.customer_id).await;
    }
    let hash = |customer: &Customer| customer.email_hash.clone().unwrap_or_default();
    for (name, was, is) in
        [(Name::Key, before.key.clone(), c.key.clone()), (Name::Email, hash(before), hash(c))]
    {
        if was != is {
            let whose = (place.workspace_id.as_str(), c.customer_id.as_str());
            known_as::note(tx, whose, name, (&was, before.created_at), (&is, c.updated_at)).await?;
        }
    }
    Ok(())
}

/// Stores a customer that a browser told of, and counts it. `false` if the key was taken meanwhile.
///
/// # Errors
/// The database's.
pub async fn insert_by_browser(tx: &mut Tx<'_>, place: &Place, c: &Customer) -> Result<bool, StoreError> {
    let sql = "INSERT INTO customer (workspace_id, customer_id, mode, program_id, key, email, email_hash, name, \
         surname, status, tags, origin, partner_id, partner_by, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'active', '[]', 'api', $10, 'browser', $11, $11) \
         ON CONFLICT (workspace_id, mode, program_id, key) DO NOTHING";
    let params = [
        P::T(&place.workspace_id),
        P::T(&c.customer_id),
        P::T(&place.mode),
        P::T(&place.program_id),
        P::T(&c.key),
        P::T(&c.email),
        P::opt_t(c.email_hash.as_deref()),
        P::T(&c.name),
        P::T(&c.surname),
        P::opt_t(c.partner_id.as_deref()),
        P::I(c.created_at),
    ];
    let made = tx.exec(sql, &params).await? > 0;
    if made {
        counters::customer_changed(tx, &place.workspace_id, None, Some(c.counted(place))).await?;
    }
    Ok(made)
}

/// Gives a customer that a call made without a partner the one that a browser told of, and counts it. `false`
/// if it has one, is not active, or is derived.
///
/// # Errors
/// The database's.
pub async fn join_by_browser(
    tx: &mut Tx<'_>,
    place: &Place,
    before: &Customer,
    partner_id: &str,
    now: i64,
) -> Result<bool, StoreError> {
    let sql = "UPDATE customer SET partner_id = $5, partner_by = 'browser', updated_at = $6 \
         WHERE workspace_id = $1 AND program_id = $2 AND mode = $3 AND customer_id = $4 AND partner_id IS NULL \
         AND origin = 'api' AND status = 'active' AND deleted_at IS NULL";
    let (ws, prg, mode) = (P::T(&place.workspace_id), P::T(&place.program_id), P::T(&place.mode));
    let params = [ws, prg, mode, P::T(&before.customer_id), P::T(partner_id), P::I(now)];
    let joined = tx.exec(sql, &params).await? > 0;
    if joined {
        let after = Counted { partner_id: Some(partner_id), ..before.counted(place) };
        counters::customer_changed(tx, &place.workspace_id, None, Some(after)).await?;
    }
    Ok(joined)
}

/// Notes that a customer is archived, or is not any more, from an instant (ms UTC) on: sales dated in between earn
/// nothing.
///
/// # Errors
/// [`StoreError::NotFound`] if there is no such customer.
pub async fn note_archived(
    tx: &mut Tx<'_>,
    place: &Place,
    customer_id: &str,
    archived: bool,
    at: i64,
) -> Result<(), StoreError> {
    let Some(known) = people::find_customer(tx, &place.workspace_id, customer_id).await? else {
        return Err(StoreError::NotFound(format!("customer {customer_id}")));
    };
    let mut times = known.archived;
    match times.last_mut() {
        Some((_, end @ None)) if !archived => *end = Some(at),
        Some((_, None)) => {}
        _ if archived => times.push((at, None)),
        _ => {}
    }
    let text = serde_json::to_string(&times).map_err(|e| StoreError::Invalid(e.to_string()))?;
    let sql = "UPDATE customer SET archived = $3 WHERE workspace_id = $1 AND customer_id = $2";
    tx.exec(sql, &[P::T(&place.workspace_id), P::T(customer_id), P::T(&text)]).await?;
    Ok(())
}
