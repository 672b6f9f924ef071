//! What a connection is let in with, whatever it is: a key, a token that is still good, or the platform's key.

use super::flow::{self, Flow};
use super::tokens;
use super::{ConnectFailure, client_as};
use crate::state::App;
use sha2::{Digest, Sha256};
use tributary_store::connections::{self, Connection, api_key_place};
use tributary_store::{StoreError, Tx};
use tributary_stripe::client::{ApiError, ApiKey, Mode, StripeClient};
use tributary_stripe::connect::ConnectError;

/// Why there is no client for a connection.
#[derive(Debug, thiserror::Error)]
pub enum NoClient {
    /// The database, or a secret that cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It will not get better by itself.
    #[error("{0}")]
    Refused(String),
    /// It may get better by itself.
    #[error("Stripe cannot be reached: {0}")]
    Unavailable(String),
}

impl From<NoClient> for ConnectFailure {
    fn from(error: NoClient) -> Self {
        match error {
            NoClient::Store(error) => Self::Store(error),
            NoClient::Refused(words) => Self::Refused(words),
            NoClient::Unavailable(reason) => {
                Self::Stripe(ConnectError::Api(ApiError::Unavailable { reason }))
            }
        }
    }
}

/// A key, and for whom it asks.
#[derive(Debug, Clone)]
pub struct Way {
    /// The key or token.
    pub key: ApiKey,
    /// The connected account (`acct_…`) that a platform's key asks for.
    pub account: Option<String>,
    /// Which tokens it is of, for an App; else 0.
    pub version: i64,
}

impl Way {
    /// A client at a base.
    ///
    /// # Errors
    /// For a base that cannot be used.
    pub fn client(&self, base: &str) -> Result<StripeClient, NoClient> {
        client_as(base, self.key.clone(), self.account.as_deref())
            .map_err(|error| NoClient::Refused(error.to_string()))
    }

    /// Tells whether two ways are the same without keeping either.
    #[must_use]
    pub fn tag(&self, base: &str) -> [u8; 32] {
        let mut hash = Sha256::new();
        for part in [self.key.expose(), self.account.as_deref().unwrap_or(""), base] {
            hash.update(part.as_bytes());
            hash.update([0]);
        }
        hash.finalize().into()
    }
}

/// The mode of a connection.
#[must_use]
pub fn mode_of(connection: &Connection) -> Mode {
    if connection.mode == "live" { Mode::Live } else { Mode::Test }
}

/// How a connection is let in by OAuth; `None` for one by its own key.
#[must_use]
pub fn flow_of(connection: &Connection) -> Option<Flow> {
    Flow::parse(&connection.auth)
}

/// What a connection is let in with right now. Renews a token that is about to end.
///
/// # Errors
/// A [`NoClient`].
pub async fn way_of(app: &App, connection: &Connection) -> Result<Way, NoClient> {
    match flow_of(connection) {
        None => Ok(Way { key: own_key(app, connection).await?, account: None, version: 0 }),
        Some(Flow::App) => tokens::fresh(app, connection).await,
        Some(Flow::Connect) => {
            let key = platform_key(app, connection).await?;
            Ok(Way { key, account: Some(connection.account_id.clone()), version: 0 })
        }
    }
}

/// A client for the place where a connection's webhook endpoint lies: the account, or the platform.
///
/// # Errors
/// A [`NoClient`].
pub async fn endpoint_client(app: &App, connection: &Connection) -> Result<StripeClient, NoClient> {
    let way = match flow_of(connection) {
        Some(Flow::Connect) => Way { key: platform_key(app, connection).await?, account: None, version: 0 },
        _ => way_of(app, connection).await?,
    };
    way.client(&connection.api_base)
}

async fn own_key(app: &App, connection: &Connection) -> Result<ApiKey, NoClient> {
    let data_key = app.data_key(&connection.workspace_id).await?;
    let place = api_key_place(&connection.connection_id);
    let opened = data_key.open(&place, &connection.api_key)?;
    let text = std::str::from_utf8(&opened)
        .map_err(|_| StoreError::Inconsistent(format!("{place} is not a text")))?;
    ApiKey::parse(text).map_err(|error| NoClient::Refused(error.to_string()))
}

async fn platform_key(app: &App, connection: &Connection) -> Result<ApiKey, NoClient> {
    let mode = mode_of(connection);
    let platform = flow::platform(app, &connection.workspace_id, Flow::Connect, mode).await?;
    platform.map(|platform| platform.secret).ok_or_else(|| not_configured(Flow::Connect, mode))
}

/// Said where an App or a platform is needed that nobody entered.
pub(super) fn not_configured(flow: Flow, mode: Mode) -> NoClient {
    NoClient::Refused(format!(
        "The {} for {mode} mode is not entered any more. Enter it again under Settings, Stripe.",
        flow.words()
    ))
}

/// The account withdrew its authorisation at `at` (ms UTC): the connection is broken from then on, unless it was
/// authorised again since.
///
/// # Errors
/// The database's.
pub(crate) async fn withdrawn(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
    at: i64,
    now: i64,
) -> Result<(), StoreError> {
    let Some(before) = connections::find(tx, workspace_id, connection_id).await? else { return Ok(()) };
    // Stripe tells whole seconds: one of the same second as the authorisation is not older than it.
    let since = before.checked_at.unwrap_or(before.created_at);
    if before.status == "disconnected" || at.saturating_add(999) < since && before.status == "connected" {
        return Ok(());
    }
    let reason = "The account withdrew its authorisation in Stripe. Authorise it again under Integration, Stripe; what \
                  was received is kept.";
    if before.status == "broken" && before.status_reason == reason {
        return Ok(());
    }
    connections::set_status(tx, workspace_id, connection_id, "broken", reason, now).await?;
    crate::jobs::alerts::of_status(tx, &before, "broken", reason, now).await
}
