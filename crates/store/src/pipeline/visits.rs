//! Visits as attribution looks them up.

use crate::{P, Row, StoreError, Tx};

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
