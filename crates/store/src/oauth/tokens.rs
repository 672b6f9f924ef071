//! The tokens of connections by a Stripe App: sealed, renewed by one node at a time.

use crate::vault::Key;
use crate::{P, StoreError, Tx};
use zeroize::Zeroizing;

/// The tokens of a connection, opened.
#[derive(Clone)]
pub struct Tokens {
    /// The token to ask with.
    pub access: Zeroizing<Vec<u8>>,
    /// Until when it is good, ms UTC.
    pub access_until: i64,
    /// What brings the next one; empty = nothing does.
    pub refresh: Zeroizing<Vec<u8>>,
    /// The refresh token before that one, until the newest has worked; else empty.
    pub refresh_before: Zeroizing<Vec<u8>>,
    /// When the account agreed, ms UTC.
    pub granted_at: i64,
    /// How often they were renewed.
    pub version: i64,
    /// Until when one node renews them, ms UTC.
    pub lease_until: i64,
    /// Why they cannot be renewed any more; else empty.
    pub refused: String,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens")
            .field("access_until", &self.access_until)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

fn place(column: &str, connection_id: &str) -> String {
    format!("connection_token.{column}/{connection_id}")
}

fn seal(key: &Key, column: &str, connection_id: &str, plain: &[u8]) -> Result<Vec<u8>, StoreError> {
    if plain.is_empty() { Ok(Vec::new()) } else { key.seal(&place(column, connection_id), plain) }
}

fn open(key: &Key, column: &str, con: &str, blob: &[u8]) -> Result<Zeroizing<Vec<u8>>, StoreError> {
    if blob.is_empty() { Ok(Zeroizing::default()) } else { key.open(&place(column, con), blob) }
}

/// Stores new tokens in the place of all before, and ends the lease.
///
/// # Errors
/// The database's.
pub async fn put(
    tx: &mut Tx<'_>,
    data_key: &Key,
    workspace_id: &str,
    connection_id: &str,
    t: &Tokens,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO connection_token (workspace_id, connection_id, access, access_until, refresh, refresh_before, \
         granted_at, version, lease_until, refused) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9) \
         ON CONFLICT (workspace_id, connection_id) DO UPDATE SET access = excluded.access, \
         access_until = excluded.access_until, refresh = excluded.refresh, refresh_before = excluded.refresh_before, \
         granted_at = excluded.granted_at, version = excluded.version, lease_until = 0, refused = excluded.refused";
    let access = seal(data_key, "access", connection_id, &t.access)?;
    let refresh = seal(data_key, "refresh", connection_id, &t.refresh)?;
    let before = seal(data_key, "refresh_before", connection_id, &t.refresh_before)?;
    let params = [
        P::T(workspace_id),
        P::T(connection_id),
        P::B(&access),
        P::I(t.access_until),
        P::B(&refresh),
        P::B(&before),
        P::I(t.granted_at),
        P::I(t.version),
        P::T(&t.refused),
    ];
    tx.exec(sql, &params).await?;
    Ok(())
}

/// The tokens of a connection.
///
/// # Errors
/// [`StoreError::Secret`] if one cannot be opened.
pub async fn find(
    tx: &mut Tx<'_>,
    data_key: &Key,
    workspace_id: &str,
    connection_id: &str,
) -> Result<Option<Tokens>, StoreError> {
    let sql = "SELECT access, access_until, refresh, refresh_before, granted_at, version, lease_until, refused \
         FROM connection_token WHERE workspace_id = $1 AND connection_id = $2";
    let Some(row) = tx.opt(sql, &[P::T(workspace_id), P::T(connection_id)]).await? else { return Ok(None) };
    Ok(Some(Tokens {
        access: open(data_key, "access", connection_id, &row.bytes(0)?)?,
        access_until: row.int(1)?,
        refresh: open(data_key, "refresh", connection_id, &row.bytes(2)?)?,
        refresh_before: open(data_key, "refresh_before", connection_id, &row.bytes(3)?)?,
        granted_at: row.int(4)?,
        version: row.int(5)?,
        lease_until: row.int(6)?,
        refused: row.text(7)?,
    }))
}

/// Takes the lease on the tokens of a version. `false`: another node renews them, or has done so.
///
/// # Errors
/// The database's.
pub async fn lease(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
    version: i64,
    now: i64,
    until: i64,
) -> Result<bool, StoreError> {
    let sql = "UPDATE connection_token SET lease_until = $5 WHERE workspace_id = $1 AND connection_id = $2 \
         AND version = $3 AND lease_until <= $4 AND refused = ''";
    let (ws, con) = (P::T(workspace_id), P::T(connection_id));
    Ok(tx.exec(sql, &[ws, con, P::I(version), P::I(now), P::I(until)]).await? > 0)
}

/// Ends a lease without new tokens: `refused` says that there will be none, or is empty to try again later.
///
/// # Errors
/// The database's.
pub async fn release(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
    version: i64,
    until: i64,
    refused: &str,
) -> Result<(), StoreError> {
    let sql = "UPDATE connection_token SET lease_until = $4, refused = $5 \
         WHERE workspace_id = $1 AND connection_id = $2 AND version = $3";
    let (ws, con) = (P::T(workspace_id), P::T(connection_id));
    tx.exec(sql, &[ws, con, P::I(version), P::I(until), P::T(refused)]).await?;
    Ok(())
}

/// The newest tokens have worked: the refresh token before them is not needed any more.
///
/// # Errors
/// The database's.
pub async fn worked(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
    version: i64,
) -> Result<(), StoreError> {
    let sql = "UPDATE connection_token SET refresh_before = $4 \
         WHERE workspace_id = $1 AND connection_id = $2 AND version = $3";
    tx.exec(sql, &[P::T(workspace_id), P::T(connection_id), P::I(version), P::B(&[])]).await?;
    Ok(())
}

/// The token counts as over from now on: Stripe refused it before its time.
///
/// # Errors
/// The database's.
pub async fn expire(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
    version: i64,
) -> Result<(), StoreError> {
    let sql = "UPDATE connection_token SET access_until = 0 \
         WHERE workspace_id = $1 AND connection_id = $2 AND version = $3";
    tx.exec(sql, &[P::T(workspace_id), P::T(connection_id), P::I(version)]).await?;
    Ok(())
}

/// Forgets the tokens of a connection.
///
/// # Errors
/// The database's.
pub async fn remove(tx: &mut Tx<'_>, workspace_id: &str, connection_id: &str) -> Result<(), StoreError> {
    let sql = "DELETE FROM connection_token WHERE workspace_id = $1 AND connection_id = $2";
    tx.exec(sql, &[P::T(workspace_id), P::T(connection_id)]).await?;
    Ok(())
}
