//! Visits as attribution looks them up.

use crate::{P, Row, StoreError, Tx};
use std::collections::BTreeSet;

/// One arrival through a referral link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit {
    /// `vis_…`
    pub visit_id: String,
    /// The link's partner (our id).
    pub partner_id: String,
    /// The link.
    pub link_id: String,
    /// The page that the link led to, or that the script saw.
    pub landing: String,
    /// Where the visitor came from; may be empty.
    pub referrer: String,
    /// ms UTC.
    pub at: i64,
}

fn visit(row: &Row) -> Result<Visit, StoreError> {
    Ok(Visit {
        visit_id: row.text(0)?,
        partner_id: row.text(1)?,
        link_id: row.text(2)?,
        landing: row.text(3)?,
        referrer: row.text(4)?,
        at: row.int(5)?,
    })
}

/// A visit of one program and mode. One of another program, mode or workspace is nobody's.
///
/// # Errors
/// The database's.
pub async fn find(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    mode: &str,
    program_id: &str,
    visit_id: &str,
) -> Result<Option<Visit>, StoreError> {
    // By the id alone, which is what the key of the table begins with: with program and mode beside it, SQLite would
    // walk the program's visits instead.
    let sql = "SELECT visit_id, partner_id, link_id, landing, referrer, at, mode, program_id FROM visit \
         WHERE workspace_id = $1 AND visit_id = $2 ORDER BY at LIMIT 10";
    for row in tx.rows(sql, &[P::T(workspace_id), P::T(visit_id)]).await? {
        if row.text(6)? == mode && row.text(7)? == program_id {
            return visit(&row).map(Some);
        }
    }
    Ok(None)
}

/// A visit as it is kept, to be brought to another database.
#[derive(Debug, Clone)]
pub struct Kept {
    /// visit_id, mode, program_id, partner_id, link_id, visitor, via, landing, referrer.
    texts: [String; 9],
    at: i64,
}

/// The given visits, whatever their program and mode.
///
/// # Errors
/// The database's.
pub async fn kept(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    visit_ids: &BTreeSet<String>,
) -> Result<Vec<Kept>, StoreError> {
    let sql = "SELECT visit_id, mode, program_id, partner_id, link_id, visitor, via, landing, referrer, at FROM visit \
         WHERE workspace_id = $1 AND visit_id = $2";
    let sets: Vec<_> = visit_ids.iter().map(|id| vec![P::T(workspace_id), P::T(id)]).collect();
    let text = |row: &Row| -> Result<[String; 9], StoreError> {
        let [a, b, c] = [row.text(0)?, row.text(1)?, row.text(2)?];
        let [d, e, f] = [row.text(3)?, row.text(4)?, row.text(5)?];
        Ok([a, b, c, d, e, f, row.text(6)?, row.text(7)?, row.text(8)?])
    };
    let rows = tx.rows_each(sql, &sets).await?;
    rows.iter().flatten().map(|row| Ok(Kept { texts: text(row)?, at: row.int(9)? })).collect()
}

/// Keeps visits from another database; those that are there already stay.
///
/// # Errors
/// The database's.
pub async fn keep(tx: &mut Tx<'_>, workspace_id: &str, visits: &[Kept]) -> Result<(), StoreError> {
    let sql = "INSERT INTO visit (workspace_id, visit_id, mode, program_id, partner_id, link_id, visitor, via, landing, \
         referrer, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING";
    let sets: Vec<Vec<P<'_>>> = visits
        .iter()
        .map(|visit| {
            let texts = visit.texts.iter().map(|text| P::T(text));
            std::iter::once(P::T(workspace_id)).chain(texts).chain([P::I(visit.at)]).collect()
        })
        .collect();
    tx.exec_each(sql, &sets).await?;
    Ok(())
}
