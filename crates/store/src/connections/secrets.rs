//! Signing secrets of connections: several may be good at once, so that one can follow another without a gap.

use super::secret_place;
use crate::vault::Key;
use crate::{P, StoreError, Tx};
use zeroize::Zeroizing;

/// A secret to be kept.
#[derive(Debug, Clone, Copy)]
pub struct NewSecret<'s> {
    /// The workspace.
    pub workspace_id: &'s str,
    /// The connection.
    pub connection_id: &'s str,
    /// `whs_…`
    pub secret_id: &'s str,
    /// Our endpoint (`we_…`) that signs with it; `None` for one that was pasted.
    pub endpoint_id: Option<&'s str>,
    /// When it ends, ms UTC; `None` = it does not.
    pub expires_at: Option<i64>,
    /// ms UTC.
    pub now: i64,
}

/// Adds a signing secret, sealed under the workspace's data key. Those before it stay good. It signs for a platform's endpoint
/// where the connection is let in by its platform now, and goes on to do so.
///
/// # Errors
/// The database's.
pub async fn add(
    tx: &mut Tx<'_>,
    data_key: &Key,
    new: &NewSecret<'_>,
    secret: &str,
) -> Result<(), StoreError> {
    let sealed = data_key.seal(&secret_place(new.connection_id, new.secret_id), secret.as_bytes())?;
    let sql = "INSERT INTO connection_secret (workspace_id, connection_id, secret_id, secret, created_at, expires_at, \
         endpoint_id, platform) VALUES ($1, $2, $3, $4, $5, $6, $7, EXISTS (SELECT 1 FROM connection \
         WHERE workspace_id = $1 AND connection_id = $2 AND auth = 'connect'))";
    let params = [
        P::T(new.workspace_id),
        P::T(new.connection_id),
        P::T(new.secret_id),
        P::B(&sealed),
        P::I(new.now),
        P::opt_i(new.expires_at),
        P::opt_t(new.endpoint_id),
    ];
    tx.exec(sql, &params).await?;
    Ok(())
}

/// A signing secret that may have signed a webhook for a program.
pub struct Candidate {
    /// The connection whose secret it is.
    pub connection_id: String,
    /// `test` or `live`.
    pub mode: String,
    /// `acct_…` or `unknown_…`.
    pub account_id: String,
    /// Does it sign for a platform's endpoint, which tells of all its accounts?
    pub platform: bool,
    /// `whs_…`
    pub secret_id: String,
    /// When it last verified an event, ms UTC.
    pub verified_at: Option<i64>,
    /// The secret, opened.
    pub secret: Zeroizing<Vec<u8>>,
}

/// The signing secrets of all connections attached to a program: live and test, current and previous. At most
/// 64.
///
/// # Errors
/// [`StoreError::Secret`] if one cannot be opened.
pub async fn candidates(
    tx: &mut Tx<'_>,
    data_key: &Key,
    workspace_id: &str,
    program_id: &str,
    now: i64,
) -> Result<Vec<Candidate>, StoreError> {
    let sql = "SELECT c.connection_id, c.mode, c.account_id, s.platform, s.secret_id, s.verified_at, s.secret \
         FROM connection_program cp \
         JOIN connection c ON c.workspace_id = cp.workspace_id AND c.connection_id = cp.connection_id \
         JOIN connection_secret s ON s.workspace_id = c.workspace_id AND s.connection_id = c.connection_id \
         WHERE cp.workspace_id = $1 AND cp.program_id = $2 AND c.status <> 'disconnected' \
         AND (s.expires_at IS NULL OR s.expires_at > $3) ORDER BY s.created_at DESC, s.secret_id LIMIT 64";
    let rows = tx.rows(sql, &[P::T(workspace_id), P::T(program_id), P::I(now)]).await?;
    rows.iter()
        .map(|row| {
            let (connection_id, secret_id) = (row.text(0)?, row.text(4)?);
            let secret = data_key.open(&secret_place(&connection_id, &secret_id), &row.bytes(6)?)?;
            Ok(Candidate {
                mode: row.text(1)?,
                account_id: row.text(2)?,
                platform: row.flag(3)?,
                verified_at: row.opt_int(5)?,
                connection_id,
                secret_id,
                secret,
            })
        })
        .collect()
}

/// A secret as pages speak of it: never the secret itself.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct SecretLine {
    /// `whs_…`
    pub secret_id: String,
    /// Our endpoint that signs with it; `None` for one that was pasted.
    pub endpoint_id: Option<String>,
    /// ms UTC.
    pub created_at: i64,
    /// When it ends, ms UTC.
    pub expires_at: Option<i64>,
    /// When it last verified an event, ms UTC.
    pub verified_at: Option<i64>,
}

/// The secrets of a connection that are good at `now`, the newest first. At most 64.
///
/// # Errors
/// The database's.
pub async fn list(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
    now: i64,
) -> Result<Vec<SecretLine>, StoreError> {
    let sql = "SELECT secret_id, endpoint_id, created_at, expires_at, verified_at FROM connection_secret \
         WHERE workspace_id = $1 AND connection_id = $2 AND (expires_at IS NULL OR expires_at > $3) \
         ORDER BY created_at DESC, secret_id LIMIT 64";
    let rows = tx.rows(sql, &[P::T(workspace_id), P::T(connection_id), P::I(now)]).await?;
    rows.iter()
        .map(|row| {
            Ok(SecretLine {
                secret_id: row.text(0)?,
                endpoint_id: row.opt_text(1)?,
                created_at: row.int(2)?,
                expires_at: row.opt_int(3)?,
                verified_at: row.opt_int(4)?,
            })
        })
        .collect()
}

/// A secret verified an event.
///
/// # Errors
/// The database's.
pub async fn verified(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
    secret_id: &str,
    now: i64,
) -> Result<(), StoreError> {
    let sql = "UPDATE connection_secret SET verified_at = $4 WHERE workspace_id = $1 AND connection_id = $2 \
         AND secret_id = $3 AND (verified_at IS NULL OR verified_at < $4)";
    let (ws, con) = (P::T(workspace_id), P::T(connection_id));
    tx.exec(sql, &[ws, con, P::T(secret_id), P::I(now)]).await?;
    Ok(())
}

/// A secret ends at a time, or earlier if it does already. `false` if there is no such secret.
///
/// # Errors
/// The database's.
pub async fn end(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
    secret_id: &str,
    at: i64,
) -> Result<bool, StoreError> {
    let sql = "UPDATE connection_secret SET expires_at = $4 WHERE workspace_id = $1 AND connection_id = $2 \
         AND secret_id = $3 AND (expires_at IS NULL OR expires_at > $4)";
    let (ws, con) = (P::T(workspace_id), P::T(connection_id));
    Ok(tx.exec(sql, &[ws, con, P::T(secret_id), P::I(at)]).await? > 0)
}

/// Writes down of which endpoint a secret is, where that was not known.
///
/// # Errors
/// The database's.
pub async fn name(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
    secret_id: &str,
    endpoint_id: &str,
) -> Result<(), StoreError> {
    let sql = "UPDATE connection_secret SET endpoint_id = $4 WHERE workspace_id = $1 AND connection_id = $2 \
         AND secret_id = $3 AND endpoint_id IS NULL";
    let (ws, con) = (P::T(workspace_id), P::T(connection_id));
    tx.exec(sql, &[ws, con, P::T(secret_id), P::T(endpoint_id)]).await?;
    Ok(())
}
