//! What the Overview reads: counters by day, what is owed, who brought most, and the latest rows. Nothing that is
//! read here grows with the number of visits or sales, but for what is still in its hold.

use super::Place;
use crate::pipeline::months::parts_of;
use crate::{P, Row, StoreError, Tx};

/// Visits and new customers of one day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Day {
    /// Days since 1970, UTC.
    pub day: i64,
    /// Visits that count.
    pub visits: i64,
    /// New customers.
    pub customers: i64,
}

/// The sales of one day in one currency. Amounts are minor units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MoneyDay {
    /// Days since 1970, UTC.
    pub day: i64,
    /// Sales that earn.
    pub sales: i64,
    /// How many of them were refunded, in part or whole.
    pub refunded: i64,
    /// What was sold, before tax and shipping.
    pub revenue: i64,
    /// What is earned, net of refunds.
    pub target: i64,
}

/// What is earned in one currency and not yet paid. Minor units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Balance {
    /// Lower case.
    pub currency: String,
    /// All that was earned, net of refunds.
    pub earned: i64,
    /// The part that is in its hold.
    pub pending: i64,
}

/// A partner by what was brought in a period. Amounts are minor units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Top {
    /// `ptr_…`
    pub partner_id: String,
    /// Name, surname, key.
    pub partner: [String; 3],
    /// Visits that count.
    pub visits: i64,
    /// New customers.
    pub customers: i64,
    /// What was sold.
    pub revenue: i64,
    /// What is earned, net of refunds.
    pub earned: i64,
}

/// A sale as a sentence needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sold {
    /// The economic key.
    pub root_id: String,
    /// ms UTC.
    pub at: i64,
    /// Lower case.
    pub currency: String,
    /// Minor units.
    pub paid: i64,
    /// Minor units.
    pub refunded: i64,
    /// Lost in disputes that are over, minor units.
    pub lost: i64,
    /// Asked back by open disputes, minor units.
    pub disputed: i64,
    /// What settlement said last.
    pub outcome: String,
    /// E-mail, name, surname, key.
    pub customer: [String; 4],
    /// The partner (id; name, surname, key), what is earned and in which currency.
    pub earned: Option<(String, [String; 3], i64, String)>,
}

/// A new customer as a sentence needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Joined {
    /// `ctm_…`
    pub customer_id: String,
    /// ms UTC.
    pub at: i64,
    /// E-mail, name, surname, key.
    pub customer: [String; 4],
    /// Name, surname and key of who brought the customer, if somebody did.
    pub partner: Option<[String; 3]>,
}

/// Visits and customers by day, from one day up to another that is not included. At most 4,000 days.
///
/// # Errors
/// The database's.
pub async fn days(tx: &mut Tx<'_>, place: &Place, from: i64, to: i64) -> Result<Vec<Day>, StoreError> {
    let sql = "SELECT day, visits, customers FROM program_day WHERE workspace_id = $1 AND mode = $2 \
         AND program_id = $3 AND day >= $4 AND day < $5 ORDER BY day LIMIT 4000";
    let params =
        [P::T(&place.workspace_id), P::T(&place.mode), P::T(&place.program_id), P::I(from), P::I(to)];
    let day = |row: &Row| Ok(Day { day: row.int(0)?, visits: row.int(1)?, customers: row.int(2)? });
    tx.rows(sql, &params).await?.iter().map(day).collect()
}

/// Sales by day in one currency, from one day up to another that is not included. At most 4,000 days.
///
/// # Errors
/// The database's.
pub async fn money(
    tx: &mut Tx<'_>,
    place: &Place,
    currency: &str,
    from: i64,
    to: i64,
) -> Result<Vec<MoneyDay>, StoreError> {
    let sql = "SELECT day, sales, refunded, revenue, target FROM program_day_money WHERE workspace_id = $1 \
         AND mode = $2 AND program_id = $3 AND currency = $4 AND day >= $5 AND day < $6 ORDER BY day LIMIT 4000";
    let params = [
        P::T(&place.workspace_id),
        P::T(&place.mode),
        P::T(&place.program_id),
        P::T(currency),
        P::I(from),
        P::I(to),
    ];
    let day = |row: &Row| {
        Ok(MoneyDay {
            day: row.int(0)?,
            sales: row.int(1)?,
            refunded: row.int(2)?,
            revenue: row.int(3)?,
            target: row.int(4)?,
        })
    };
    tx.rows(sql, &params).await?.iter().map(day).collect()
}

/// What is earned and not yet paid, by currency; the currency with most sales first.
///
/// # Errors
/// The database's.
pub async fn balances(tx: &mut Tx<'_>, place: &Place) -> Result<Vec<Balance>, StoreError> {
    let sql = "SELECT currency, CAST(SUM(target) AS BIGINT) FROM partner_total WHERE workspace_id = $1 AND mode = $2 \
         AND program_id = $3 GROUP BY currency ORDER BY SUM(sales) DESC, currency LIMIT 50";
    let params = [P::T(&place.workspace_id), P::T(&place.mode), P::T(&place.program_id)];
    let balance = |row: &Row| Ok(Balance { currency: row.text(0)?, earned: row.int(1)?, pending: 0 });
    let mut balances =
        tx.rows(sql, &params).await?.iter().map(balance).collect::<Result<Vec<_>, StoreError>>()?;
    // One currency at a time: a sum in the order of the index, without sorting what is held.
    let sql = "SELECT CAST(COALESCE(SUM(target), 0) AS BIGINT) FROM commission WHERE workspace_id = $1 \
         AND matured_at IS NULL AND target > 0 AND mode = $2 AND program_id = $3 AND currency = $4";
    let sets: Vec<_> = balances
        .iter()
        .map(|balance| vec![params[0], params[1], params[2], P::T(&balance.currency)])
        .collect();
    let held = tx.rows_each(sql, &sets).await?;
    drop(sets);
    for (balance, rows) in balances.iter_mut().zip(&held) {
        balance.pending = rows.first().map_or(Ok(0), |row| row.int(0))?;
    }
    Ok(balances)
}

/// The five partners who brought most in a period, by revenue in one currency.
///
/// # Errors
/// The database's.
pub async fn top(
    tx: &mut Tx<'_>,
    place: &Place,
    currency: &str,
    from: i64,
    to: i64,
) -> Result<Vec<Top>, StoreError> {
    // Whole months from their counters, the days around them from theirs.
    let sql = "SELECT t.partner_id, p.name, p.surname, p.key, t.revenue, t.target FROM (SELECT partner_id, \
         CAST(SUM(revenue) AS BIGINT) AS revenue, CAST(SUM(target) AS BIGINT) AS target FROM (\
         SELECT partner_id, revenue, target FROM partner_month_money WHERE workspace_id = $1 AND mode = $2 \
         AND program_id = $3 AND currency = $4 AND month >= $5 AND month < $6 UNION ALL \
         SELECT partner_id, revenue, target FROM partner_day_money WHERE workspace_id = $1 AND mode = $2 \
         AND program_id = $3 AND currency = $4 AND day >= $7 AND day < $8 UNION ALL \
         SELECT partner_id, revenue, target FROM partner_day_money WHERE workspace_id = $1 AND mode = $2 \
         AND program_id = $3 AND currency = $4 AND day >= $9 AND day < $10) AS parts \
         GROUP BY partner_id ORDER BY 2 DESC, partner_id LIMIT 5) AS t \
         JOIN partner p ON p.workspace_id = $1 AND p.partner_id = t.partner_id ORDER BY t.revenue DESC, t.partner_id";
    let (ws, mode, program) = (P::T(&place.workspace_id), P::T(&place.mode), P::T(&place.program_id));
    let mut params = vec![ws, mode, program, P::T(currency)];
    params.extend(parts_of(from, to).iter().flat_map(|(from, to)| [P::I(*from), P::I(*to)]));
    let rows = tx.rows(sql, &params).await?;
    let mut tops = rows
        .iter()
        .map(|row| {
            Ok(Top {
                partner_id: row.text(0)?,
                partner: [row.text(1)?, row.text(2)?, row.text(3)?],
                visits: 0,
                customers: 0,
                revenue: row.int(4)?,
                earned: row.int(5)?,
            })
        })
        .collect::<Result<Vec<_>, StoreError>>()?;
    let sql = "SELECT CAST(COALESCE(SUM(visits), 0) AS BIGINT), CAST(COALESCE(SUM(customers), 0) AS BIGINT) \
         FROM partner_day WHERE workspace_id = $1 AND mode = $2 AND program_id = $3 AND partner_id = $4 \
         AND day >= $5 AND day < $6";
    let sets: Vec<_> =
        tops.iter().map(|top| vec![ws, mode, program, P::T(&top.partner_id), P::I(from), P::I(to)]).collect();
    let counted = tx.rows_each(sql, &sets).await?;
    drop(sets);
    for (top, rows) in tops.iter_mut().zip(&counted) {
        if let Some(row) = rows.first() {
            (top.visits, top.customers) = (row.int(0)?, row.int(1)?);
        }
    }
    Ok(tops)
}

/// The newest sales of the program.
///
/// # Errors
/// The database's.
pub async fn latest_sales(tx: &mut Tx<'_>, place: &Place, limit: i64) -> Result<Vec<Sold>, StoreError> {
    let sql = "SELECT s.root_id, s.occurred_at, s.currency, s.paid, s.refunded, s.outcome, COALESCE(c.email, ''), \
         COALESCE(c.name, ''), COALESCE(c.surname, ''), COALESCE(c.key, ''), p.partner_id, p.name, p.surname, p.key, \
         m.target, m.currency, s.lost, s.disputed FROM (SELECT * FROM sale WHERE workspace_id = $1 AND program_id = $2 AND mode = $3 \
         AND merged_into IS NULL AND state = 'paid' ORDER BY occurred_at DESC, root_id DESC LIMIT $4) AS s \
         LEFT JOIN customer c ON c.workspace_id = $1 AND c.customer_id = s.customer_id \
         LEFT JOIN commission m ON m.workspace_id = $1 AND m.sale_id = s.sale_id AND m.outcome NOT IN ('merged', 'moved') \
         LEFT JOIN partner p ON p.workspace_id = $1 AND p.partner_id = m.partner_id \
         ORDER BY s.occurred_at DESC, s.root_id DESC LIMIT $4";
    let params = [P::T(&place.workspace_id), P::T(&place.program_id), P::T(&place.mode), P::I(limit)];
    let sold = |row: &Row| {
        let earned = match row.opt_text(10)? {
            Some(id) => {
                Some((id, [row.text(11)?, row.text(12)?, row.text(13)?], row.int(14)?, row.text(15)?))
            }
            None => None,
        };
        Ok(Sold {
            root_id: row.text(0)?,
            at: row.int(1)?,
            currency: row.text(2)?,
            paid: row.int(3)?,
            refunded: row.int(4)?,
            lost: row.int(16)?,
            disputed: row.int(17)?,
            outcome: row.text(5)?,
            customer: [row.text(6)?, row.text(7)?, row.text(8)?, row.text(9)?],
            earned,
        })
    };
    tx.rows(sql, &params).await?.iter().map(sold).collect()
}

/// The newest customers of the program.
///
/// # Errors
/// The database's.
pub async fn latest_customers(tx: &mut Tx<'_>, place: &Place, limit: i64) -> Result<Vec<Joined>, StoreError> {
    let sql = "SELECT c.customer_id, c.created_at, c.email, c.name, c.surname, c.key, p.name, p.surname, p.key \
         FROM (SELECT * FROM customer WHERE workspace_id = $1 AND program_id = $2 AND mode = $3 \
         AND deleted_at IS NULL ORDER BY created_at DESC, customer_id DESC LIMIT $4) AS c \
         LEFT JOIN partner p ON p.workspace_id = $1 AND p.partner_id = c.partner_id \
         ORDER BY c.created_at DESC, c.customer_id DESC";
    let params = [P::T(&place.workspace_id), P::T(&place.program_id), P::T(&place.mode), P::I(limit)];
    let joined = |row: &Row| {
        let partner = match row.opt_text(8)? {
            Some(key) => Some([row.text(6)?, row.text(7)?, key]),
            None => None,
        };
        Ok(Joined {
            customer_id: row.text(0)?,
            at: row.int(1)?,
            customer: [row.text(2)?, row.text(3)?, row.text(4)?, row.text(5)?],
            partner,
        })
    };
    tx.rows(sql, &params).await?.iter().map(joined).collect()
}

/// What is still missing or waits, for the list of tasks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Waits {
    /// Sales that wait for the object that they belong to, counted up to 1,000.
    pub awaiting: i64,
    /// Is there a partner?
    pub any_partner: bool,
    /// Was the script, a visit or a sign-up ever seen?
    pub any_sighting: bool,
    /// Was the set-up ended?
    pub set_up: bool,
}

/// Looks for what is missing or waits.
///
/// # Errors
/// The database's.
pub async fn waits(tx: &mut Tx<'_>, place: &Place) -> Result<Waits, StoreError> {
    let sql = "SELECT CAST(COUNT(*) AS BIGINT) FROM (SELECT 1 AS one FROM sale WHERE workspace_id = $1 \
         AND awaiting_since IS NOT NULL AND mode = $3 AND merged_into IS NULL AND (program_id = $2 \
         OR (program_id IS NULL AND connection_id IN (SELECT cp.connection_id FROM connection_program cp \
         WHERE cp.workspace_id = $1 AND cp.program_id = $2))) LIMIT 1000) AS few";
    let (ws, program) = (P::T(&place.workspace_id), P::T(&place.program_id));
    let awaiting = tx.opt(sql, &[ws, program, P::T(&place.mode)]).await?.map_or(Ok(0), |row| row.int(0))?;
    let sql =
        "SELECT 1 FROM partner WHERE workspace_id = $1 AND program_id = $2 AND deleted_at IS NULL LIMIT 1";
    let any_partner = tx.opt(sql, &[ws, program]).await?.is_some();
    let sql = "SELECT 1 FROM sighting WHERE workspace_id = $1 AND program_id = $2 LIMIT 1";
    let any_sighting = tx.opt(sql, &[ws, program]).await?.is_some();
    let sql = "SELECT setup_done_at FROM program WHERE workspace_id = $1 AND program_id = $2";
    let set_up = match tx.opt(sql, &[ws, program]).await? {
        Some(row) => row.opt_int(0)?.is_some(),
        None => false,
    };
    Ok(Waits { awaiting, any_partner, any_sighting, set_up })
}
