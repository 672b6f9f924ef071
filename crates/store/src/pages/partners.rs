//! Partners as a list with what they brought, and one partner whole.

use super::Place;
use super::transactions::escaped;
use crate::{P, Row, StoreError, Tx};

/// Rows on a page.
pub const PAGE: i64 = 50;
/// Most rows that a page may lie behind.
pub const DEEPEST: i64 = 100_000;

/// One partner as the list shows it. Amounts are minor units of the currency that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// `ptr_…`
    pub partner_id: String,
    /// Name, surname, key.
    pub partner: [String; 3],
    /// Lower case.
    pub email: String,
    /// `active`, `pending`, `suspended` or `archived`.
    pub status: String,
    /// ms UTC.
    pub created_at: i64,
    /// What was sold.
    pub revenue: i64,
    /// What is earned, net of refunds.
    pub earned: i64,
    /// The part of it that is in its hold.
    pub pending: i64,
    /// Visits that count.
    pub visits: i64,
    /// Customers.
    pub customers: i64,
}

/// What the list is narrowed to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// A status, or empty for all.
    pub status: String,
    /// Part of a name, a key or an e-mail address; empty for all.
    pub search: String,
}

/// What the list is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sort {
    /// The newest first.
    #[default]
    Newest,
    /// The oldest first.
    Oldest,
    /// By name, A first.
    Name,
    /// By name, Z first.
    NameDown,
    /// By revenue, the highest first.
    Revenue,
    /// By revenue, the lowest first.
    RevenueUp,
    /// By what is earned, the highest first.
    Earned,
    /// By what is earned, the lowest first.
    EarnedUp,
}

macro_rules! list {
    ($order:literal) => {
        concat!(
            "SELECT p.partner_id, p.name, p.surname, p.key, p.email, p.status, p.created_at, COALESCE(t.revenue, 0), \
             COALESCE(t.target, 0) FROM partner p LEFT JOIN partner_total t ON t.workspace_id = $1 AND t.mode = $3 \
             AND t.program_id = $2 AND t.partner_id = p.partner_id AND t.currency = $4 \
             WHERE p.workspace_id = $1 AND p.program_id = $2 AND p.deleted_at IS NULL AND ($5 = '' OR p.status = $5) \
             AND ($6 = '' OR lower(p.name || ' ' || p.surname) LIKE $7 ESCAPE '\\' OR p.email LIKE $7 ESCAPE '\\' \
             OR lower(p.key) LIKE $7 ESCAPE '\\' OR lower(p.external_id) = $6) ORDER BY ",
            $order,
            " LIMIT $8 OFFSET $9"
        )
    };
}

impl Sort {
    const fn sql(self) -> &'static str {
        match self {
            Self::Newest => list!("p.created_at DESC, p.partner_id DESC"),
            Self::Oldest => list!("p.created_at, p.partner_id"),
            Self::Name => list!("lower(p.name || ' ' || p.surname || ' ' || p.key), p.partner_id"),
            Self::NameDown => {
                list!("lower(p.name || ' ' || p.surname || ' ' || p.key) DESC, p.partner_id DESC")
            }
            Self::Revenue => list!("COALESCE(t.revenue, 0) DESC, p.partner_id"),
            Self::RevenueUp => list!("COALESCE(t.revenue, 0), p.partner_id"),
            Self::Earned => list!("COALESCE(t.target, 0) DESC, p.partner_id"),
            Self::EarnedUp => list!("COALESCE(t.target, 0), p.partner_id"),
        }
    }
}

/// A page of partners that are not deleted, and one row more if there is a page after it. `offset` is cut at
/// [`DEEPEST`].
///
/// # Errors
/// The database's.
pub async fn list(
    tx: &mut Tx<'_>,
    place: &Place,
    currency: &str,
    filter: &Filter,
    sort: Sort,
    offset: i64,
) -> Result<Vec<Line>, StoreError> {
    let search = filter.search.to_lowercase();
    let pattern = format!("%{}%", escaped(&search));
    let (ws, program, mode) = (P::T(&place.workspace_id), P::T(&place.program_id), P::T(&place.mode));
    let params = [
        ws,
        program,
        mode,
        P::T(currency),
        P::T(&filter.status),
        P::T(&search),
        P::T(&pattern),
        P::I(PAGE + 1),
        P::I(offset.clamp(0, DEEPEST)),
    ];
    let rows = tx.rows(sort.sql(), &params).await?;
    let mut lines = rows.iter().map(line).collect::<Result<Vec<_>, _>>()?;
    // Each sum reads its own stretch of an index; a page has few partners.
    let sql = "SELECT CAST(COALESCE(SUM(visits), 0) AS BIGINT), CAST(COALESCE(SUM(customers), 0) AS BIGINT) \
         FROM partner_day WHERE workspace_id = $1 AND mode = $2 AND program_id = $3 AND partner_id = $4";
    let sets: Vec<_> = lines.iter().map(|line| vec![ws, mode, program, P::T(&line.partner_id)]).collect();
    let counted = tx.rows_each(sql, &sets).await?;
    drop(sets);
    for (line, rows) in lines.iter_mut().zip(&counted) {
        if let Some(row) = rows.first() {
            (line.visits, line.customers) = (row.int(0)?, row.int(1)?);
        }
    }
    if lines.iter().any(|line| line.earned > 0) {
        let sql = "SELECT partner_id, CAST(SUM(target) AS BIGINT) FROM commission WHERE workspace_id = $1 \
             AND matured_at IS NULL AND target > 0 AND mode = $2 AND program_id = $3 AND currency = $4 GROUP BY partner_id";
        for row in tx.rows(sql, &[ws, mode, program, P::T(currency)]).await? {
            let partner_id = row.text(0)?;
            if let Some(line) = lines.iter_mut().find(|line| line.partner_id == partner_id) {
                line.pending = row.int(1)?;
            }
        }
    }
    Ok(lines)
}

fn line(row: &Row) -> Result<Line, StoreError> {
    Ok(Line {
        partner_id: row.text(0)?,
        partner: [row.text(1)?, row.text(2)?, row.text(3)?],
        email: row.text(4)?,
        status: row.text(5)?,
        created_at: row.int(6)?,
        revenue: row.int(7)?,
        earned: row.int(8)?,
        pending: 0,
        visits: 0,
        customers: 0,
    })
}

/// How many partners have each status, those that are not deleted.
///
/// # Errors
/// The database's.
pub async fn by_status(tx: &mut Tx<'_>, place: &Place) -> Result<Vec<(String, i64)>, StoreError> {
    let sql = "SELECT status, CAST(COUNT(*) AS BIGINT) FROM partner WHERE workspace_id = $1 AND program_id = $2 \
         AND deleted_at IS NULL GROUP BY status";
    let rows = tx.rows(sql, &[P::T(&place.workspace_id), P::T(&place.program_id)]).await?;
    rows.iter().map(|row| Ok((row.text(0)?, row.int(1)?))).collect()
}

/// What a partner brought in one currency. Amounts are minor units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brought {
    /// Lower case.
    pub currency: String,
    /// Sales that earn.
    pub sales: i64,
    /// What was sold.
    pub revenue: i64,
    /// What is earned, net of refunds.
    pub earned: i64,
    /// The part of it that is in its hold.
    pub pending: i64,
}

/// What a partner brought: by currency, and visits and customers of all time.
///
/// # Errors
/// The database's.
pub async fn brought(
    tx: &mut Tx<'_>,
    place: &Place,
    partner_id: &str,
) -> Result<(Vec<Brought>, i64, i64), StoreError> {
    let params = [P::T(&place.workspace_id), P::T(&place.mode), P::T(&place.program_id), P::T(partner_id)];
    let sql = "SELECT currency, sales, revenue, target FROM partner_total WHERE workspace_id = $1 AND mode = $2 \
         AND program_id = $3 AND partner_id = $4 ORDER BY sales DESC, currency LIMIT 50";
    let of = |row: &Row| {
        Ok(Brought {
            currency: row.text(0)?,
            sales: row.int(1)?,
            revenue: row.int(2)?,
            earned: row.int(3)?,
            pending: 0,
        })
    };
    let mut brought = tx.rows(sql, &params).await?.iter().map(of).collect::<Result<Vec<_>, StoreError>>()?;
    let sql = "SELECT currency, CAST(SUM(target) AS BIGINT) FROM commission WHERE workspace_id = $1 \
         AND matured_at IS NULL AND target > 0 AND mode = $2 AND program_id = $3 AND partner_id = $4 GROUP BY currency";
    for row in tx.rows(sql, &params).await? {
        let currency = row.text(0)?;
        for one in brought.iter_mut().filter(|one| one.currency == currency) {
            one.pending = row.int(1)?;
        }
    }
    let sql = "SELECT CAST(COALESCE(SUM(visits), 0) AS BIGINT), CAST(COALESCE(SUM(customers), 0) AS BIGINT) \
         FROM partner_day WHERE workspace_id = $1 AND mode = $2 AND program_id = $3 AND partner_id = $4";
    let counted = tx.opt(sql, &params).await?;
    let (visits, customers) =
        counted.map_or(Ok((0, 0)), |row| Ok::<_, StoreError>((row.int(0)?, row.int(1)?)))?;
    Ok((brought, visits, customers))
}

/// A commission as a partner's page shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commission {
    /// The economic key of the sale.
    pub root_id: String,
    /// ms UTC.
    pub occurred_at: i64,
    /// Lower case.
    pub currency: String,
    /// What was sold, minor units.
    pub revenue: i64,
    /// What is earned, minor units.
    pub target: i64,
    /// What settlement said of it.
    pub outcome: String,
    /// ms UTC.
    pub payable_at: i64,
    /// When it left its hold, ms UTC.
    pub matured_at: Option<i64>,
    /// Is a dispute open?
    pub held: bool,
    /// The buyer: e-mail, name, surname, key.
    pub customer: [String; 4],
}

/// A partner's newest commissions: one page.
///
/// # Errors
/// The database's.
pub async fn commissions(
    tx: &mut Tx<'_>,
    place: &Place,
    partner_id: &str,
) -> Result<Vec<Commission>, StoreError> {
    let sql = "SELECT m.root_id, m.occurred_at, m.currency, m.revenue, m.target, m.outcome, m.payable_at, m.matured_at, \
         COALESCE(c.email, ''), COALESCE(c.name, ''), COALESCE(c.surname, ''), COALESCE(c.key, ''), m.held FROM commission m \
         LEFT JOIN customer c ON c.workspace_id = m.workspace_id AND c.customer_id = m.customer_id \
         WHERE m.workspace_id = $1 AND m.partner_id = $2 AND m.program_id = $3 AND m.mode = $4 \
         AND m.outcome NOT IN ('merged', 'moved') ORDER BY m.occurred_at DESC, m.commission_id LIMIT $5";
    let params =
        [P::T(&place.workspace_id), P::T(partner_id), P::T(&place.program_id), P::T(&place.mode), P::I(PAGE)];
    let commission = |row: &Row| {
        Ok(Commission {
            root_id: row.text(0)?,
            occurred_at: row.int(1)?,
            currency: row.text(2)?,
            revenue: row.int(3)?,
            target: row.int(4)?,
            outcome: row.text(5)?,
            payable_at: row.int(6)?,
            matured_at: row.opt_int(7)?,
            customer: [row.text(8)?, row.text(9)?, row.text(10)?, row.text(11)?],
            held: row.flag(12)?,
        })
    };
    tx.rows(sql, &params).await?.iter().map(commission).collect()
}

/// The dated versions of a partner's status, oldest first; at most 500.
///
/// # Errors
/// The database's.
pub async fn statuses(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    partner_id: &str,
) -> Result<Vec<(i64, String)>, StoreError> {
    let sql = "SELECT from_ms, status FROM partner_status WHERE workspace_id = $1 AND partner_id = $2 \
         ORDER BY from_ms LIMIT 500";
    let rows = tx.rows(sql, &[P::T(workspace_id), P::T(partner_id)]).await?;
    rows.iter().map(|row| Ok((row.int(0)?, row.text(1)?))).collect()
}
