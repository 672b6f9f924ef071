//! The audit log: who changed what.

use super::transactions::escaped;
use super::{Cursor, Direction, Place};
use crate::{P, StoreError, Tx};

/// Lines on a page.
pub const PAGE: i64 = 50;

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Our id.
    pub audit_id: String,
    /// `test`, `live`, or empty where it holds for both.
    pub mode: String,
    /// ms UTC.
    pub at: i64,
    /// `user:E-MAIL` or `api:KEY-ID`.
    pub actor: String,
    /// What was done: `attribute`, `void`, …
    pub action: String,
    /// What it was done to.
    pub subject: String,
    /// What it was, in words; may be empty.
    pub was: String,
    /// What it became, in words.
    pub became: String,
    /// Why; may be empty.
    pub reason: String,
}

/// Writes a line, in the unit of the change itself.
///
/// # Errors
/// The database's.
pub async fn insert(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    program_id: &str,
    line: &Line,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO audit (workspace_id, audit_id, program_id, mode, at, actor, action, subject, was, became, \
         reason) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    let params = [
        P::T(workspace_id),
        P::T(&line.audit_id),
        P::T(program_id),
        P::T(&line.mode),
        P::I(line.at),
        P::T(&line.actor),
        P::T(&line.action),
        P::T(&line.subject),
        P::T(&line.was),
        P::T(&line.became),
        P::T(&line.reason),
    ];
    tx.exec(sql, &params).await?;
    Ok(())
}

/// What a line about a customer names.
#[must_use]
pub fn customer_subject(key: &str) -> String {
    format!("customer {key}")
}

/// Lines about a customer that was erased name its new key, and no reason: whoever wrote it may have named the person.
///
/// # Errors
/// The database's.
pub async fn follow_key(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    (program_id, mode): (&str, &str),
    before: &str,
    after: &str,
) -> Result<(), StoreError> {
    let sql = "UPDATE audit SET subject = $5, reason = '' WHERE workspace_id = $1 AND program_id = $2 AND mode = $3 \
         AND subject = $4";
    let (before, after) = (customer_subject(before), customer_subject(after));
    let params = [P::T(workspace_id), P::T(program_id), P::T(mode), P::T(&before), P::T(&after)];
    tx.exec(sql, &params).await?;
    Ok(())
}

/// What the log is narrowed to; empty lets all through.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// These actions; none for all.
    pub actions: Vec<String>,
    /// Part of an actor, a subject, a reason, or of what was and became.
    pub search: String,
}

macro_rules! list {
    ($edge:literal, $order:literal) => {
        concat!(
            "SELECT audit_id, mode, at, actor, action, subject, was, became, reason FROM audit \
             WHERE workspace_id = $1 AND (program_id = $2 OR program_id = '') AND ($3 = '' OR $3 LIKE '%,' || action || ',%') AND ($4 = '' \
             OR lower(actor || ' ' || subject || ' ' || was || ' ' || became || ' ' || reason) LIKE $5 ESCAPE '\\') \
             AND (CAST($6 AS BIGINT) IS NULL OR ",
            $edge,
            ") ORDER BY ",
            $order,
            " LIMIT $8"
        )
    };
}

/// Lines from a cursor on, at most `limit`.
///
/// # Errors
/// The database's.
pub async fn list(
    tx: &mut Tx<'_>,
    place: &Place,
    filter: &Filter,
    direction: Direction,
    from: Option<&Cursor>,
    limit: i64,
) -> Result<Vec<Line>, StoreError> {
    let sql = match direction {
        Direction::Older => list!("(at, audit_id) < ($6, $7)", "at DESC, audit_id DESC"),
        Direction::Newer => list!("(at, audit_id) > ($6, $7)", "at, audit_id"),
    };
    let actions =
        if filter.actions.is_empty() { String::new() } else { format!(",{},", filter.actions.join(",")) };
    let search = filter.search.to_lowercase();
    let pattern = format!("%{}%", escaped(&search));
    let params = [
        P::T(&place.workspace_id),
        P::T(&place.program_id),
        P::T(&actions),
        P::T(&search),
        P::T(&pattern),
        P::opt_i(from.map(|cursor| cursor.at)),
        P::T(from.map_or("", |cursor| cursor.id.as_str())),
        P::I(limit),
    ];
    let rows = tx.rows(sql, &params).await?;
    rows.iter()
        .map(|row| {
            Ok(Line {
                audit_id: row.text(0)?,
                mode: row.text(1)?,
                at: row.int(2)?,
                actor: row.text(3)?,
                action: row.text(4)?,
                subject: row.text(5)?,
                was: row.text(6)?,
                became: row.text(7)?,
                reason: row.text(8)?,
            })
        })
        .collect()
}
