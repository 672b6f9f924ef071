//! API keys: from the hash of a token to the program that it opens.

use crate::workspaces::{self, Program};
use crate::{P, StoreError, Tx};

/// What a key opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// The key's own id (`key_…`).
    pub key_id: String,
    /// The program that it belongs to.
    pub program: Program,
    /// The mode that the program shows now: `test` or `live`.
    pub mode: &'static str,
}

/// Finds the program of a token by its hash. `None` for an unknown or a revoked key.
///
/// # Errors
/// The database's.
pub async fn open(tx: &mut Tx<'_>, token_hash: &str) -> Result<Option<Opened>, StoreError> {
    let Some(route) = workspaces::find_route(tx, "api_key", token_hash).await? else { return Ok(None) };
    let sql = "SELECT key_id, program_id FROM api_key WHERE workspace_id = $1 AND token_hash = $2 \
         AND revoked_at IS NULL";
    let Some(row) = tx.opt(sql, &[P::T(&route.workspace_id), P::T(token_hash)]).await? else {
        return Ok(None);
    };
    let (key_id, program_id) = (row.text(0)?, row.text(1)?);
    let Some(program) = workspaces::find_program(tx, &route.workspace_id, &program_id).await? else {
        return Ok(None);
    };
    let mode = workspaces::program_mode(tx, &route.workspace_id, &program_id).await?;
    Ok(Some(Opened { key_id, program, mode }))
}

/// Revokes a key. Returns whether it was live before.
///
/// # Errors
/// The database's.
pub async fn revoke(tx: &mut Tx<'_>, workspace_id: &str, key_id: &str, now: i64) -> Result<bool, StoreError> {
    let sql =
        "UPDATE api_key SET revoked_at = $3 WHERE workspace_id = $1 AND key_id = $2 AND revoked_at IS NULL";
    Ok(tx.exec(sql, &[P::T(workspace_id), P::T(key_id), P::I(now)]).await? > 0)
}

/// A key as pages list it: never the key itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyLine {
    /// `key_…`
    pub key_id: String,
    /// What it is for.
    pub name: String,
    /// Its last letters.
    pub hint: String,
    /// ms UTC.
    pub created_at: i64,
    /// ms UTC; `None` while it opens.
    pub revoked_at: Option<i64>,
}

/// The keys of a program, the newest first. At most 200.
///
/// # Errors
/// The database's.
pub async fn list(tx: &mut Tx<'_>, workspace_id: &str, program_id: &str) -> Result<Vec<KeyLine>, StoreError> {
    let sql = "SELECT key_id, name, hint, created_at, revoked_at FROM api_key \
         WHERE workspace_id = $1 AND program_id = $2 ORDER BY created_at DESC, key_id LIMIT 200";
    let rows = tx.rows(sql, &[P::T(workspace_id), P::T(program_id)]).await?;
    rows.iter()
        .map(|row| {
            Ok(KeyLine {
                key_id: row.text(0)?,
                name: row.text(1)?,
                hint: row.text(2)?,
                created_at: row.int(3)?,
                revoked_at: row.opt_int(4)?,
            })
        })
        .collect()
}
