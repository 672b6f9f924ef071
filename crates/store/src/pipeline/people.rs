//! Who a buyer is: customers and partners as the pipeline looks them up.

use super::counters::{self, Counted};
use crate::{P, Row, StoreError, Tx};

/// A customer as settlement needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Customer {
    /// `ctm_…`
    pub customer_id: String,
    /// `test` or `live`.
    pub mode: String,
    /// The program.
    pub program_id: String,
    /// The merchant's key.
    pub key: String,
    /// `api` or `purchase`.
    pub origin: String,
    /// The partner of the sign-up.
    pub partner_id: Option<String>,
    /// When it was written, ms UTC.
    pub created_at: i64,
    /// When it was deleted, ms UTC.
    pub deleted_at: Option<i64>,
    /// HMAC of the e-mail.
    pub email_hash: Option<String>,
    /// The buyer it was born of (`connection|buyer`), for origin `purchase`.
    pub born_of: Option<String>,
    /// Who said which partner it has: `api` (or empty), `browser`, `user`, `purchase` for what settlement found, or
    /// `erased` for what stood when the person was erased.
    pub partner_by: String,
    /// When it was archived: `[from, to]` in ms UTC; no end while it is archived.
    pub archived: Vec<(i64, Option<i64>)>,
}

impl Customer {
    /// Was it archived at an instant (ms UTC)?
    #[must_use]
    pub fn archived_at(&self, at_ms: i64) -> bool {
        self.archived.iter().any(|(from, to)| *from <= at_ms && to.is_none_or(|to| at_ms < to))
    }

    fn counted(&self) -> Counted<'_> {
        Counted {
            mode: &self.mode,
            program_id: &self.program_id,
            partner_id: self.partner_id.as_deref(),
            created_at: self.created_at,
            deleted: self.deleted_at.is_some(),
        }
    }

    /// Is its partner only what settlement found in the evidence of its purchases?
    #[must_use]
    pub fn is_derived(&self) -> bool {
        self.partner_by == "purchase" || (self.origin == "purchase" && self.partner_id.is_none())
    }
}

/// The columns of [`Customer`]; the argument is what comes before each, `c.` or nothing.
macro_rules! columns {
    () => {
        columns!("")
    };
    ($c:literal) => {
        concat!(
            $c,
            "customer_id, ",
            $c,
            "mode, ",
            $c,
            "program_id, ",
            $c,
            "key, ",
            $c,
            "origin, ",
            $c,
            "partner_id, ",
            $c,
            "created_at, ",
            $c,
            "deleted_at, ",
            $c,
            "email_hash, ",
            $c,
            "born_of, ",
            $c,
            "partner_by, ",
            $c,
            "archived"
        )
    };
}
pub(super) use columns;

/// Reads a customer from the first columns of a row.
pub(super) fn customer(row: &Row) -> Result<Customer, StoreError> {
    Ok(Customer {
        customer_id: row.text(0)?,
        mode: row.text(1)?,
        program_id: row.text(2)?,
        key: row.text(3)?,
        origin: row.text(4)?,
        partner_id: row.opt_text(5)?,
        created_at: row.int(6)?,
        deleted_at: row.opt_int(7)?,
        email_hash: row.opt_text(8)?,
        born_of: row.opt_text(9)?,
        partner_by: row.text(10)?,
        archived: serde_json::from_str(&row.text(11)?)
            .map_err(|e| StoreError::Inconsistent(format!("customer.archived: {e}")))?,
    })
}

/// One customer.
///
/// # Errors
/// The database's.
pub async fn find_customer(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    customer_id: &str,
) -> Result<Option<Customer>, StoreError> {
    let sql = concat!("SELECT ", columns!(), " FROM customer WHERE workspace_id = $1 AND customer_id = $2");
    tx.opt(sql, &[P::T(workspace_id), P::T(customer_id)]).await?.map(|row| customer(&row)).transpose()
}

/// The customer with a key in a program and mode.
///
/// # Errors
/// The database's.
pub async fn find_customer_by_key(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    mode: &str,
    program_id: &str,
    key: &str,
) -> Result<Option<Customer>, StoreError> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM customer WHERE workspace_id = $1 AND mode = $2 AND program_id = $3 AND key = $4"
    );
    let params = [P::T(workspace_id), P::T(mode), P::T(program_id), P::T(key)];
    tx.opt(sql, &params).await?.map(|row| customer(&row)).transpose()
}

/// The first customer that signed up with an e-mail address in a program and mode; one that only a browser told of
/// comes after all others.
///
/// # Errors
/// The database's.
pub async fn find_customer_by_email(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    mode: &str,
    program_id: &str,
    email_hash: &str,
) -> Result<Option<Customer>, StoreError> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM customer WHERE workspace_id = $1 AND mode = $2 AND program_id = $3 AND email_hash = $4 \
         AND origin = 'api' ORDER BY CASE WHEN partner_by = 'browser' THEN 1 ELSE 0 END, created_at, key LIMIT 1"
    );
    let params = [P::T(workspace_id), P::T(mode), P::T(program_id), P::T(email_hash)];
    tx.opt(sql, &params).await?.map(|row| customer(&row)).transpose()
}

/// A customer born of a purchase.
#[derive(Debug, Clone)]
pub struct Birth<'a> {
    /// `ctm_…`, derived from the key.
    pub customer_id: &'a str,
    /// `test` or `live`.
    pub mode: &'a str,
    /// The program.
    pub program_id: &'a str,
    /// Its key.
    pub key: &'a str,
    /// `connection|buyer`.
    pub born_of: &'a str,
    /// In clear, for display; may be empty.
    pub email: &'a str,
    /// In clear, for display; may be empty.
    pub name: &'a str,
    /// Stripe's time of what bore it, ms UTC.
    pub created_at: i64,
}

/// Makes the customer that a purchase bears; one that has the key already is left alone.
///
/// # Errors
/// The database's.
pub async fn insert_born(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    birth: &Birth<'_>,
    now: i64,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO customer (workspace_id, customer_id, mode, program_id, key, email, email_hash, name, surname, \
         status, tags, origin, partner_id, born_of, created_at, updated_at, deleted_at) \
         VALUES ($1, $2, $3, $4, $5, $6, NULL, $7, '', 'active', '[]', 'purchase', NULL, $8, $9, $10, NULL) \
         ON CONFLICT (workspace_id, mode, program_id, key) DO NOTHING";
    let b = birth;
    let params = [
        P::T(workspace_id),
        P::T(b.customer_id),
        P::T(b.mode),
        P::T(b.program_id),
        P::T(b.key),
        P::T(b.email),
        P::T(b.name),
        P::T(b.born_of),
        P::I(b.created_at),
        P::I(now),
    ];
    tx.exec(sql, &params).await?;
    Ok(())
}

/// Fills in the name and address of a customer born of a purchase, where they are still empty.
///
/// # Errors
/// The database's.
pub async fn fill_person(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    born_of: &str,
    customer_id: &str,
    email: &str,
    name: &str,
) -> Result<(), StoreError> {
    let sql = "UPDATE customer SET email = CASE WHEN email = '' THEN $4 ELSE email END, \
         name = CASE WHEN name = '' THEN $5 ELSE name END \
         WHERE workspace_id = $1 AND customer_id = $2 AND origin = 'purchase' AND born_of = $3 \
         AND (email = '' OR name = '')";
    let params = [P::T(workspace_id), P::T(customer_id), P::T(born_of), P::T(email), P::T(name)];
    tx.exec(sql, &params).await?;
    Ok(())
}

/// Writes the partner that settlement found for a customer that nobody else said anything about, and counts the
/// change. `before` must have been read in this transaction, under the program's lock.
///
/// # Errors
/// The database's.
pub async fn set_found_partner(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    before: &Customer,
    partner_id: Option<&str>,
) -> Result<(), StoreError> {
    let sql = "UPDATE customer SET partner_id = $3, partner_by = 'purchase' \
         WHERE workspace_id = $1 AND customer_id = $2";
    tx.exec(sql, &[P::T(workspace_id), P::T(&before.customer_id), P::opt_t(partner_id)]).await?;
    count_partner(tx, workspace_id, before, partner_id).await
}

/// Counts that a customer belongs to another partner now, or to none. `before` must have been read in this
/// transaction, under the program's lock.
///
/// # Errors
/// The database's.
pub async fn count_partner(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    before: &Customer,
    partner_id: Option<&str>,
) -> Result<(), StoreError> {
    let after = Counted { partner_id, ..before.counted() };
    counters::customer_changed(tx, workspace_id, Some(before.counted()), Some(after)).await
}

/// Removes a customer that was born of a purchase and that no buyer is any more.
///
/// # Errors
/// The database's.
pub async fn delete_unborn(tx: &mut Tx<'_>, workspace_id: &str, customer_id: &str) -> Result<(), StoreError> {
    if tx.is_postgres() {
        // A buyer of another connection may just become this customer: the statement below sees it when this one has it.
        let sql = "SELECT 1 FROM customer WHERE workspace_id = $1 AND customer_id = $2 FOR UPDATE";
        tx.opt(sql, &[P::T(workspace_id), P::T(customer_id)]).await?;
    }
    let Some(before) = find_customer(tx, workspace_id, customer_id).await? else { return Ok(()) };
    let sql = "DELETE FROM customer WHERE workspace_id = $1 AND customer_id = $2 AND origin = 'purchase' \
         AND NOT EXISTS (SELECT 1 FROM buyer_customer b WHERE b.workspace_id = $1 AND b.customer_id = $2) \
         AND NOT EXISTS (SELECT 1 FROM api_transaction t WHERE t.workspace_id = $1 AND t.customer_id = $2)";
    if tx.exec(sql, &[P::T(workspace_id), P::T(customer_id)]).await? > 0 {
        counters::customer_changed(tx, workspace_id, Some(before.counted()), None).await?;
    }
    Ok(())
}

/// The partner with a key in a program, or with a link of that key, whatever its status.
///
/// # Errors
/// The database's.
pub async fn find_partner_by_key(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    program_id: &str,
    key: &str,
) -> Result<Option<String>, StoreError> {
    let params = [P::T(workspace_id), P::T(program_id), P::T(key)];
    let sql = "SELECT partner_id FROM partner WHERE workspace_id = $1 AND program_id = $2 AND key = $3";
    let partners = tx.settings(sql, &params).await?;
    if let Some(partner) = partners.first() {
        return partner.text(0).map(Some);
    }
    let sql = "SELECT partner_id FROM referral_link WHERE workspace_id = $1 AND program_id = $2 AND key = $3";
    let links = tx.settings(sql, &params).await?;
    links.first().map(|link| link.text(0)).transpose()
}

/// A partner's public key.
///
/// # Errors
/// The database's.
pub async fn partner_key(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    partner_id: &str,
) -> Result<Option<String>, StoreError> {
    let sql = "SELECT key FROM partner WHERE workspace_id = $1 AND partner_id = $2";
    let rows = tx.settings(sql, &[P::T(workspace_id), P::T(partner_id)]).await?;
    rows.first().map(|row| row.text(0)).transpose()
}

/// The dated versions of a partner's status, oldest first.
///
/// # Errors
/// The database's.
pub async fn partner_statuses(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    partner_id: &str,
) -> Result<Vec<(i64, String)>, StoreError> {
    let sql = "SELECT from_ms, status FROM partner_status WHERE workspace_id = $1 AND partner_id = $2 ORDER BY from_ms";
    let rows = tx.settings(sql, &[P::T(workspace_id), P::T(partner_id)]).await?;
    rows.iter().map(|row| Ok((row.int(0)?, row.text(1)?))).collect()
}

/// Which customer a buyer is in a program, and by what.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Link {
    /// When the link took effect, ms UTC: the oldest decides between programs.
    pub effective_at: i64,
    /// Breaks ties.
    pub source_id: String,
    /// The program.
    pub program_id: String,
    /// The customer.
    pub customer_id: String,
    /// [`tributary_domain::sale::EvidenceKind`] as text.
    pub kind: String,
    /// Found by the e-mail address? Then it counts for sales of the time when addresses are matched, and goes before the
    /// other one.
    pub by_email: bool,
}

/// The links of each of the given buyers, oldest first: at most two a program, one of them by the address.
///
/// # Errors
/// The database's.
pub async fn links(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
    buyers: &[String],
) -> Result<Vec<Vec<Link>>, StoreError> {
    let sql = "SELECT effective_at, source_id, program_id, customer_id, kind, by_email FROM buyer_customer \
         WHERE workspace_id = $1 AND connection_id = $2 AND buyer_id = $3 \
         ORDER BY effective_at, source_id, program_id, by_email";
    let sets: Vec<_> =
        buyers.iter().map(|id| vec![P::T(workspace_id), P::T(connection_id), P::T(id)]).collect();
    let answers = tx.rows_each(sql, &sets).await?;
    let link = |row: &Row| {
        Ok(Link {
            effective_at: row.int(0)?,
            source_id: row.text(1)?,
            program_id: row.text(2)?,
            customer_id: row.text(3)?,
            kind: row.text(4)?,
            by_email: row.flag(5)?,
        })
    };
    answers.iter().map(|rows| rows.iter().map(link).collect()).collect()
}

/// Writes a link.
///
/// # Errors
/// [`StoreError::Conflict`] if the customer was just taken away by another writer; else the database's.
pub async fn upsert_link(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
    buyer_id: &str,
    link: &Link,
) -> Result<(), StoreError> {
    if tx.is_postgres() {
        let sql = "SELECT 1 FROM customer WHERE workspace_id = $1 AND customer_id = $2 FOR KEY SHARE";
        if tx.opt(sql, &[P::T(workspace_id), P::T(&link.customer_id)]).await?.is_none() {
            return Err(StoreError::Conflict(format!(
                "customer {} was taken away meanwhile",
                link.customer_id
            )));
        }
    }
    let sql = "INSERT INTO buyer_customer (workspace_id, connection_id, buyer_id, program_id, customer_id, kind, \
         effective_at, source_id, by_email) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
         ON CONFLICT (workspace_id, connection_id, buyer_id, program_id, by_email) DO UPDATE SET \
         customer_id = excluded.customer_id, kind = excluded.kind, effective_at = excluded.effective_at, \
         source_id = excluded.source_id";
    let params = [
        P::T(workspace_id),
        P::T(connection_id),
        P::T(buyer_id),
        P::T(&link.program_id),
        P::T(&link.customer_id),
        P::T(&link.kind),
        P::I(link.effective_at),
        P::T(&link.source_id),
        P::F(link.by_email),
    ];
    tx.exec(sql, &params).await?;
    Ok(())
}

/// Removes a link.
///
/// # Errors
/// The database's.
pub async fn delete_link(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
    buyer_id: &str,
    link: &Link,
) -> Result<(), StoreError> {
    let sql = "DELETE FROM buyer_customer WHERE workspace_id = $1 AND connection_id = $2 AND buyer_id = $3 \
         AND program_id = $4 AND by_email = $5";
    let (ws, con) = (P::T(workspace_id), P::T(connection_id));
    tx.exec(sql, &[ws, con, P::T(buyer_id), P::T(&link.program_id), P::F(link.by_email)]).await?;
    Ok(())
}

/// The buyers that are a customer: (connection, buyer). At most 1,000.
///
/// # Errors
/// The database's.
pub async fn buyers_of(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    customer_id: &str,
) -> Result<Vec<(String, String)>, StoreError> {
    let known = known_buyers(tx, workspace_id, customer_id).await?;
    let mut buyers: Vec<_> = known.into_iter().map(|(connection, buyer, _)| (connection, buyer)).collect();
    buyers.dedup();
    Ok(buyers)
}

/// The same, each with whether it is the customer by its e-mail address.
///
/// # Errors
/// The database's.
pub async fn known_buyers(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    customer_id: &str,
) -> Result<Vec<(String, String, bool)>, StoreError> {
    // The order is an expression: SQLite would else read all links of the workspace in order of their key rather than
    // sort the few that the index gives.
    let sql = "SELECT connection_id, buyer_id, by_email FROM buyer_customer WHERE workspace_id = $1 AND customer_id = $2 \
         ORDER BY connection_id || '', buyer_id || '' LIMIT 1000";
    let rows = tx.rows(sql, &[P::T(workspace_id), P::T(customer_id)]).await?;
    rows.iter().map(|row| Ok((row.text(0)?, row.text(1)?, row.flag(2)?))).collect()
}
