//! Clients for connections.

use super::ConnectFailure;
use crate::state::App;
use std::sync::Arc;
use tributary_store::connections::Connection;
use tributary_store::vault::random;
use tributary_stripe::client::{ApiKey, Config, ConfigError, StripeClient};

/// A client for a key at an API base, with real randomness between repetitions.
///
/// # Errors
/// A [`ConfigError`] for a base that cannot be used.
pub fn client(api_base: &str, key: ApiKey) -> Result<StripeClient, ConfigError> {
    let mut config = Config::new(api_base);
    config.jitter =
        Arc::new(|| random::<2>().map_or(500, |bytes| u32::from(u16::from_le_bytes(bytes)) % 1001));
    StripeClient::new(config, key)
}

/// A client for a stored connection.
///
/// # Errors
/// A [`ConnectFailure`] if the key cannot be opened, or the row holds no usable key or base.
pub async fn client_of(app: &App, connection: &Connection) -> Result<StripeClient, ConnectFailure> {
    let data_key = app.data_key(&connection.workspace_id).await?;
    // The pipeline's own: all calls for a connection share its pace.
    Ok((*app.clients.of(&data_key, connection)?).clone())
}
