//! The operator's own Stripe App or Connect platform: one row a flow and mode.

use crate::{P, Row, StoreError, Tx};

/// An App or a platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OauthClient {
    /// The workspace.
    pub workspace_id: String,
    /// `app` or `connect`.
    pub flow: String,
    /// `test` or `live`.
    pub mode: String,
    /// `ca_…`
    pub client_id: String,
    /// The developer's secret key, sealed.
    pub secret: Vec<u8>,
    /// The key's kind and last letters.
    pub secret_hint: String,
}

/// Where the secret of an App or a platform lies, for the vault.
#[must_use]
pub fn secret_place(flow: &str, mode: &str) -> String {
    format!("oauth_client.secret/{flow}/{mode}")
}

fn client(row: &Row) -> Result<OauthClient, StoreError> {
    Ok(OauthClient {
        workspace_id: row.text(0)?,
        flow: row.text(1)?,
        mode: row.text(2)?,
        client_id: row.text(3)?,
        secret: row.bytes(4)?,
        secret_hint: row.text(5)?,
    })
}

/// Stores an App or a platform in the place of the one before.
///
/// # Errors
/// The database's.
pub async fn put(tx: &mut Tx<'_>, c: &OauthClient, now: i64) -> Result<(), StoreError> {
    let sql = "INSERT INTO oauth_client (workspace_id, flow, mode, client_id, secret, secret_hint, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (workspace_id, flow, mode) DO UPDATE SET \
         client_id = excluded.client_id, secret = excluded.secret, secret_hint = excluded.secret_hint, \
         updated_at = excluded.updated_at";
    let params = [
        P::T(&c.workspace_id),
        P::T(&c.flow),
        P::T(&c.mode),
        P::T(&c.client_id),
        P::B(&c.secret),
        P::T(&c.secret_hint),
        P::I(now),
    ];
    tx.exec(sql, &params).await?;
    Ok(())
}

/// Forgets an App or a platform. `false` if there was none.
///
/// # Errors
/// The database's.
pub async fn remove(tx: &mut Tx<'_>, workspace_id: &str, flow: &str, mode: &str) -> Result<bool, StoreError> {
    let sql = "DELETE FROM oauth_client WHERE workspace_id = $1 AND flow = $2 AND mode = $3";
    Ok(tx.exec(sql, &[P::T(workspace_id), P::T(flow), P::T(mode)]).await? > 0)
}

/// One App or platform.
///
/// # Errors
/// The database's.
pub async fn find(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    flow: &str,
    mode: &str,
) -> Result<Option<OauthClient>, StoreError> {
    let sql = "SELECT workspace_id, flow, mode, client_id, secret, secret_hint FROM oauth_client \
         WHERE workspace_id = $1 AND flow = $2 AND mode = $3";
    let row = tx.opt(sql, &[P::T(workspace_id), P::T(flow), P::T(mode)]).await?;
    row.map(|row| client(&row)).transpose()
}

/// All of a workspace: at most four.
///
/// # Errors
/// The database's.
pub async fn list(tx: &mut Tx<'_>, workspace_id: &str) -> Result<Vec<OauthClient>, StoreError> {
    let sql = "SELECT workspace_id, flow, mode, client_id, secret, secret_hint FROM oauth_client \
         WHERE workspace_id = $1 ORDER BY flow, mode LIMIT 4";
    tx.rows(sql, &[P::T(workspace_id)]).await?.iter().map(client).collect()
}
