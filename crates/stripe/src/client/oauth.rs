//! Authorisation by OAuth: a code for a token, a new token for an old one, and taking leave.
//!
//! A code and a refresh token are good once, so no call here is repeated by itself: make the client with
//! `retries` 0, and decide above what a lost answer means.

use super::calls::{pair, parse};
use super::send::{Call, Params};
use super::{ApiError, StripeClient};
use reqwest::Method;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

/// What is given for a token.
#[derive(Debug)]
pub enum Grant<'g> {
    /// The code that came back from the page where the account agreed.
    Code(&'g SecretString),
    /// The refresh token of the last answer.
    Refresh(&'g SecretString),
}

/// What was granted.
#[derive(Debug, Clone)]
pub struct Granted {
    /// The token to ask with.
    pub access_token: SecretString,
    /// What brings the next one, if the flow has such.
    pub refresh_token: Option<SecretString>,
    /// `acct_…`, where the answer says it.
    pub account_id: Option<String>,
    /// Live or test mode, where the answer says it.
    pub livemode: Option<bool>,
    /// How long the token is good, seconds, where the answer says it.
    pub expires_in_s: Option<i64>,
    /// What may be done, in Stripe's word (`stripe_apps`, `read_write`, …).
    pub scope: String,
}

#[derive(Deserialize)]
struct Wire {
    access_token: String,
    #[serde(default)]
    refresh_token: Option<String>,
    #[serde(default)]
    stripe_user_id: Option<String>,
    #[serde(default)]
    livemode: Option<bool>,
    #[serde(default)]
    expires_in: Option<i64>,
    #[serde(default)]
    scope: Option<String>,
}

/// How taking leave ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deauthorized {
    /// The account is not connected to the platform any more.
    Done,
    /// It was not connected.
    NotConnected,
}

impl StripeClient {
    /// Exchanges a code or a refresh token at `path` (`/v1/oauth/token`, `/oauth/token`).
    ///
    /// # Errors
    /// An [`ApiError`]. [`ApiError::Invalid`] with the code `invalid_grant` means that the code or token is used up,
    /// over or foreign; after [`ApiError::UnknownOutcome`] nobody knows whether it is used up.
    pub async fn oauth_token(&self, path: &str, grant: &Grant<'_>) -> Result<Granted, ApiError> {
        let params: Params = match grant {
            Grant::Code(code) => {
                vec![pair("grant_type", "authorization_code"), pair("code", code.expose_secret())]
            }
            Grant::Refresh(token) => {
                vec![pair("grant_type", "refresh_token"), pair("refresh_token", token.expose_secret())]
            }
        };
        let call = Call { method: Method::POST, path, params, idempotency_key: None, basic: true };
        let wire = parse::<Wire>(path, &self.call(&call).await?)?;
        if wire.access_token.is_empty() {
            return Err(ApiError::Unexpected {
                path: path.to_owned(),
                reason: "the access token is empty".to_owned(),
            });
        }
        Ok(Granted {
            access_token: SecretString::from(wire.access_token),
            refresh_token: wire.refresh_token.filter(|token| !token.is_empty()).map(SecretString::from),
            account_id: wire.stripe_user_id,
            livemode: wire.livemode,
            expires_in_s: wire.expires_in,
            scope: wire.scope.unwrap_or_default(),
        })
    }

    /// Ends a platform's access to an account (Connect).
    ///
    /// # Errors
    /// An [`ApiError`]; after [`ApiError::UnknownOutcome`] call again.
    pub async fn oauth_deauthorize(
        &self,
        client_id: &str,
        account_id: &str,
    ) -> Result<Deauthorized, ApiError> {
        let path = "/oauth/deauthorize";
        let params = vec![pair("client_id", client_id), pair("stripe_user_id", account_id)];
        let call = Call { method: Method::POST, path, params, idempotency_key: None, basic: true };
        match self.call(&call).await {
            Ok(_) => Ok(Deauthorized::Done),
            Err(ApiError::Invalid { code: Some(code), .. }) if code == "invalid_client" => {
                Ok(Deauthorized::NotConnected)
            }
            Err(error) => Err(error),
        }
    }
}
