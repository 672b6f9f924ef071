//! Webhook endpoints at Stripe.

use super::calls::{checked_id, pair, parse};
use super::list::items_of;
use super::send::{Call, Params};
use super::{ApiError, STRIPE_VERSION, StripeClient};
use reqwest::Method;
use secrecy::SecretString;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The metadata key that marks our endpoints; its value is the connection's id.
pub const MARK: &str = "tributary_connection";

/// A webhook endpoint. Its secret is there only in the answer to its creation.
#[derive(Debug, Clone)]
pub struct WebhookEndpoint {
    /// `we_…`
    pub id: String,
    /// Where events go.
    pub url: String,
    /// `enabled`, `disabled`.
    pub status: String,
    /// The types that are sent.
    pub enabled_events: Vec<String>,
    /// The version that objects are written in; `None` = the account's.
    pub api_version: Option<String>,
    /// Live or test mode, if said.
    pub livemode: Option<bool>,
    /// Marks.
    pub metadata: BTreeMap<String, String>,
    /// The signing secret, at creation only.
    pub secret: Option<SecretString>,
}

#[derive(Deserialize)]
struct Wire {
    id: String,
    #[serde(default)]
    url: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    enabled_events: Vec<String>,
    #[serde(default)]
    api_version: Option<String>,
    #[serde(default)]
    livemode: Option<bool>,
    #[serde(default)]
    metadata: Option<BTreeMap<String, String>>,
    #[serde(default)]
    secret: Option<String>,
}

impl From<Wire> for WebhookEndpoint {
    fn from(wire: Wire) -> Self {
        Self {
            id: wire.id,
            url: wire.url,
            status: wire.status,
            enabled_events: wire.enabled_events,
            api_version: wire.api_version,
            livemode: wire.livemode,
            metadata: wire.metadata.unwrap_or_default(),
            secret: wire.secret.filter(|secret| !secret.is_empty()).map(SecretString::from),
        }
    }
}

/// An endpoint to be made.
#[derive(Debug, Clone, Copy)]
pub struct NewEndpoint<'n> {
    /// Where events go.
    pub url: &'n str,
    /// The types to send.
    pub enabled_events: &'n [&'n str],
    /// The connection's id, its mark.
    pub connection_id: &'n str,
    /// What the merchant reads in Stripe's dashboard.
    pub description: &'n str,
    /// The same for each repetition of one wish, never for two wishes; at most 255 bytes.
    pub idempotency_key: &'n str,
    /// For events of connected accounts, at a platform.
    pub connect: bool,
}

impl StripeClient {
    /// All webhook endpoints of the account.
    ///
    /// # Errors
    /// An [`ApiError`].
    pub async fn webhook_endpoints(&self) -> Result<Vec<WebhookEndpoint>, ApiError> {
        let path = "/v1/webhook_endpoints";
        let mut all = Vec::new();
        for body in self.pages(path, Params::new()).await? {
            let reply = super::Reply::of_part(body);
            for item in items_of(path, &reply)?.0 {
                let item = super::Reply::of_part(item);
                all.push(parse::<Wire>(path, &item)?.into());
            }
        }
        Ok(all)
    }

    /// Makes an endpoint with our API version and mark. The answer holds the secret.
    ///
    /// # Errors
    /// An [`ApiError`]; after [`ApiError::UnknownOutcome`] list the endpoints before making another.
    pub async fn create_webhook_endpoint(&self, new: &NewEndpoint<'_>) -> Result<WebhookEndpoint, ApiError> {
        let mut params = vec![
            pair("url", new.url),
            pair("api_version", STRIPE_VERSION),
            pair("description", new.description),
            pair(&format!("metadata[{MARK}]"), new.connection_id),
        ];
        if new.connect {
            params.push(pair("connect", "true"));
        }
        params.extend(events(new.enabled_events));
        self.post("/v1/webhook_endpoints", params, new.idempotency_key).await
    }

    /// Gives an endpoint our address and types again, and switches it on.
    ///
    /// # Errors
    /// An [`ApiError`].
    pub async fn update_webhook_endpoint(
        &self,
        id: &str,
        url: &str,
        enabled_events: &[&str],
        idempotency_key: &str,
    ) -> Result<WebhookEndpoint, ApiError> {
        let mut params = vec![pair("url", url), pair("disabled", "false")];
        params.extend(events(enabled_events));
        let path = format!("/v1/webhook_endpoints/{}", checked_id(id)?);
        self.post(&path, params, idempotency_key).await
    }

    /// Deletes an endpoint; one that is gone already is no error.
    ///
    /// # Errors
    /// An [`ApiError`].
    pub async fn delete_webhook_endpoint(&self, id: &str) -> Result<(), ApiError> {
        let path = format!("/v1/webhook_endpoints/{}", checked_id(id)?);
        let call = Call {
            method: Method::DELETE,
            path: &path,
            params: Params::new(),
            idempotency_key: None,
            basic: false,
        };
        match self.call(&call).await {
            Ok(_) | Err(ApiError::NotFound { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn post(&self, path: &str, params: Params, key: &str) -> Result<WebhookEndpoint, ApiError> {
        let call = Call { method: Method::POST, path, params, idempotency_key: Some(key), basic: false };
        Ok(parse::<Wire>(path, &self.call(&call).await?)?.into())
    }
}

fn events(types: &[&str]) -> impl Iterator<Item = (String, String)> {
    types.iter().enumerate().map(|(at, name)| (format!("enabled_events[{at}]"), (*name).to_owned()))
}
