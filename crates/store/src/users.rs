//! Users as their own pages show and change them, and their sessions.

use crate::pages::sessions;
use crate::{P, StoreError, Tx, workspaces};

/// A person who logs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// `usr_…`
    pub user_id: String,
    /// Lower case.
    pub email: String,
    /// Name, or empty.
    pub name: String,
}

/// One user.
///
/// # Errors
/// The database's.
pub async fn find(tx: &mut Tx<'_>, workspace_id: &str, user_id: &str) -> Result<Option<User>, StoreError> {
    let sql = "SELECT user_id, email, name FROM user_account WHERE workspace_id = $1 AND user_id = $2";
    let row = tx.opt(sql, &[P::T(workspace_id), P::T(user_id)]).await?;
    row.map(|row| Ok(User { user_id: row.text(0)?, email: row.text(1)?, name: row.text(2)? })).transpose()
}

/// Changes name and e-mail; the log-in follows the e-mail (lower case).
///
/// # Errors
/// [`StoreError::Conflict`] if the e-mail is another user's, [`StoreError::NotFound`] for no such user.
pub async fn rename(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    user_id: &str,
    name: &str,
    email: &str,
) -> Result<(), StoreError> {
    let missing = || StoreError::NotFound(format!("user {user_id}"));
    let before = find(tx, workspace_id, user_id).await?.ok_or_else(missing)?;
    if before.email != email {
        if workspaces::find_route(tx, "login", email).await?.is_some() {
            return Err(StoreError::Conflict("the e-mail address is taken".into()));
        }
        workspaces::delete_route(tx, "login", &before.email).await?;
        workspaces::insert_route(tx, "login", email, workspace_id, None).await?;
    }
    let sql = "UPDATE user_account SET name = $3, email = $4 WHERE workspace_id = $1 AND user_id = $2";
    tx.exec(sql, &[P::T(workspace_id), P::T(user_id), P::T(name), P::T(email)]).await?;
    Ok(())
}

/// Replaces the password's hash.
///
/// # Errors
/// The database's.
pub async fn set_password(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    user_id: &str,
    password_hash: &str,
) -> Result<(), StoreError> {
    let sql = "UPDATE user_account SET password_hash = $3 WHERE workspace_id = $1 AND user_id = $2";
    tx.exec(sql, &[P::T(workspace_id), P::T(user_id), P::T(password_hash)]).await?;
    Ok(())
}

/// A session as its user sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionLine {
    /// SHA-256 of its token, hex.
    pub session_hash: String,
    /// The browser's name for itself.
    pub user_agent: String,
    /// ms UTC.
    pub created_at: i64,
    /// ms UTC.
    pub seen_at: i64,
    /// ms UTC.
    pub expires_at: i64,
}

/// The sessions of a user, the last used first. At most 200.
///
/// # Errors
/// The database's.
pub async fn list_sessions(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    user_id: &str,
) -> Result<Vec<SessionLine>, StoreError> {
    let sql = "SELECT session_hash, user_agent, created_at, seen_at, expires_at FROM user_session \
         WHERE workspace_id = $1 AND user_id = $2 ORDER BY seen_at DESC, session_hash LIMIT 200";
    let rows = tx.rows(sql, &[P::T(workspace_id), P::T(user_id)]).await?;
    rows.iter()
        .map(|row| {
            Ok(SessionLine {
                session_hash: row.text(0)?,
                user_agent: row.text(1)?,
                created_at: row.int(2)?,
                seen_at: row.int(3)?,
                expires_at: row.int(4)?,
            })
        })
        .collect()
}

/// Ends every session of a user but one. Returns how many ended.
///
/// # Errors
/// The database's.
pub async fn end_others(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    user_id: &str,
    keep: &str,
) -> Result<usize, StoreError> {
    let mut ended = 0;
    loop {
        let all = list_sessions(tx, workspace_id, user_id).await?;
        let others: Vec<_> = all.iter().filter(|one| one.session_hash != keep).collect();
        if others.is_empty() {
            return Ok(ended);
        }
        for one in others {
            sessions::delete(tx, workspace_id, &one.session_hash).await?;
            ended += 1;
        }
    }
}
