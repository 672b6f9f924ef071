//! Sessions: only the hash of the token is kept.

use crate::{P, StoreError, Tx, workspaces};

/// A session with who it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The workspace.
    pub workspace_id: String,
    /// The workspace's name.
    pub workspace_name: String,
    /// The user.
    pub user_id: String,
    /// The user's e-mail.
    pub email: String,
    /// `owner`, `admin` or `analyst`.
    pub role: String,
    /// What every form sends back.
    pub form_token: String,
    /// When it was last seen, ms UTC.
    pub seen_at: i64,
    /// When it ends whatever happens, ms UTC.
    pub expires_at: i64,
}

/// A session to be kept.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// The workspace.
    pub workspace_id: String,
    /// SHA-256 of the token, hex.
    pub session_hash: String,
    /// The user.
    pub user_id: String,
    /// What every form sends back.
    pub form_token: String,
    /// ms UTC.
    pub now: i64,
    /// ms UTC.
    pub expires_at: i64,
    /// The browser's name for itself, at most 200 letters.
    pub user_agent: String,
}

/// Keeps a session, and forgets those of the user that have ended.
///
/// # Errors
/// The database's.
pub async fn insert(tx: &mut Tx<'_>, s: &NewSession) -> Result<(), StoreError> {
    let sql = "SELECT session_hash FROM user_session WHERE workspace_id = $1 AND user_id = $2 AND expires_at < $3 LIMIT 100";
    let ended = tx.rows(sql, &[P::T(&s.workspace_id), P::T(&s.user_id), P::I(s.now)]).await?;
    for row in ended {
        delete(tx, &s.workspace_id, &row.text(0)?).await?;
    }
    let sql = "INSERT INTO user_session (workspace_id, session_hash, user_id, form_token, created_at, seen_at, \
         expires_at, user_agent) VALUES ($1, $2, $3, $4, $5, $5, $6, $7)";
    let params = [
        P::T(&s.workspace_id),
        P::T(&s.session_hash),
        P::T(&s.user_id),
        P::T(&s.form_token),
        P::I(s.now),
        P::I(s.expires_at),
        P::T(&s.user_agent),
    ];
    tx.exec(sql, &params).await?;
    workspaces::insert_route(tx, "session", &s.session_hash, &s.workspace_id, None).await
}

/// The session with a hash, whether or not its time is over.
///
/// # Errors
/// The database's.
pub async fn find(tx: &mut Tx<'_>, session_hash: &str) -> Result<Option<Session>, StoreError> {
    let Some(route) = workspaces::find_route(tx, "session", session_hash).await? else { return Ok(None) };
    let sql = "SELECT w.name, u.user_id, u.email, u.role, s.form_token, s.seen_at, s.expires_at FROM user_session s \
         JOIN user_account u ON u.workspace_id = s.workspace_id AND u.user_id = s.user_id \
         JOIN workspace w ON w.workspace_id = s.workspace_id \
         WHERE s.workspace_id = $1 AND s.session_hash = $2";
    let row = tx.opt(sql, &[P::T(&route.workspace_id), P::T(session_hash)]).await?;
    row.map(|row| {
        Ok(Session {
            workspace_id: route.workspace_id.clone(),
            workspace_name: row.text(0)?,
            user_id: row.text(1)?,
            email: row.text(2)?,
            role: row.text(3)?,
            form_token: row.text(4)?,
            seen_at: row.int(5)?,
            expires_at: row.int(6)?,
        })
    })
    .transpose()
}

/// Notes that a session was used.
///
/// # Errors
/// The database's.
pub async fn touch(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    session_hash: &str,
    now: i64,
) -> Result<(), StoreError> {
    let sql =
        "UPDATE user_session SET seen_at = $3 WHERE workspace_id = $1 AND session_hash = $2 AND seen_at < $3";
    tx.exec(sql, &[P::T(workspace_id), P::T(session_hash), P::I(now)]).await?;
    Ok(())
}

/// Ends a session.
///
/// # Errors
/// The database's.
pub async fn delete(tx: &mut Tx<'_>, workspace_id: &str, session_hash: &str) -> Result<(), StoreError> {
    let sql = "DELETE FROM user_session WHERE workspace_id = $1 AND session_hash = $2";
    tx.exec(sql, &[P::T(workspace_id), P::T(session_hash)]).await?;
    workspaces::delete_route(tx, "session", session_hash).await
}
