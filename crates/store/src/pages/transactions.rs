//! The list of transactions, by keyset, and the search for one.

use super::{Cursor, Direction, Place};
use crate::{P, Row, StoreError, Tx};

/// Rows on a page.
pub const PAGE: i64 = 50;

/// One sale as the list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// `sal_…`
    pub sale_id: String,
    /// The economic key.
    pub root_id: String,
    /// [`tributary_domain::sale::SaleState`] as text.
    pub state: String,
    /// ms UTC.
    pub occurred_at: i64,
    /// Lower case, or empty while unknown.
    pub currency: String,
    /// Minor units.
    pub paid: i64,
    /// Minor units.
    pub refunded: i64,
    /// Lost in disputes that are over, minor units.
    pub lost: i64,
    /// Asked back by open disputes, minor units.
    pub disputed: i64,
    /// Is work on it still to be done?
    pub unfinished: bool,
    /// What settlement said last.
    pub outcome: String,
    /// Who bought, as Stripe names it.
    pub buyer_id: String,
    /// The customer's e-mail, name and surname, key; empty where there is none.
    pub customer: [String; 4],
    /// What it earned whom, the highest target first.
    pub commissions: Vec<Earned>,
}

/// A commission as the list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earned {
    /// The partner's name and surname, key.
    pub partner: [String; 3],
    /// What settlement said of it.
    pub outcome: String,
    /// Lower case.
    pub currency: String,
    /// Minor units.
    pub target: i64,
    /// ms UTC.
    pub payable_at: i64,
    /// When it left its hold, ms UTC.
    pub matured_at: Option<i64>,
    /// Is a dispute open?
    pub held: bool,
}

/// What the list is narrowed to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// `earning`, `refunded`, `disputed`, `unattributed`, `waiting`, or empty for all.
    pub state: String,
    /// An id, key, e-mail or part of a name, lower case; empty for all.
    pub search: String,
    /// Lower case, or empty for all.
    pub currency: String,
    /// A partner's id (ours), or empty for all.
    pub partner_id: String,
    /// The first instant, ms UTC.
    pub from: Option<i64>,
    /// The instant after the last, ms UTC.
    pub until: Option<i64>,
}

// The program's own sales and those of its connections that no program took: each half reads one index in order.
macro_rules! half {
    ($program:literal, $compare:literal, $order:literal) => {
        concat!(
            "SELECT * FROM (SELECT s.sale_id, s.root_id, s.state, s.occurred_at, s.currency, s.paid, s.refunded, \
             (s.unplaced OR s.unsettled) AS unfinished, s.outcome, s.buyer_id, s.customer_id, s.lost, s.disputed FROM sale s \
             WHERE s.workspace_id = $1 AND s.mode = $3 AND s.merged_into IS NULL \
             AND (s.state IN ('paid', 'awaiting_link', 'awaiting_parent') \
               OR (s.state = 'unknown' AND s.currency <> '')) AND ",
            $program,
            " AND (s.occurred_at, s.root_id) ",
            $compare,
            " ($4, $5) AND ($6 = '' OR ($6 = 'earning' AND s.outcome = 'earns') \
             OR ($6 = 'refunded' AND s.refunded > 0) OR ($6 = 'disputed' AND s.disputed + s.lost > 0) \
             OR ($6 = 'unattributed' AND (s.program_id IS NULL OR s.outcome = 'no_partner')) \
             OR ($6 = 'waiting' AND (s.state <> 'paid' OR s.unplaced OR s.unsettled))) \
             AND ($7 = '' OR s.sale_id IN (SELECT a.sale_id FROM alias a WHERE a.workspace_id = $1 \
               AND a.connection_id = s.connection_id AND a.object_id = $8) \
             OR s.customer_id IN (SELECT c.customer_id FROM customer c WHERE c.workspace_id = $1 AND c.program_id = $2 \
               AND (lower(c.key) LIKE $9 ESCAPE '\\' OR c.email LIKE $9 ESCAPE '\\' OR lower(c.name || ' ' || c.surname) LIKE $9 ESCAPE '\\')) \
             OR s.sale_id IN (SELECT m.sale_id FROM commission m JOIN partner p ON p.workspace_id = m.workspace_id \
               AND p.partner_id = m.partner_id WHERE m.workspace_id = $1 AND m.program_id = $2 \
               AND (lower(p.key) LIKE $9 ESCAPE '\\' OR lower(p.external_id) = $7 OR p.email LIKE $9 ESCAPE '\\' \
               OR lower(p.name || ' ' || p.surname) LIKE $9 ESCAPE '\\'))) \
             AND s.occurred_at >= $12 AND s.occurred_at < $13 AND ($11 = '' OR s.currency = $11) \
             AND ($14 = '' OR s.sale_id IN (SELECT m.sale_id FROM commission m WHERE m.workspace_id = $1 \
               AND m.partner_id = $14 AND m.program_id = $2 AND m.outcome NOT IN ('merged', 'moved'))) \
             ORDER BY s.occurred_at ",
            $order,
            ", s.root_id ",
            $order,
            " LIMIT $10) AS half"
        )
    };
}

macro_rules! list {
    ($compare:literal, $order:literal) => {
        concat!(
            "SELECT l.sale_id, l.root_id, l.state, l.occurred_at, l.currency, l.paid, l.refunded, l.unfinished, \
             l.outcome, l.buyer_id, COALESCE(c.email, ''), COALESCE(c.name, ''), COALESCE(c.surname, ''), \
             COALESCE(c.key, ''), l.lost, l.disputed FROM (",
            half!("s.program_id = $2", $compare, $order),
            " UNION ALL ",
            half!(
                "s.program_id IS NULL AND s.connection_id IN (SELECT cp.connection_id FROM connection_program cp \
                 WHERE cp.workspace_id = $1 AND cp.program_id = $2)",
                $compare,
                $order
            ),
            ") AS l LEFT JOIN customer c ON c.workspace_id = $1 AND c.customer_id = l.customer_id \
             ORDER BY l.occurred_at ",
            $order,
            ", l.root_id ",
            $order,
            " LIMIT $10"
        )
    };
}

/// A page of sales in the direction of reading, and one row more if there is a page after it.
///
/// # Errors
/// The database's.
pub async fn list(
    tx: &mut Tx<'_>,
    place: &Place,
    filter: &Filter,
    direction: Direction,
    from: Option<&Cursor>,
) -> Result<Vec<Line>, StoreError> {
    some(tx, place, filter, direction, from, PAGE + 1).await
}

/// At most `limit` sales in the direction of reading.
///
/// # Errors
/// The database's.
pub async fn some(
    tx: &mut Tx<'_>,
    place: &Place,
    filter: &Filter,
    direction: Direction,
    from: Option<&Cursor>,
    limit: i64,
) -> Result<Vec<Line>, StoreError> {
    let (sql, at, id) = match direction {
        Direction::Older => (list!("<", "DESC"), i64::MAX, ""),
        Direction::Newer => (list!(">", "ASC"), i64::MIN, ""),
    };
    let (at, id) = from.map_or((at, id), |cursor| (cursor.at, cursor.id.as_str()));
    let search = filter.search.to_lowercase();
    let pattern = format!("%{}%", escaped(&search));
    let params = [
        P::T(&place.workspace_id),
        P::T(&place.program_id),
        P::T(&place.mode),
        P::I(at),
        P::T(id),
        P::T(&filter.state),
        P::T(&search),
        P::T(&filter.search),
        P::T(&pattern),
        P::I(limit),
        P::T(&filter.currency),
        P::I(filter.from.unwrap_or(i64::MIN)),
        P::I(filter.until.unwrap_or(i64::MAX)),
        P::T(&filter.partner_id),
    ];
    let rows = tx.rows(sql, &params).await?;
    let mut lines = rows.iter().map(line).collect::<Result<Vec<_>, _>>()?;
    let sets: Vec<_> =
        lines.iter().map(|line| vec![P::T(&place.workspace_id), P::T(&line.sale_id)]).collect();
    let earned = tx.rows_each(EARNED, &sets).await?;
    drop(sets);
    for (line, rows) in lines.iter_mut().zip(&earned) {
        line.commissions = rows.iter().map(self::earned).collect::<Result<Vec<_>, _>>()?;
    }
    Ok(lines)
}

const EARNED: &str = "SELECT p.name, p.surname, p.key, m.outcome, m.currency, m.target, m.payable_at, m.matured_at, m.held \
     FROM commission m JOIN partner p ON p.workspace_id = m.workspace_id AND p.partner_id = m.partner_id \
     WHERE m.workspace_id = $1 AND m.sale_id = $2 AND m.outcome NOT IN ('merged', 'moved') \
     ORDER BY m.target DESC, m.commission_id LIMIT 10";

/// The root of the one sale that an object id belongs to, among the program's and its connections'.
///
/// # Errors
/// The database's.
pub async fn root_of(tx: &mut Tx<'_>, place: &Place, object_id: &str) -> Result<Option<String>, StoreError> {
    let sql = "SELECT s.root_id FROM alias a JOIN sale s ON s.workspace_id = a.workspace_id AND s.sale_id = a.sale_id \
         WHERE a.workspace_id = $1 AND a.connection_id IN (SELECT cp.connection_id FROM feed_span cp \
         WHERE cp.workspace_id = $1 AND cp.program_id = $2) AND a.object_id = $4 AND s.mode = $3 \
         AND s.merged_into IS NULL AND (s.program_id = $2 OR s.program_id IS NULL) LIMIT 1";
    let params = [P::T(&place.workspace_id), P::T(&place.program_id), P::T(&place.mode), P::T(object_id)];
    tx.opt(sql, &params).await?.map(|row| row.text(0)).transpose()
}

/// `%`, `_` and `\` stand for themselves.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        if matches!(letter, '%' | '_' | '\\') {
            out.push('\\');
        }
        out.push(letter);
    }
    out
}

fn line(row: &Row) -> Result<Line, StoreError> {
    Ok(Line {
        sale_id: row.text(0)?,
        root_id: row.text(1)?,
        state: row.text(2)?,
        occurred_at: row.int(3)?,
        currency: row.text(4)?,
        paid: row.int(5)?,
        refunded: row.int(6)?,
        unfinished: row.flag(7)?,
        outcome: row.text(8)?,
        buyer_id: row.text(9)?,
        customer: [row.text(10)?, row.text(11)?, row.text(12)?, row.text(13)?],
        lost: row.int(14)?,
        disputed: row.int(15)?,
        commissions: Vec::new(),
    })
}

fn earned(row: &Row) -> Result<Earned, StoreError> {
    Ok(Earned {
        partner: [row.text(0)?, row.text(1)?, row.text(2)?],
        outcome: row.text(3)?,
        currency: row.text(4)?,
        target: row.int(5)?,
        payable_at: row.int(6)?,
        matured_at: row.opt_int(7)?,
        held: row.flag(8)?,
    })
}
