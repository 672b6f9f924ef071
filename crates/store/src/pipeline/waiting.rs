//! Sales that wait for an answer of Stripe which nobody asks for. There must be none: a look-up that is done and a sale that
//! needs another one are written under the same lock.

use crate::{P, StoreError, Tx};

/// A sale waits, and no look-up of any of its objects is kept, due or given up. Look-ups are named by what the pipeline
/// writes as their bodies.
macro_rules! unasked {
    ($columns:literal) => {
        concat!(
            "SELECT ",
            $columns,
            " FROM sale s WHERE s.workspace_id = $1 AND s.awaiting_since IS NOT NULL AND s.merged_into IS NULL \
             AND NOT EXISTS (SELECT 1 FROM alias a JOIN job j ON j.workspace_id = a.workspace_id AND j.kind = 'fetch' \
             AND j.dedup IN ('{\"connection_id\":\"' || a.connection_id || '\",\"need\":{\"need\":\"object\",\"id\":\"' || a.object_id || '\"}}', \
             '{\"connection_id\":\"' || a.connection_id || '\",\"need\":{\"need\":\"links_of\",\"id\":\"' || a.object_id || '\"}}', \
             '{\"connection_id\":\"' || a.connection_id || '\",\"need\":{\"need\":\"fee_of\",\"id\":\"' || a.object_id || '\"}}', \
             '{\"connection_id\":\"' || a.connection_id || '\",\"need\":{\"need\":\"lines_of\",\"id\":\"' || a.object_id || '\"}}') \
             WHERE a.workspace_id = s.workspace_id AND a.sale_id = s.sale_id) ORDER BY s.awaiting_since LIMIT "
        )
    };
}

/// Finds up to 100 of them in a workspace: for `verify`.
pub const UNASKED: &str = concat!(unasked!("s.sale_id"), "100");

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unasked {
    /// `sal_…`
    pub sale_id: String,
    /// Its connection.
    pub connection_id: String,
    /// `test` or `live`.
    pub mode: String,
}

/// Up to 100 of them, the longest waiting first.
///
/// # Errors
/// The database's.
pub async fn unasked(tx: &mut Tx<'_>, workspace_id: &str) -> Result<Vec<Unasked>, StoreError> {
    let sql = concat!(unasked!("s.sale_id, s.connection_id, s.mode"), "100");
    let rows = tx.rows(sql, &[P::T(workspace_id)]).await?;
    rows.iter()
        .map(|row| Ok(Unasked { sale_id: row.text(0)?, connection_id: row.text(1)?, mode: row.text(2)? }))
        .collect()
}
