//! The inbox as a list, and one event with what it touched.

use super::{Cursor, Direction, Place};
use crate::{P, Row, StoreError, Tx};

/// Rows on a page.
pub const PAGE: i64 = 50;

/// One event as the list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The connection.
    pub connection_id: String,
    /// `evt_…`
    pub event_id: String,
    /// Stripe's type.
    pub type_: String,
    /// The object it is about, or empty.
    pub object_id: String,
    /// As the event says.
    pub api_version: String,
    /// Stripe's time, ms UTC.
    pub created_at: i64,
    /// Ours, ms UTC.
    pub received_at: i64,
    /// `webhook`, `poll` or `backfill`.
    pub via: String,
    /// `pending`, `processed`, `ignored` or `parked`.
    pub outcome: String,
    /// Why, for a person.
    pub reason: String,
    /// How often it was tried.
    pub attempts: i64,
    /// When it is tried next, ms UTC.
    pub run_at: i64,
    /// When it was done, ms UTC.
    pub processed_at: Option<i64>,
    /// When its raw payload was purged, ms UTC.
    pub purged_at: Option<i64>,
    /// The sale that its object belongs to.
    pub touched: Option<Touched>,
}

/// The sale that an event's object belongs to, as it stands now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touched {
    /// The economic key.
    pub root_id: String,
    /// The sale's state.
    pub state: String,
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
    /// What settlement said last.
    pub outcome: String,
    /// The program that it earns in.
    pub program_id: Option<String>,
    /// The customer's e-mail, name, surname and key; empty where there is none.
    pub customer: [String; 4],
    /// The partner's name, surname and key, and what is earned in which currency.
    pub earned: Option<([String; 3], i64, String)>,
}

macro_rules! narrowed {
    () => {
        "AND ($7 = '' OR outcome = $7) AND ($8 = '' OR substr(type, 1, length($8)) = $8) \
         AND ($9 = '' OR object_id = $9 OR event_id = $9) "
    };
}

macro_rules! columns {
    () => {
        "SELECT connection_id, event_id, type, object_id, api_version, created_at, received_at, via, outcome, reason, \
         attempts, run_at, processed_at, purged_at FROM event WHERE workspace_id = $1 AND connection_id = $2 "
    };
}

/// What a list of events is narrowed to; empty and `None` for all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// `pending`, `processed`, `ignored` or `parked`.
    pub outcome: String,
    /// How the type begins.
    pub kind: String,
    /// The id of the object, or of the event.
    pub object: String,
    /// Received at or after, ms UTC.
    pub from: Option<i64>,
    /// Received before, ms UTC.
    pub until: Option<i64>,
}

/// Which part of the list, and how much of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The direction of reading.
    pub direction: Direction,
    /// From where.
    pub from: Option<Cursor>,
    /// Rows; one more is read where there is one.
    pub rows: i64,
}

/// A page of events of the program's connections in the direction of reading, and one row more if there is a
/// page after it.
///
/// # Errors
/// The database's.
pub async fn list(
    tx: &mut Tx<'_>,
    place: &Place,
    connections: &[String],
    filter: &Filter,
    page: &Page,
) -> Result<Vec<Line>, StoreError> {
    let (sql, at) = match page.direction {
        Direction::Older => (
            concat!(
                columns!(),
                "AND (received_at, event_id) < ($3, $4) AND received_at >= $5 AND received_at < $6 ",
                narrowed!(),
                "ORDER BY received_at DESC, event_id DESC LIMIT $10"
            ),
            i64::MAX,
        ),
        Direction::Newer => (
            concat!(
                columns!(),
                "AND (received_at, event_id) > ($3, $4) AND received_at >= $5 AND received_at < $6 ",
                narrowed!(),
                "ORDER BY received_at, event_id LIMIT $10"
            ),
            i64::MIN,
        ),
    };
    let (at, id) = page.from.as_ref().map_or((at, ""), |cursor| (cursor.at, cursor.id.as_str()));
    let (from, until) = (filter.from.unwrap_or(i64::MIN), filter.until.unwrap_or(i64::MAX));
    let mut lines = Vec::new();
    for connection in connections {
        let (ws, con) = (P::T(&place.workspace_id), P::T(connection));
        let (outcome, kind, object) = (P::T(&filter.outcome), P::T(&filter.kind), P::T(&filter.object));
        let params = [
            ws,
            con,
            P::I(at),
            P::T(id),
            P::I(from),
            P::I(until),
            outcome,
            kind,
            object,
            P::I(page.rows + 1),
        ];
        for row in &tx.rows(sql, &params).await? {
            lines.push(line(row)?);
        }
    }
    lines.sort_by(|a: &Line, b: &Line| (a.received_at, &a.event_id).cmp(&(b.received_at, &b.event_id)));
    if page.direction == Direction::Older {
        lines.reverse();
    }
    lines.truncate(usize::try_from(page.rows + 1).unwrap_or(51));
    touch(tx, place, &mut lines).await?;
    Ok(lines)
}

/// Does an event still wait for its turn?
///
/// # Errors
/// The database's.
pub async fn is_pending(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
    event_id: &str,
) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM event WHERE workspace_id = $1 AND connection_id = $2 AND event_id = $3 \
         AND outcome = 'pending'";
    Ok(tx.opt(sql, &[P::T(workspace_id), P::T(connection_id), P::T(event_id)]).await?.is_some())
}

/// One event with its sealed payload, which may have been purged.
///
/// # Errors
/// The database's.
pub async fn find(
    tx: &mut Tx<'_>,
    place: &Place,
    connection_id: &str,
    event_id: &str,
) -> Result<Option<(Line, Option<Vec<u8>>)>, StoreError> {
    let sql = concat!(columns!(), "AND event_id = $3");
    let params = [P::T(&place.workspace_id), P::T(connection_id), P::T(event_id)];
    let Some(row) = tx.opt(sql, &params).await? else { return Ok(None) };
    let mut lines = vec![line(&row)?];
    touch(tx, place, &mut lines).await?;
    // With its time, so that PostgreSQL looks into one part alone.
    let sql = "SELECT body FROM event_payload WHERE workspace_id = $1 AND connection_id = $2 AND event_id = $3 \
         AND created_at = $4";
    let at = lines.first().map_or(0, |line| line.created_at);
    let params = [P::T(&place.workspace_id), P::T(connection_id), P::T(event_id), P::I(at)];
    let body = tx.opt(sql, &params).await?.map(|row| row.bytes(0)).transpose()?;
    Ok(lines.pop().map(|line| (line, body)))
}

/// How many events of a connection have an outcome, counted up to 1,000.
///
/// # Errors
/// The database's.
pub async fn count(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
    outcome: &str,
) -> Result<i64, StoreError> {
    // Two texts, so that each reads its own partial index.
    let sql = match outcome {
        "parked" => {
            "SELECT count(*) FROM (SELECT 1 AS one FROM event WHERE workspace_id = $1 AND connection_id = $2 \
             AND outcome = 'parked' LIMIT 1000) AS few"
        }
        "pending" => {
            "SELECT count(*) FROM (SELECT 1 AS one FROM event WHERE workspace_id = $1 AND connection_id = $2 \
             AND outcome = 'pending' LIMIT 1000) AS few"
        }
        other => return Err(StoreError::Invalid(format!("no count of “{other}” events is kept"))),
    };
    tx.opt(sql, &[P::T(workspace_id), P::T(connection_id)]).await?.map_or(Ok(0), |row| row.int(0))
}

const TOUCHED: &str = "SELECT s.root_id, s.state, s.currency, s.paid, s.refunded, s.outcome, s.program_id, \
     COALESCE(c.email, ''), COALESCE(c.name, ''), COALESCE(c.surname, ''), COALESCE(c.key, ''), p.name, p.surname, \
     p.key, m.target, m.currency, s.lost, s.disputed FROM alias a \
     JOIN sale s ON s.workspace_id = a.workspace_id AND s.sale_id = a.sale_id \
     LEFT JOIN customer c ON c.workspace_id = s.workspace_id AND c.customer_id = s.customer_id \
     LEFT JOIN commission m ON m.workspace_id = s.workspace_id AND m.sale_id = s.sale_id \
     AND m.outcome NOT IN ('merged', 'moved') \
     LEFT JOIN partner p ON p.workspace_id = m.workspace_id AND p.partner_id = m.partner_id \
     WHERE a.workspace_id = $1 AND a.connection_id = $2 AND a.object_id = $3 AND s.merged_into IS NULL \
     ORDER BY m.target DESC LIMIT 1";

async fn touch(tx: &mut Tx<'_>, place: &Place, lines: &mut [Line]) -> Result<(), StoreError> {
    let sets: Vec<_> = lines
        .iter()
        .map(|line| vec![P::T(&place.workspace_id), P::T(&line.connection_id), P::T(&line.object_id)])
        .collect();
    let found = tx.rows_each(TOUCHED, &sets).await?;
    drop(sets);
    for (line, rows) in lines.iter_mut().zip(&found) {
        line.touched = rows.first().map(touched).transpose()?;
    }
    Ok(())
}

/// The sale that an object belongs to, as it stands now.
///
/// # Errors
/// The database's.
pub async fn touched_by(
    tx: &mut Tx<'_>,
    place: &Place,
    connection_id: &str,
    object_id: &str,
) -> Result<Option<Touched>, StoreError> {
    let params = [P::T(&place.workspace_id), P::T(connection_id), P::T(object_id)];
    tx.opt(TOUCHED, &params).await?.map(|row| touched(&row)).transpose()
}

fn touched(row: &Row) -> Result<Touched, StoreError> {
    let earned = match row.opt_int(14)? {
        Some(target) => Some(([row.text(11)?, row.text(12)?, row.text(13)?], target, row.text(15)?)),
        None => None,
    };
    Ok(Touched {
        root_id: row.text(0)?,
        state: row.text(1)?,
        currency: row.text(2)?,
        paid: row.int(3)?,
        refunded: row.int(4)?,
        lost: row.int(16)?,
        disputed: row.int(17)?,
        outcome: row.text(5)?,
        program_id: row.opt_text(6)?,
        customer: [row.text(7)?, row.text(8)?, row.text(9)?, row.text(10)?],
        earned,
    })
}

fn line(row: &Row) -> Result<Line, StoreError> {
    Ok(Line {
        connection_id: row.text(0)?,
        event_id: row.text(1)?,
        type_: row.text(2)?,
        object_id: row.text(3)?,
        api_version: row.text(4)?,
        created_at: row.int(5)?,
        received_at: row.int(6)?,
        via: row.text(7)?,
        outcome: row.text(8)?,
        reason: row.text(9)?,
        attempts: row.int(10)?,
        run_at: row.int(11)?,
        processed_at: row.opt_int(12)?,
        purged_at: row.opt_int(13)?,
        touched: None,
    })
}
