//! API keys: from the hash of a token to the program that it opens; app tokens: to the workspace that they show.

use crate::vault::token_hash;
use crate::workspaces::{self, Program};
use crate::{P, StoreError, Tx};

/// The kind of route by which an app token is found.
const APP_ROUTE: &str = "app_token";

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

/// What an app token opens: what the app in Stripe's Dashboard shows, of all programs of one workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppOpened {
    /// The token's own id (`key_…`).
    pub key_id: String,
    /// The workspace.
    pub workspace_id: String,
}

/// Finds the workspace of an app token by its hash. `None` for an unknown or a revoked one, and for an API key.
///
/// # Errors
/// The database's.
pub async fn open_app(tx: &mut Tx<'_>, token_hash: &str) -> Result<Option<AppOpened>, StoreError> {
    let Some(route) = workspaces::find_route(tx, APP_ROUTE, token_hash).await? else { return Ok(None) };
    let sql = "SELECT key_id FROM api_key WHERE workspace_id = $1 AND token_hash = $2 AND scope = 'stripe_app' \
         AND revoked_at IS NULL";
    let row = tx.opt(sql, &[P::T(&route.workspace_id), P::T(token_hash)]).await?;
    row.map(|row| Ok(AppOpened { key_id: row.text(0)?, workspace_id: route.workspace_id.clone() }))
        .transpose()
}

/// Stores an app token: its hash and a hint of its last letters, never the token. It is listed with the keys of every
/// program of the workspace; `program` is where it was made.
///
/// # Errors
/// The database's.
pub async fn insert_app(
    tx: &mut Tx<'_>,
    program: &Program,
    key_id: &str,
    name: &str,
    token: &str,
    now: i64,
) -> Result<(), StoreError> {
    let (hash, hint) = (token_hash(token), workspaces::key_hint(token));
    let sql = "INSERT INTO api_key (workspace_id, key_id, program_id, name, hint, token_hash, created_at, scope) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, 'stripe_app')";
    let (ws, prg) = (P::T(&program.workspace_id), P::T(&program.program_id));
    tx.exec(sql, &[ws, P::T(key_id), prg, P::T(name), P::T(&hint), P::T(&hash), P::I(now)]).await?;
    workspaces::insert_route(tx, APP_ROUTE, &hash, &program.workspace_id, None).await
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
    /// Is it an app token?
    pub app: bool,
}

/// The keys of a program and the workspace's app tokens, the newest first. At most 200.
///
/// # Errors
/// The database's.
pub async fn list(tx: &mut Tx<'_>, workspace_id: &str, program_id: &str) -> Result<Vec<KeyLine>, StoreError> {
    let sql = "SELECT key_id, name, hint, created_at, revoked_at, scope FROM api_key \
         WHERE workspace_id = $1 AND (program_id = $2 OR scope = 'stripe_app') ORDER BY created_at DESC, key_id LIMIT 200";
    let rows = tx.rows(sql, &[P::T(workspace_id), P::T(program_id)]).await?;
    rows.iter()
        .map(|row| {
            Ok(KeyLine {
                key_id: row.text(0)?,
                name: row.text(1)?,
                hint: row.text(2)?,
                created_at: row.int(3)?,
                revoked_at: row.opt_int(4)?,
                app: row.text(5)? == "stripe_app",
            })
        })
        .collect()
}
