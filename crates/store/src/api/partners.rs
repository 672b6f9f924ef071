//! Partners, their dated status, their links, and what they have brought.

use super::{By, Page, Place, tags_of, tags_text};
use crate::{P, Row, StoreError, Tx, links};

/// A partner of one program, shared by both modes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partner {
    /// Our id (`ptr_…`).
    pub partner_id: String,
    /// The merchant's id, or ours where none was given.
    pub external_id: String,
    /// The public key in links.
    pub key: String,
    /// Lower case.
    pub email: String,
    /// First name.
    pub name: String,
    /// Last name.
    pub surname: String,
    /// `active`, `pending`, `suspended`, `archived` or `deleted`.
    pub status: String,
    /// Tags, in the order given.
    pub tags: Vec<String>,
    /// ms UTC.
    pub created_at: i64,
    /// ms UTC.
    pub updated_at: i64,
    /// ms UTC.
    pub deleted_at: Option<i64>,
}

macro_rules! columns {
    () => {
        "SELECT partner_id, external_id, key, email, name, surname, status, tags, created_at, updated_at, \
         deleted_at FROM partner WHERE workspace_id = $1 AND program_id = $2 "
    };
}

fn partner(row: &Row) -> Result<Partner, StoreError> {
    Ok(Partner {
        partner_id: row.text(0)?,
        external_id: row.text(1)?,
        key: row.text(2)?,
        email: row.text(3)?,
        name: row.text(4)?,
        surname: row.text(5)?,
        status: row.text(6)?,
        tags: tags_of(&row.text(7)?)?,
        created_at: row.int(8)?,
        updated_at: row.int(9)?,
        deleted_at: row.opt_int(10)?,
    })
}

/// One partner that is not deleted.
///
/// # Errors
/// The database's.
pub async fn find(
    tx: &mut Tx<'_>,
    place: &Place,
    by: By,
    value: &str,
) -> Result<Option<Partner>, StoreError> {
    let sql = match by {
        By::Id => concat!(columns!(), "AND deleted_at IS NULL AND external_id = $3"),
        By::Key => concat!(columns!(), "AND deleted_at IS NULL AND key = $3"),
        By::Email => concat!(columns!(), "AND deleted_at IS NULL AND email = $3"),
    };
    let params = [P::T(&place.workspace_id), P::T(&place.program_id), P::T(value)];
    if let Some(row) = tx.opt(sql, &params).await? {
        return partner(&row).map(Some);
    }
    let sql = match by {
        By::Id => concat!(columns!(), "AND deleted_at IS NULL AND partner_id = $3"),
        // The key of another link of the partner's, or one that the partner had before.
        By::Key => concat!(
            columns!(),
            "AND deleted_at IS NULL AND partner_id = (SELECT partner_id FROM referral_link l \
             WHERE l.workspace_id = $1 AND l.program_id = $2 AND l.key = $3)"
        ),
        By::Email => return Ok(None),
    };
    tx.opt(sql, &params).await?.map(|row| partner(&row)).transpose()
}

/// Is an id or a key taken, be it by a deleted partner or by a link?
///
/// # Errors
/// The database's.
pub async fn is_taken(tx: &mut Tx<'_>, place: &Place, by: By, value: &str) -> Result<bool, StoreError> {
    let params = [P::T(&place.workspace_id), P::T(&place.program_id), P::T(value)];
    let sql = match by {
        By::Id => "SELECT 1 FROM partner WHERE workspace_id = $1 AND program_id = $2 AND external_id = $3",
        By::Key => "SELECT 1 FROM partner WHERE workspace_id = $1 AND program_id = $2 AND key = $3",
        By::Email => {
            "SELECT 1 FROM partner WHERE workspace_id = $1 AND program_id = $2 AND email = $3 \
             AND deleted_at IS NULL"
        }
    };
    if tx.opt(sql, &params).await?.is_some() {
        return Ok(true);
    }
    if by != By::Key {
        return Ok(false);
    }
    let sql = "SELECT 1 FROM referral_link WHERE workspace_id = $1 AND program_id = $2 AND key = $3";
    Ok(tx.opt(sql, &params).await?.is_some())
}

/// What a list of partners is narrowed to; each empty filter lets all through.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PartnerFilter {
    /// The merchant's id or ours.
    pub id: Option<String>,
    /// The public key.
    pub key: Option<String>,
    /// Lower case.
    pub email: Option<String>,
    /// First name, last name, or both with a space between, in any case.
    pub name: Option<String>,
}

macro_rules! filtered {
    ($order:literal) => {
        concat!(
            columns!(),
            "AND deleted_at IS NULL \
             AND (CAST($3 AS TEXT) IS NULL OR external_id = $3 OR partner_id = $3) \
             AND (CAST($4 AS TEXT) IS NULL OR key = $4) AND (CAST($5 AS TEXT) IS NULL OR email = $5) \
             AND (CAST($6 AS TEXT) IS NULL OR LOWER(name) = LOWER($6) OR LOWER(surname) = LOWER($6) \
             OR LOWER(name || ' ' || surname) = LOWER($6)) ORDER BY ",
            $order,
            " LIMIT $7 OFFSET $8"
        )
    };
}

/// A page of partners that are not deleted, and one more.
///
/// # Errors
/// The database's.
pub async fn list(
    tx: &mut Tx<'_>,
    place: &Place,
    filter: &PartnerFilter,
    page: Page,
) -> Result<Vec<Partner>, StoreError> {
    let sql = if page.newest_first {
        filtered!("created_at DESC, partner_id DESC")
    } else {
        filtered!("created_at, partner_id")
    };
    let params = [
        P::T(&place.workspace_id),
        P::T(&place.program_id),
        P::opt_t(filter.id.as_deref()),
        P::opt_t(filter.key.as_deref()),
        P::opt_t(filter.email.as_deref()),
        P::opt_t(filter.name.as_deref()),
        P::I(page.wanted()),
        P::I(page.offset),
    ];
    tx.rows(sql, &params).await?.iter().map(partner).collect()
}

/// Stores a new partner and the start of its status.
///
/// # Errors
/// [`StoreError::Conflict`] if id, key or e-mail is taken.
pub async fn insert(tx: &mut Tx<'_>, place: &Place, p: &Partner) -> Result<(), StoreError> {
    let sql = "INSERT INTO partner (workspace_id, partner_id, program_id, external_id, key, email, name, surname, \
         status, tags, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    let tags = tags_text(&p.tags)?;
    let params = [
        P::T(&place.workspace_id),
        P::T(&p.partner_id),
        P::T(&place.program_id),
        P::T(&p.external_id),
        P::T(&p.key),
        P::T(&p.email),
        P::T(&p.name),
        P::T(&p.surname),
        P::T(&p.status),
        P::T(&tags),
        P::I(p.created_at),
        P::I(p.updated_at),
    ];
    tx.exec(sql, &params).await?;
    put_status(tx, &place.workspace_id, &p.partner_id, &p.status, p.created_at).await
}

/// Replaces what may change: key, e-mail, names, status, tags. A change of status is dated.
///
/// # Errors
/// [`StoreError::Conflict`] if key or e-mail is taken.
pub async fn update(tx: &mut Tx<'_>, place: &Place, before: &Partner, p: &Partner) -> Result<(), StoreError> {
    let sql = "UPDATE partner SET key = $4, email = $5, name = $6, surname = $7, status = $8, tags = $9, \
         updated_at = $10, deleted_at = $11 WHERE workspace_id = $1 AND program_id = $2 AND partner_id = $3";
    let tags = tags_text(&p.tags)?;
    let params = [
        P::T(&place.workspace_id),
        P::T(&place.program_id),
        P::T(&p.partner_id),
        P::T(&p.key),
        P::T(&p.email),
        P::T(&p.name),
        P::T(&p.surname),
        P::T(&p.status),
        P::T(&tags),
        P::I(p.updated_at),
        P::opt_i(p.deleted_at),
    ];
    tx.exec(sql, &params).await?;
    if before.status != p.status {
        put_status(tx, &place.workspace_id, &p.partner_id, &p.status, p.updated_at).await?;
    }
    Ok(())
}

/// Two changes in one millisecond leave the later one.
async fn put_status(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    partner_id: &str,
    status: &str,
    from_ms: i64,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO partner_status (workspace_id, partner_id, from_ms, status) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (workspace_id, partner_id, from_ms) DO UPDATE SET status = excluded.status";
    tx.exec(sql, &[P::T(workspace_id), P::T(partner_id), P::I(from_ms), P::T(status)]).await?;
    Ok(())
}

/// A referral link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// `lnk_…`
    pub link_id: String,
    /// The key in the URL.
    pub key: String,
    /// Where it leads.
    pub destination: String,
    /// The partner's first link.
    pub is_default: bool,
    /// ms UTC.
    pub created_at: i64,
}

/// Stores a link, with the slug of its short form.
///
/// # Errors
/// [`StoreError::Conflict`] if the key is taken.
pub async fn insert_link(
    tx: &mut Tx<'_>,
    place: &Place,
    partner_id: &str,
    l: &Link,
) -> Result<(), StoreError> {
    let new = links::NewLink {
        workspace_id: &place.workspace_id,
        program_id: &place.program_id,
        partner_id,
        link_id: &l.link_id,
        key: &l.key,
        name: "",
        destination: &l.destination,
        is_default: l.is_default,
        now: l.created_at,
    };
    links::create(tx, &new).await.map(drop)
}

/// The old default link stays as an extra one, so that what was published keeps working.
///
/// # Errors
/// The database's.
pub async fn retire_default_links(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    partner_id: &str,
) -> Result<(), StoreError> {
    let sql = "UPDATE referral_link SET is_default = $3 WHERE workspace_id = $1 AND partner_id = $2";
    tx.exec(sql, &[P::T(workspace_id), P::T(partner_id), P::F(false)]).await?;
    Ok(())
}

/// A partner's links, the default one first. At most 250.
///
/// # Errors
/// The database's.
pub async fn links(tx: &mut Tx<'_>, workspace_id: &str, partner_id: &str) -> Result<Vec<Link>, StoreError> {
    let sql = "SELECT link_id, key, destination, is_default, created_at FROM referral_link \
         WHERE workspace_id = $1 AND partner_id = $2 ORDER BY is_default DESC, created_at, link_id LIMIT 250";
    let rows = tx.rows(sql, &[P::T(workspace_id), P::T(partner_id)]).await?;
    rows.iter()
        .map(|row| {
            Ok(Link {
                link_id: row.text(0)?,
                key: row.text(1)?,
                destination: row.text(2)?,
                is_default: row.flag(3)?,
                created_at: row.int(4)?,
            })
        })
        .collect()
}

/// What a partner has brought in one mode. Amounts are minor units, by currency (lower case).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Totals {
    /// Visits through its links.
    pub visits: i64,
    /// Customers.
    pub signups: i64,
    /// Customers with at least one sale that earned.
    pub paid_accounts: i64,
    /// Sales.
    pub sales: i64,
    /// What was sold.
    pub revenue: Vec<(String, i64)>,
    /// In the hold, net of reversals.
    pub pending: Vec<(String, i64)>,
    /// Out of the hold and not paid, net of reversals.
    pub payable: Vec<(String, i64)>,
}

/// Sums up a partner. Commissions are read from their own rows, which the journals add up to.
///
/// # Errors
/// The database's.
pub async fn totals(tx: &mut Tx<'_>, place: &Place, partner_id: &str) -> Result<Totals, StoreError> {
    let params = [P::T(&place.workspace_id), P::T(&place.program_id), P::T(&place.mode), P::T(partner_id)];
    let mut totals = Totals::default();
    let sql = "SELECT CAST(COALESCE(SUM(visits), 0) AS BIGINT) FROM partner_day WHERE workspace_id = $1 \
         AND program_id = $2 AND mode = $3 AND partner_id = $4";
    if let Some(row) = tx.opt(sql, &params).await? {
        totals.visits = row.int(0)?;
    }
    let sql = "SELECT CAST(COUNT(*) AS BIGINT) FROM customer WHERE workspace_id = $1 AND program_id = $2 \
         AND mode = $3 AND partner_id = $4 AND deleted_at IS NULL";
    if let Some(row) = tx.opt(sql, &params).await? {
        totals.signups = row.int(0)?;
    }
    let sql = "SELECT CAST(COUNT(DISTINCT customer_id) AS BIGINT) FROM commission WHERE workspace_id = $1 \
         AND program_id = $2 AND mode = $3 AND partner_id = $4 AND gross > 0";
    if let Some(row) = tx.opt(sql, &params).await? {
        totals.paid_accounts = row.int(0)?;
    }
    let sql = "SELECT currency, sales, revenue FROM partner_total WHERE workspace_id = $1 AND program_id = $2 \
         AND mode = $3 AND partner_id = $4 ORDER BY currency";
    for row in tx.rows(sql, &params).await? {
        totals.sales = totals.sales.saturating_add(row.int(1)?);
        totals.revenue.push((row.text(0)?, row.int(2)?));
    }
    let sql = "SELECT currency, CAST(COALESCE(SUM(CASE WHEN matured_at IS NULL THEN target ELSE 0 END), 0) AS BIGINT), \
         CAST(COALESCE(SUM(CASE WHEN matured_at IS NULL THEN 0 ELSE target END), 0) AS BIGINT) FROM commission \
         WHERE workspace_id = $1 AND program_id = $2 AND mode = $3 AND partner_id = $4 \
         GROUP BY currency ORDER BY currency";
    for row in tx.rows(sql, &params).await? {
        let currency = row.text(0)?;
        for (list, amount) in [(&mut totals.pending, row.int(1)?), (&mut totals.payable, row.int(2)?)] {
            if amount != 0 {
                list.push((currency.clone(), amount));
            }
        }
    }
    Ok(totals)
}
