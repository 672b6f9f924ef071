//! Authorisations under way. A state is good once, for ten minutes, for the session that began it.

use crate::{P, StoreError, Tx};

/// An authorisation that was begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OauthState {
    /// The workspace.
    pub workspace_id: String,
    /// SHA-256 of the state, hex.
    pub state_hash: String,
    /// The session that began it.
    pub session_hash: String,
    /// The program to feed.
    pub program_id: String,
    /// `app` or `connect`.
    pub flow: String,
    /// `test` or `live`.
    pub mode: String,
    /// The one connection that may be renewed, if it is meant for one.
    pub connection_id: Option<String>,
    /// ms UTC.
    pub expires_at: i64,
    /// When it came back, ms UTC.
    pub used_at: Option<i64>,
}

/// Begins an authorisation, and forgets those that are long over.
///
/// # Errors
/// The database's.
pub async fn insert(tx: &mut Tx<'_>, s: &OauthState, now: i64) -> Result<(), StoreError> {
    let over = "DELETE FROM oauth_state WHERE workspace_id = $1 AND expires_at < $2";
    let yesterday = now.saturating_sub(86_400_000);
    tx.exec(over, &[P::T(&s.workspace_id), P::I(yesterday)]).await?;
    let sql = "INSERT INTO oauth_state (workspace_id, state_hash, session_hash, program_id, flow, mode, connection_id, \
         expires_at, used_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, NULL)";
    let params = [
        P::T(&s.workspace_id),
        P::T(&s.state_hash),
        P::T(&s.session_hash),
        P::T(&s.program_id),
        P::T(&s.flow),
        P::T(&s.mode),
        P::opt_t(s.connection_id.as_deref()),
        P::I(s.expires_at),
    ];
    tx.exec(sql, &params).await?;
    Ok(())
}

/// Takes a state: it is used from now on, whatever comes of it. Gives it as it was before.
///
/// # Errors
/// The database's.
pub async fn take(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    state_hash: &str,
    now: i64,
) -> Result<Option<OauthState>, StoreError> {
    let sql = "SELECT workspace_id, state_hash, session_hash, program_id, flow, mode, connection_id, expires_at, used_at \
         FROM oauth_state WHERE workspace_id = $1 AND state_hash = $2";
    let Some(row) = tx.opt(sql, &[P::T(workspace_id), P::T(state_hash)]).await? else { return Ok(None) };
    let mut state = OauthState {
        workspace_id: row.text(0)?,
        state_hash: row.text(1)?,
        session_hash: row.text(2)?,
        program_id: row.text(3)?,
        flow: row.text(4)?,
        mode: row.text(5)?,
        connection_id: row.opt_text(6)?,
        expires_at: row.int(7)?,
        used_at: row.opt_int(8)?,
    };
    let sql =
        "UPDATE oauth_state SET used_at = $3 WHERE workspace_id = $1 AND state_hash = $2 AND used_at IS NULL";
    let taken = tx.exec(sql, &[P::T(workspace_id), P::T(state_hash), P::I(now)]).await?;
    if taken == 0 && state.used_at.is_none() {
        // Another request took it between the two statements.
        state.used_at = Some(now);
    }
    Ok(Some(state))
}
