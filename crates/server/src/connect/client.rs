//! Clients for connections.

use super::ConnectFailure;
use crate::state::App;
use std::sync::Arc;
use tributary_store::connections::Connection;
use tributary_store::vault::random;
use tributary_stripe::client::{ApiKey, Config, ConfigError, StripeClient};

fn config(api_base: &str) -> Config {
    let mut config = Config::new(api_base);
    config.jitter =
        Arc::new(|| random::<2>().map_or(500, |bytes| u32::from(u16::from_le_bytes(bytes)) % 1001));
    config
}

/// A client for a key at an API base, with real randomness between repetitions; a platform's key asks for the
/// connected account that is named.
///
/// # Errors
/// A [`ConfigError`] for a base that cannot be used.
pub fn client_as(api_base: &str, key: ApiKey, account: Option<&str>) -> Result<StripeClient, ConfigError> {
    let mut config = config(api_base);
    config.stripe_account = account.map(str::to_owned);
    StripeClient::new(config, key)
}

/// A client that repeats nothing: for what is good once.
pub(super) fn once(api_base: &str, key: ApiKey) -> Result<StripeClient, ConfigError> {
    let mut config = config(api_base);
    config.retries = 0;
    StripeClient::new(config, key)
}

/// A client for a stored connection, however it is let in.
///
/// # Errors
/// A [`ConnectFailure`] if there is no usable key, token or base.
pub async fn client_of(app: &App, connection: &Connection) -> Result<StripeClient, ConnectFailure> {
    // The pipeline's own: all calls for a connection share its pace.
    Ok((*app.clients.of(app, connection).await?).clone())
}
