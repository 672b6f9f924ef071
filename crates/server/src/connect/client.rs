//! Clients for connections.

use super::ConnectFailure;
use crate::state::App;
use std::sync::Arc;
use tributary_store::StoreError;
use tributary_store::connections::{Connection, api_key_place};
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
/// [`StoreError::Secret`] if the key cannot be opened; a [`ConnectFailure`] if the row holds no usable key or base.
pub async fn client_of(app: &App, connection: &Connection) -> Result<StripeClient, ConnectFailure> {
    let data_key = app.data_key(&connection.workspace_id).await?;
    let place = api_key_place(&connection.connection_id);
    let opened = data_key.open(&place, &connection.api_key)?;
    let text = std::str::from_utf8(&opened)
        .map_err(|_| StoreError::Inconsistent(format!("{place} is not a text")))?;
    Ok(client(&connection.api_base, ApiKey::parse(text)?)?)
}
