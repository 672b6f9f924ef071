//! Stripe connections, their signing secrets, and the programs that they feed.

pub mod feeds;
pub mod secrets;
pub mod watch;

pub use secrets::{Candidate, candidates};

use crate::vault::Key;
use crate::{P, Row, StoreError, Tx};

/// One authorised Stripe account in one mode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// The workspace.
    pub workspace_id: String,
    /// `con_…`
    pub connection_id: String,
    /// `test` or `live`.
    pub mode: String,
    /// `acct_…`, or `unknown_…` where the key may not read it.
    pub account_id: String,
    /// The account's display name, or empty.
    pub account_name: String,
    /// Where its API is.
    pub api_base: String,
    /// The API key, sealed.
    pub api_key: Vec<u8>,
    /// The key's kind and last letters.
    pub key_hint: String,
    /// `connected`, `broken` or `disconnected`.
    pub status: String,
    /// Why it is broken, in a sentence; else empty.
    pub status_reason: String,
    /// JSON array of sentences.
    pub warnings: String,
    /// Our webhook endpoint (`we_…`), if we made one.
    pub endpoint_id: Option<String>,
    /// The endpoint's URL.
    pub endpoint_url: Option<String>,
    /// Is `/v1/events` polled?
    pub polling: bool,
    /// Up to where it was polled, ms UTC.
    pub cursor_at: i64,
    /// ms UTC.
    pub created_at: i64,
    /// JSON array of `{"permission", "ok"}`: what the last look at the key found.
    pub permissions: String,
    /// When that was, ms UTC.
    pub checked_at: Option<i64>,
    /// How it is let in: `key` (its own), `app` (a token of the operator's App), `connect` (the platform's key).
    pub auth: String,
    /// How often its test data were wiped when this was read ([`is_wiped_since`]).
    pub wiped: i64,
}

fn connection(row: &Row) -> Result<Connection, StoreError> {
    Ok(Connection {
        workspace_id: row.text(0)?,
        connection_id: row.text(1)?,
        mode: row.text(2)?,
        account_id: row.text(3)?,
        account_name: row.text(4)?,
        api_base: row.text(5)?,
        api_key: row.bytes(6)?,
        key_hint: row.text(7)?,
        status: row.text(8)?,
        status_reason: row.text(9)?,
        warnings: row.text(10)?,
        endpoint_id: row.opt_text(11)?,
        endpoint_url: row.opt_text(12)?,
        polling: row.flag(13)?,
        cursor_at: row.int(14)?,
        created_at: row.int(15)?,
        permissions: row.text(16)?,
        checked_at: row.opt_int(17)?,
        auth: row.text(18)?,
        wiped: row.int(19)?,
    })
}

/// Where a connection's API key lies, for the vault.
#[must_use]
pub fn api_key_place(connection_id: &str) -> String {
    format!("connection.api_key/{connection_id}")
}

/// Where a signing secret lies, for the vault.
#[must_use]
pub fn secret_place(connection_id: &str, secret_id: &str) -> String {
    format!("connection_secret.secret/{connection_id}/{secret_id}")
}

/// Stores a new connection.
///
/// # Errors
/// [`StoreError::Conflict`] if the account is already connected in this mode.
pub async fn insert(tx: &mut Tx<'_>, c: &Connection) -> Result<(), StoreError> {
    let sql = "INSERT INTO connection (workspace_id, connection_id, mode, account_id, account_name, api_base, \
         api_key, key_hint, status, status_reason, warnings, endpoint_id, endpoint_url, polling, cursor_at, \
         created_at, updated_at, permissions, checked_at, auth) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $16, $17, $18, $19)";
    let params = [
        P::T(&c.workspace_id),
        P::T(&c.connection_id),
        P::T(&c.mode),
        P::T(&c.account_id),
        P::T(&c.account_name),
        P::T(&c.api_base),
        P::B(&c.api_key),
        P::T(&c.key_hint),
        P::T(&c.status),
        P::T(&c.status_reason),
        P::T(&c.warnings),
        P::opt_t(c.endpoint_id.as_deref()),
        P::opt_t(c.endpoint_url.as_deref()),
        P::F(c.polling),
        P::I(c.cursor_at),
        P::I(c.created_at),
        P::T(&c.permissions),
        P::opt_i(c.checked_at),
        P::T(&c.auth),
    ];
    tx.exec(sql, &params).await?;
    Ok(())
}

/// Replaces what re-connecting or probing learnt: key, hint, name, status, warnings, endpoint, polling.
///
/// # Errors
/// [`StoreError::NotFound`] if there is no such connection.
pub async fn update(tx: &mut Tx<'_>, c: &Connection, now: i64) -> Result<(), StoreError> {
    let sql = "UPDATE connection SET account_id = $3, account_name = $4, api_base = $5, api_key = $6, key_hint = $7, \
         status = $8, status_reason = $9, warnings = $10, endpoint_id = $11, endpoint_url = $12, polling = $13, \
         updated_at = $14, permissions = $15, checked_at = $16, auth = $17 WHERE workspace_id = $1 AND connection_id = $2";
    let params = [
        P::T(&c.workspace_id),
        P::T(&c.connection_id),
        P::T(&c.account_id),
        P::T(&c.account_name),
        P::T(&c.api_base),
        P::B(&c.api_key),
        P::T(&c.key_hint),
        P::T(&c.status),
        P::T(&c.status_reason),
        P::T(&c.warnings),
        P::opt_t(c.endpoint_id.as_deref()),
        P::opt_t(c.endpoint_url.as_deref()),
        P::F(c.polling),
        P::I(now),
        P::T(&c.permissions),
        P::opt_i(c.checked_at),
        P::T(&c.auth),
    ];
    match tx.exec(sql, &params).await? {
        1 => Ok(()),
        _ => Err(StoreError::NotFound(format!("connection {}", c.connection_id))),
    }
}

/// Moves the polling cursor forward, never back.
///
/// # Errors
/// The database's.
pub async fn move_cursor(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
    cursor_at: i64,
) -> Result<(), StoreError> {
    let sql = "UPDATE connection SET cursor_at = $3 WHERE workspace_id = $1 AND connection_id = $2 AND cursor_at < $3";
    tx.exec(sql, &[P::T(workspace_id), P::T(connection_id), P::I(cursor_at)]).await?;
    Ok(())
}

/// Were the test data wiped since the connection was read? For who read events or asked Stripe by it and writes now, under the
/// connection's lock.
///
/// # Errors
/// The database's.
pub async fn is_wiped_since(tx: &mut Tx<'_>, read: &Connection) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM connection WHERE workspace_id = $1 AND connection_id = $2 AND wiped > $3";
    let params = [P::T(&read.workspace_id), P::T(&read.connection_id), P::I(read.wiped)];
    Ok(tx.opt(sql, &params).await?.is_some())
}

/// Marks a connection broken or whole again, with the reason; one that was disconnected meanwhile stays so.
///
/// # Errors
/// The database's.
pub async fn set_status(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
    status: &str,
    reason: &str,
    now: i64,
) -> Result<(), StoreError> {
    let sql = "UPDATE connection SET status = $3, status_reason = $4, updated_at = $5 \
         WHERE workspace_id = $1 AND connection_id = $2 AND status <> 'disconnected'";
    let (ws, id) = (P::T(workspace_id), P::T(connection_id));
    tx.exec(sql, &[ws, id, P::T(status), P::T(reason), P::I(now)]).await?;
    Ok(())
}

/// One connection.
///
/// # Errors
/// The database's.
pub async fn find(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
) -> Result<Option<Connection>, StoreError> {
    let sql = "SELECT workspace_id, connection_id, mode, account_id, account_name, api_base, api_key, key_hint, \
         status, status_reason, warnings, endpoint_id, endpoint_url, polling, cursor_at, created_at, permissions, \
         checked_at, auth, wiped FROM connection WHERE workspace_id = $1 AND connection_id = $2";
    tx.opt(sql, &[P::T(workspace_id), P::T(connection_id)]).await?.map(|row| connection(&row)).transpose()
}

/// The connection of an account in a mode.
///
/// # Errors
/// The database's.
pub async fn find_by_account(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    mode: &str,
    account_id: &str,
) -> Result<Option<Connection>, StoreError> {
    let sql = "SELECT workspace_id, connection_id, mode, account_id, account_name, api_base, api_key, key_hint, \
         status, status_reason, warnings, endpoint_id, endpoint_url, polling, cursor_at, created_at, permissions, \
         checked_at, auth, wiped FROM connection WHERE workspace_id = $1 AND mode = $2 AND account_id = $3";
    let row = tx.opt(sql, &[P::T(workspace_id), P::T(mode), P::T(account_id)]).await?;
    row.map(|row| connection(&row)).transpose()
}

/// The connections of a workspace, oldest first. At most 500.
///
/// # Errors
/// The database's.
pub async fn list(tx: &mut Tx<'_>, workspace_id: &str) -> Result<Vec<Connection>, StoreError> {
    let sql = "SELECT workspace_id, connection_id, mode, account_id, account_name, api_base, api_key, key_hint, \
         status, status_reason, warnings, endpoint_id, endpoint_url, polling, cursor_at, created_at, permissions, \
         checked_at, auth, wiped FROM connection WHERE workspace_id = $1 ORDER BY created_at, connection_id LIMIT 500";
    tx.rows(sql, &[P::T(workspace_id)]).await?.iter().map(connection).collect()
}

/// The connections that feed a program, oldest first. At most 500.
///
/// # Errors
/// The database's.
pub async fn list_of_program(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    program_id: &str,
) -> Result<Vec<Connection>, StoreError> {
    let sql = "SELECT c.workspace_id, c.connection_id, c.mode, c.account_id, c.account_name, c.api_base, c.api_key, \
         c.key_hint, c.status, c.status_reason, c.warnings, c.endpoint_id, c.endpoint_url, c.polling, c.cursor_at, \
         c.created_at, c.permissions, c.checked_at, c.auth, c.wiped FROM connection_program cp JOIN connection c ON c.workspace_id = cp.workspace_id \
         AND c.connection_id = cp.connection_id WHERE cp.workspace_id = $1 AND cp.program_id = $2 \
         ORDER BY c.created_at, c.connection_id LIMIT 500";
    tx.rows(sql, &[P::T(workspace_id), P::T(program_id)]).await?.iter().map(connection).collect()
}

/// Attaches a program to a connection from an instant (ms UTC) on; twice is once.
///
/// # Errors
/// The database's.
pub async fn attach(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
    program_id: &str,
    now: i64,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO connection_program (workspace_id, connection_id, program_id, created_at) \
         VALUES ($1, $2, $3, $4) ON CONFLICT (workspace_id, connection_id, program_id) DO NOTHING";
    let (ws, con) = (P::T(workspace_id), P::T(connection_id));
    if tx.exec(sql, &[ws, con, P::T(program_id), P::I(now)]).await? > 0 {
        feeds::begin(tx, workspace_id, connection_id, program_id, now).await?;
    }
    Ok(())
}

/// Adds a signing secret that was pasted (sealed under the workspace's data key). Those before it stay good.
///
/// # Errors
/// The database's.
pub async fn insert_secret(
    tx: &mut Tx<'_>,
    data_key: &Key,
    workspace_id: &str,
    connection_id: &str,
    secret_id: &str,
    secret: &str,
    now: i64,
) -> Result<(), StoreError> {
    let new = secrets::NewSecret {
        workspace_id,
        connection_id,
        secret_id,
        endpoint_id: None,
        expires_at: None,
        now,
    };
    secrets::add(tx, data_key, &new, secret).await
}
