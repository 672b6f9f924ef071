//! One webhook endpoint for each connection: found again, never made twice.

use crate::client::{ApiError, Mode, NewEndpoint, STRIPE_VERSION, StripeClient, WebhookEndpoint};
use crate::events;
use secrecy::SecretString;
use url::{Host, Url};

/// The metadata key that marks our endpoints.
pub use crate::client::MARK;

/// The endpoint that a connection should have.
#[derive(Debug, Clone, Copy)]
pub struct EndpointSpec<'s> {
    /// Our webhook address, as Stripe shall call it.
    pub url: &'s str,
    /// The connection's id: the endpoint's mark.
    pub connection_id: &'s str,
    /// What the merchant reads in Stripe's dashboard.
    pub description: &'s str,
    /// The endpoint whose signing secret the caller has stored (`we_…`), if any.
    pub stored: Option<&'s str>,
    /// A text of this attempt alone, stored by the caller before the call: the same when it is repeated after a
    /// crash, another one when a new endpoint is wanted. Stripe replays its answer to the same text for a day.
    pub attempt: &'s str,
    /// Is it a platform's endpoint for the events of connected accounts (Connect)?
    pub connect: bool,
}

/// How it ended.
#[derive(Debug)]
pub enum EndpointOutcome {
    /// A new endpoint; its secret is told only here.
    Created {
        /// `we_…`
        id: String,
        /// The signing secret.
        secret: SecretString,
        /// Endpoints of ours that were deleted first, because nobody had their secret.
        replaced: Vec<String>,
    },
    /// The endpoint of the stored secret is there.
    Found {
        /// `we_…`
        id: String,
        /// Was it changed (address, types, switched on)?
        updated: bool,
        /// A remark, e.g. on its API version.
        note: Option<String>,
    },
    /// The account has as many endpoints as Stripe allows.
    LimitReached {
        /// What to do.
        message: String,
    },
    /// The key may not make endpoints.
    NoPermission {
        /// What to do.
        message: String,
    },
    /// Stripe cannot reach the address.
    NotPublic {
        /// What to do.
        message: String,
    },
}

/// Makes sure that the connection has its one endpoint.
///
/// Ours is found by its mark, else by its address. With the secret stored it is kept, and changed where address
/// or types differ. A secret is told only at creation: an endpoint whose secret nobody has is deleted and made anew.
///
/// # Errors
/// An [`ApiError`] that is neither of the outcomes. After [`ApiError::UnknownOutcome`] call again.
pub async fn ensure(client: &StripeClient, spec: &EndpointSpec<'_>) -> Result<EndpointOutcome, ApiError> {
    if !client.is_loopback()
        && let Some(message) = not_public(spec.url, client.key_info().mode)
    {
        return Ok(EndpointOutcome::NotPublic { message });
    }
    match ensure_listed(client, spec).await {
        Ok(outcome) => Ok(outcome),
        Err(error) => outcome_of(error, spec),
    }
}

async fn ensure_listed(client: &StripeClient, spec: &EndpointSpec<'_>) -> Result<EndpointOutcome, ApiError> {
    let all = client.webhook_endpoints().await?;
    let (kept, orphans) = sort_out(&all, spec);
    for orphan in &orphans {
        client.delete_webhook_endpoint(orphan).await?;
    }
    match kept {
        Some(endpoint) => keep(client, spec, endpoint).await,
        None => create(client, spec, orphans).await,
    }
}

/// The endpoint to keep, and ours that nobody has the secret of.
fn sort_out<'e>(
    all: &'e [WebhookEndpoint],
    spec: &EndpointSpec<'_>,
) -> (Option<&'e WebhookEndpoint>, Vec<String>) {
    let ours = |endpoint: &&WebhookEndpoint| {
        endpoint.metadata.get(MARK).map_or(endpoint.url == spec.url, |mark| mark == spec.connection_id)
    };
    let kept = all.iter().filter(ours).find(|endpoint| spec.stored == Some(endpoint.id.as_str()));
    let orphans = all.iter().filter(ours).filter(|endpoint| spec.stored != Some(endpoint.id.as_str()));
    (kept, orphans.map(|endpoint| endpoint.id.clone()).collect())
}

/// The types to ask for. Only a platform hears that an account withdrew its authorisation.
fn wanted(spec: &EndpointSpec<'_>) -> Vec<&'static str> {
    let mut types = events::subscribed();
    if spec.connect {
        types.push(events::DEAUTHORIZED);
    }
    types
}

/// Makes a second endpoint beside the one in use, so that its secret is known before the first one goes.
///
/// # Errors
/// An [`ApiError`]. After [`ApiError::UnknownOutcome`] look for an endpoint with the connection's mark.
pub async fn second(client: &StripeClient, spec: &EndpointSpec<'_>) -> Result<EndpointOutcome, ApiError> {
    match create(client, spec, Vec::new()).await {
        Ok(outcome) => Ok(outcome),
        Err(error) => outcome_of(error, spec),
    }
}

async fn keep(
    client: &StripeClient,
    spec: &EndpointSpec<'_>,
    endpoint: &WebhookEndpoint,
) -> Result<EndpointOutcome, ApiError> {
    let wanted = wanted(spec);
    let all_types =
        wanted.iter().all(|name| endpoint.enabled_events.iter().any(|have| have == name || have == "*"));
    let fits = endpoint.url == spec.url && endpoint.status != "disabled" && all_types;
    if !fits {
        let key = format!("tributary-update-{}-{}", spec.connection_id, spec.attempt);
        client.update_webhook_endpoint(&endpoint.id, spec.url, &wanted, &key).await?;
    }
    let version = endpoint.api_version.as_deref();
    let note = version.filter(|version| *version != STRIPE_VERSION).map(|version| {
        format!("The endpoint sends objects of API version {version}; Tributary reads them, and asks for {STRIPE_VERSION} when it makes an endpoint.")
    });
    Ok(EndpointOutcome::Found { id: endpoint.id.clone(), updated: !fits, note })
}

async fn create(
    client: &StripeClient,
    spec: &EndpointSpec<'_>,
    replaced: Vec<String>,
) -> Result<EndpointOutcome, ApiError> {
    let new = NewEndpoint {
        url: spec.url,
        enabled_events: &wanted(spec),
        connection_id: spec.connection_id,
        description: spec.description,
        idempotency_key: &format!("tributary-endpoint-{}-{}", spec.connection_id, spec.attempt),
        connect: spec.connect,
    };
    let made = client.create_webhook_endpoint(&new).await?;
    let Some(secret) = made.secret else {
        return Err(ApiError::Unexpected {
            path: "/v1/webhook_endpoints".to_owned(),
            reason: "the new endpoint came without its secret".to_owned(),
        });
    };
    Ok(EndpointOutcome::Created { id: made.id, secret, replaced })
}

/// Refusals that a person can do something about are outcomes.
fn outcome_of(error: ApiError, spec: &EndpointSpec<'_>) -> Result<EndpointOutcome, ApiError> {
    match error {
        ApiError::Forbidden { message, .. } => Ok(EndpointOutcome::NoPermission {
            message: format!(
                "The key may not manage webhook endpoints (webhook_read, webhook_write): {message} Make an endpoint for {} by hand and give its signing secret.",
                spec.url
            ),
        }),
        ApiError::Invalid { param: Some(param), message, .. } if param == "url" => {
            Ok(EndpointOutcome::NotPublic {
                message: format!("Stripe does not take {}: {message}", spec.url),
            })
        }
        ApiError::Invalid { message, .. } if names_a_limit(&message) => Ok(EndpointOutcome::LimitReached {
            message: format!(
                "The account has as many webhook endpoints as Stripe allows. Delete one that is no longer used, or give the signing secret of one that points to {}. Stripe says: {message}",
                spec.url
            ),
        }),
        error => Err(error),
    }
}

/// The refusal has no code of its own, only words.
fn names_a_limit(message: &str) -> bool {
    let message = message.to_lowercase();
    message.contains("maximum") || message.contains("limit") || message.contains("too many")
}

/// Why Stripe cannot call an address, if it is plain to see.
fn not_public(url: &str, mode: Mode) -> Option<String> {
    let Ok(parsed) = Url::parse(url) else { return Some(format!("{url:?} is not a URL.")) };
    let hint = "Set TRIBUTARY_PUBLIC_URL to the address under which the internet reaches this server, or make an endpoint by hand and give its signing secret.";
    if mode.is_live() && parsed.scheme() != "https" {
        return Some(format!("In live mode Stripe calls https addresses only, and {url} is not one. {hint}"));
    }
    let private = match parsed.host() {
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            !name.contains('.')
                || name.ends_with(".local")
                || name.ends_with(".localhost")
                || name.ends_with(".internal")
        }
        Some(Host::Ipv4(ip)) => {
            ip.is_loopback() || ip.is_private() || ip.is_link_local() || ip.is_unspecified()
        }
        Some(Host::Ipv6(ip)) => ip.is_loopback() || ip.is_unspecified() || ip.is_unique_local(),
        None => true,
    };
    private.then(|| format!("Stripe cannot reach {url} from the internet. {hint}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_addresses_are_told_before_stripe_is_asked() {
        for url in [
            "https://localhost/x",
            "https://127.0.0.1/x",
            "https://10.1.2.3/",
            "https://[::1]/",
            "https://box/",
            "nonsense",
        ] {
            assert!(not_public(url, Mode::Test).is_some(), "{url}");
        }
        assert!(not_public("https://shop.example.com/x", Mode::Live).is_none());
        assert!(not_public("http://shop.example.com/x", Mode::Live).is_some());
        assert!(not_public("http://shop.example.com/x", Mode::Test).is_none());
    }
}
