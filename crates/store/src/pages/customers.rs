//! Customers as a list, and one customer with who brought it and why.

use super::transactions::escaped;
use super::{Cursor, Direction, Place};
use crate::pipeline::decisions::partner_now;
use crate::{P, Row, StoreError, Tx};

/// Rows on a page.
pub const PAGE: i64 = 50;

/// One customer as the list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// `ctm_…`
    pub customer_id: String,
    /// E-mail, name, surname, key.
    pub customer: [String; 4],
    /// `active`, `suspended` or `archived`.
    pub status: String,
    /// `api` or `purchase`.
    pub origin: String,
    /// Who said which partner: empty or `api`, `browser`, `user`.
    pub partner_by: String,
    /// First seen, ms UTC.
    pub created_at: i64,
    /// The partner, if there is one: our id; name, surname, key.
    pub partner: Option<(String, [String; 3])>,
    /// Sales, and what was paid and is earned, by currency (lower case). Minor units.
    pub sums: Vec<Sum>,
}

/// What a customer brought in one currency. Minor units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sum {
    /// Lower case.
    pub currency: String,
    /// Sales.
    pub sales: i64,
    /// What was paid, less refunds.
    pub paid: i64,
    /// What partners earn of it, net of refunds.
    pub earned: i64,
}

/// What the list is narrowed to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// `referred`, `nobody`, `archived`, or empty for all.
    pub state: String,
    /// A partner's id (ours), or empty.
    pub partner_id: String,
    /// Part of a name, key or e-mail address; empty for all.
    pub search: String,
}

macro_rules! list {
    ($compare:literal, $order:literal) => {
        concat!(
            "SELECT c.customer_id, c.email, c.name, c.surname, c.key, c.status, c.origin, c.partner_by, c.created_at, \
             p.partner_id, p.name, p.surname, p.key FROM customer c \
             LEFT JOIN partner p ON p.workspace_id = $1 AND p.partner_id = ",
            partner_now!("$11"),
            " WHERE c.workspace_id = $1 AND c.program_id = $2 AND c.mode = $3 AND c.deleted_at IS NULL \
             AND (c.created_at, c.customer_id) ",
            $compare,
            " ($4, $5) AND ($6 = '' OR ($6 = 'archived' AND c.status = 'archived') \
             OR ($6 = 'referred' AND p.partner_id IS NOT NULL) OR ($6 = 'nobody' AND p.partner_id IS NULL)) \
             AND ($7 = '' OR p.partner_id = $7) AND ($8 = '' OR lower(c.key) LIKE $9 ESCAPE '\\' \
             OR c.email LIKE $9 ESCAPE '\\' OR lower(c.name || ' ' || c.surname) LIKE $9 ESCAPE '\\') \
             ORDER BY c.created_at ",
            $order,
            ", c.customer_id ",
            $order,
            " LIMIT $10"
        )
    };
}

/// A page of customers that are not deleted, in the direction of reading, and one row more if there is a page after
/// it. The partner of each is the one at `now` (ms UTC), decisions included.
///
/// # Errors
/// The database's.
pub async fn list(
    tx: &mut Tx<'_>,
    place: &Place,
    filter: &Filter,
    direction: Direction,
    from: Option<&Cursor>,
    now: i64,
) -> Result<Vec<Line>, StoreError> {
    let (sql, at) = match direction {
        Direction::Older => (list!("<", "DESC"), i64::MAX),
        Direction::Newer => (list!(">", "ASC"), i64::MIN),
    };
    let (at, id) = from.map_or((at, ""), |cursor| (cursor.at, cursor.id.as_str()));
    let search = filter.search.to_lowercase();
    let pattern = format!("%{}%", escaped(&search));
    let params = [
        P::T(&place.workspace_id),
        P::T(&place.program_id),
        P::T(&place.mode),
        P::I(at),
        P::T(id),
        P::T(&filter.state),
        P::T(&filter.partner_id),
        P::T(&search),
        P::T(&pattern),
        P::I(PAGE + 1),
        P::I(now),
    ];
    let rows = tx.rows(sql, &params).await?;
    let mut lines = rows.iter().map(line).collect::<Result<Vec<_>, _>>()?;
    add_sums(tx, place, &mut lines).await?;
    Ok(lines)
}

/// One customer that is not deleted, with the partner whom the evidence names.
///
/// # Errors
/// The database's.
pub async fn find(tx: &mut Tx<'_>, place: &Place, customer_id: &str) -> Result<Option<Line>, StoreError> {
    let sql = "SELECT c.customer_id, c.email, c.name, c.surname, c.key, c.status, c.origin, c.partner_by, c.created_at, \
         p.partner_id, p.name, p.surname, p.key FROM customer c \
         LEFT JOIN partner p ON p.workspace_id = $1 AND p.partner_id = c.partner_id \
         WHERE c.workspace_id = $1 AND c.program_id = $2 AND c.mode = $3 AND c.deleted_at IS NULL AND c.customer_id = $4";
    let params = [P::T(&place.workspace_id), P::T(&place.program_id), P::T(&place.mode), P::T(customer_id)];
    let Some(row) = tx.opt(sql, &params).await? else { return Ok(None) };
    let mut lines = vec![line(&row)?];
    add_sums(tx, place, &mut lines).await?;
    Ok(lines.pop())
}

async fn add_sums(tx: &mut Tx<'_>, place: &Place, lines: &mut [Line]) -> Result<(), StoreError> {
    let sql = "SELECT s.currency, CAST(COUNT(*) AS BIGINT), CAST(SUM(s.paid - s.refunded - s.lost) AS BIGINT), \
         CAST(COALESCE(SUM((SELECT SUM(m.target) FROM commission m WHERE m.workspace_id = s.workspace_id \
         AND m.sale_id = s.sale_id)), 0) AS BIGINT) FROM sale s WHERE s.workspace_id = $1 AND s.program_id = $2 \
         AND s.customer_id = $3 AND s.merged_into IS NULL AND s.state = 'paid' \
         GROUP BY s.currency ORDER BY COUNT(*) DESC, s.currency LIMIT 20";
    let sets: Vec<_> = lines
        .iter()
        .map(|line| vec![P::T(&place.workspace_id), P::T(&place.program_id), P::T(&line.customer_id)])
        .collect();
    let summed = tx.rows_each(sql, &sets).await?;
    drop(sets);
    for (line, rows) in lines.iter_mut().zip(&summed) {
        line.sums = rows
            .iter()
            .map(|row| {
                Ok(Sum { currency: row.text(0)?, sales: row.int(1)?, paid: row.int(2)?, earned: row.int(3)? })
            })
            .collect::<Result<_, StoreError>>()?;
    }
    Ok(())
}

fn line(row: &Row) -> Result<Line, StoreError> {
    let partner = match row.opt_text(9)? {
        Some(id) => Some((id, [row.text(10)?, row.text(11)?, row.text(12)?])),
        None => None,
    };
    Ok(Line {
        customer_id: row.text(0)?,
        customer: [row.text(1)?, row.text(2)?, row.text(3)?, row.text(4)?],
        status: row.text(5)?,
        origin: row.text(6)?,
        partner_by: row.text(7)?,
        created_at: row.int(8)?,
        partner,
        sums: Vec::new(),
    })
}

/// A sale as a customer's page shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sale {
    /// The economic key.
    pub root_id: String,
    /// The sale's state.
    pub state: String,
    /// ms UTC.
    pub occurred_at: i64,
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
    /// Is work on it still to be done?
    pub unfinished: bool,
    /// What settlement said last.
    pub outcome: String,
    /// Who earns of it (name, surname, key), how much, in which currency.
    pub earned: Option<([String; 3], i64, String)>,
}

/// The newest sales of a customer: one page.
///
/// # Errors
/// The database's.
pub async fn sales(tx: &mut Tx<'_>, place: &Place, customer_id: &str) -> Result<Vec<Sale>, StoreError> {
    let sql = "SELECT s.root_id, s.state, s.occurred_at, s.currency, s.paid, s.refunded, (s.unplaced OR s.unsettled), \
         s.outcome, p.name, p.surname, p.key, m.target, m.currency, s.lost, s.disputed FROM (SELECT * FROM sale WHERE workspace_id = $1 \
         AND program_id = $2 AND customer_id = $3 AND merged_into IS NULL ORDER BY occurred_at DESC, root_id DESC LIMIT $4) AS s \
         LEFT JOIN commission m ON m.workspace_id = $1 AND m.sale_id = s.sale_id AND m.outcome NOT IN ('merged', 'moved') \
         LEFT JOIN partner p ON p.workspace_id = $1 AND p.partner_id = m.partner_id \
         ORDER BY s.occurred_at DESC, s.root_id DESC LIMIT $4";
    let params = [P::T(&place.workspace_id), P::T(&place.program_id), P::T(customer_id), P::I(PAGE)];
    let sale = |row: &Row| {
        let earned = match row.opt_text(10)? {
            Some(key) => Some(([row.text(8)?, row.text(9)?, key], row.int(11)?, row.text(12)?)),
            None => None,
        };
        Ok(Sale {
            root_id: row.text(0)?,
            state: row.text(1)?,
            occurred_at: row.int(2)?,
            currency: row.text(3)?,
            paid: row.int(4)?,
            refunded: row.int(5)?,
            unfinished: row.flag(6)?,
            outcome: row.text(7)?,
            lost: row.int(13)?,
            disputed: row.int(14)?,
            earned,
        })
    };
    tx.rows(sql, &params).await?.iter().map(sale).collect()
}

/// A reason why a buyer is this customer, or why a partner brought it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// The kind of evidence.
    pub kind: String,
    /// What it says.
    pub value: String,
    /// The object that carries it.
    pub source: String,
    /// When it took effect, ms UTC.
    pub at: i64,
    /// The buyer (`cus_…`, or a guest) that it speaks of.
    pub buyer_id: String,
}

/// What Stripe's objects say of the customer's buyers, and by what each buyer is this customer: oldest first, at
/// most 50.
///
/// # Errors
/// The database's.
pub async fn reasons(
    tx: &mut Tx<'_>,
    place: &Place,
    customer_id: &str,
) -> Result<(Vec<Reason>, Vec<Reason>), StoreError> {
    let sql = "SELECT kind, '', source_id, effective_at, buyer_id FROM buyer_customer WHERE workspace_id = $1 \
         AND customer_id = $2 AND program_id = $3 ORDER BY effective_at, buyer_id LIMIT 50";
    let params = [P::T(&place.workspace_id), P::T(customer_id), P::T(&place.program_id)];
    let reason = |row: &Row| {
        Ok(Reason {
            kind: row.text(0)?,
            value: row.text(1)?,
            source: row.text(2)?,
            at: row.int(3)?,
            buyer_id: row.text(4)?,
        })
    };
    let buyers = tx.rows(sql, &params).await?.iter().map(reason).collect::<Result<Vec<_>, StoreError>>()?;
    let sql = "SELECT h.kind, h.value, h.object_id, h.effective_at, h.buyer_id FROM buyer_customer b \
         JOIN buyer_hint h ON h.workspace_id = b.workspace_id AND h.connection_id = b.connection_id \
         AND h.buyer_id = b.buyer_id WHERE b.workspace_id = $1 AND b.customer_id = $2 AND b.program_id = $3 \
         ORDER BY h.effective_at, h.object_id, h.kind LIMIT 50";
    let hints = tx.rows(sql, &params).await?.iter().map(reason).collect::<Result<Vec<_>, StoreError>>()?;
    Ok((buyers, hints))
}
