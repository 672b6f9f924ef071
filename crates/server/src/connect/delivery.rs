//! How a connection's events arrive: by an endpoint that we make, by one made by hand, or by polling.

use secrecy::SecretString;
use tributary_store::connections::Connection;
use tributary_store::vault::random;
use tributary_stripe::client::{ApiError, STRIPE_VERSION, StripeClient};
use tributary_stripe::endpoint::{EndpointOutcome, EndpointSpec, ensure};
use tributary_stripe::events;
use url::Url;

/// What is wanted.
pub(super) struct Wish {
    /// Where events should go.
    pub(super) url: String,
    /// The secret of an endpoint made by hand.
    pub(super) secret: Option<SecretString>,
    /// Make no endpoint.
    pub(super) poll: bool,
    /// May the key read events?
    pub(super) may_poll: bool,
}

/// What was arranged.
pub(super) struct Delivery {
    /// Our endpoint, if there is one.
    pub(super) endpoint_id: Option<String>,
    /// Where events go, or would.
    pub(super) url: String,
    /// A new signing secret to be stored.
    pub(super) secret: Option<SecretString>,
    /// Is the secret the one of an endpoint that was made just now?
    pub(super) made: bool,
    /// Are events polled?
    pub(super) polling: bool,
    /// Remarks.
    pub(super) warnings: Vec<String>,
}

/// The address to which Stripe sends a program's events.
#[must_use]
pub fn webhook_url(public_url: &Url, program_public_id: &str) -> String {
    let base = public_url.as_str().trim_end_matches('/');
    format!("{base}/v1/integrations/stripe/{program_public_id}/webhook")
}

/// Sees to it that events arrive.
///
/// # Errors
/// An [`ApiError`] after which nothing is certain; refusals that a person can act on are warnings.
pub(super) async fn arrange(
    client: &StripeClient,
    connection: &Connection,
    wish: &Wish,
) -> Result<Delivery, ApiError> {
    let kept = connection.endpoint_id.clone();
    if let Some(secret) = &wish.secret {
        return Ok(given(kept, &wish.url, secret.clone()));
    }
    if wish.poll {
        return Ok(polled(kept, wish, Vec::new()));
    }
    // Fresh each time: Stripe would answer a repeated text with an endpoint that may be gone by now.
    let attempt = hex::encode(random::<8>().map_err(|e| ApiError::Unavailable { reason: e.to_string() })?);
    let spec = EndpointSpec {
        url: &wish.url,
        connection_id: &connection.connection_id,
        description: "Tributary: sales, refunds and customers",
        stored: connection.endpoint_id.as_deref(),
        attempt: &attempt,
        connect: connection.auth == "connect",
    };
    Ok(match ensure(client, &spec).await {
        Ok(EndpointOutcome::Created { id, secret, replaced }) => created(wish, id, secret, &replaced),
        Ok(EndpointOutcome::Found { id, note, .. }) => found(wish, id, note),
        Ok(EndpointOutcome::LimitReached { message } | EndpointOutcome::NoPermission { message }) => {
            polled(None, wish, vec![message, by_hand(&wish.url)])
        }
        Ok(EndpointOutcome::NotPublic { message }) => polled(None, wish, vec![message]),
        Err(error @ ApiError::NoSuchCall { .. }) => {
            polled(None, wish, vec![error.to_string(), by_hand(&wish.url)])
        }
        Err(error) => return Err(error),
    })
}

fn given(kept: Option<String>, url: &str, secret: SecretString) -> Delivery {
    let mut warnings = Vec::new();
    if !secrecy::ExposeSecret::expose_secret(&secret).starts_with("whsec_") {
        warnings.push("The signing secret does not begin with whsec_; it was taken as it is.".to_owned());
    }
    Delivery {
        endpoint_id: kept,
        url: url.to_owned(),
        secret: Some(secret),
        made: false,
        polling: false,
        warnings,
    }
}

fn created(wish: &Wish, id: String, secret: SecretString, replaced: &[String]) -> Delivery {
    let mut warnings = Vec::new();
    if !replaced.is_empty() {
        warnings.push(format!(
            "An earlier endpoint at this address ({}) was replaced by one whose signing secret is known here.",
            replaced.join(", ")
        ));
    }
    Delivery {
        endpoint_id: Some(id),
        url: wish.url.clone(),
        secret: Some(secret),
        made: true,
        polling: false,
        warnings,
    }
}

fn found(wish: &Wish, id: String, note: Option<String>) -> Delivery {
    let warnings = note.into_iter().collect();
    Delivery {
        endpoint_id: Some(id),
        url: wish.url.clone(),
        secret: None,
        made: false,
        polling: false,
        warnings,
    }
}

fn polled(kept: Option<String>, wish: &Wish, mut warnings: Vec<String>) -> Delivery {
    warnings.push(if wish.may_poll {
        "There is no webhook endpoint; events are polled every few seconds instead.".to_owned()
    } else {
        "There is no webhook endpoint, and the key may not read events: nothing arrives until one of both is mended."
            .to_owned()
    });
    Delivery { endpoint_id: kept, url: wish.url.clone(), secret: None, made: false, polling: true, warnings }
}

/// How a person makes the endpoint.
fn by_hand(url: &str) -> String {
    format!(
        "By hand: in Stripe, add a webhook endpoint with the URL {url}, the API version {STRIPE_VERSION} and the events {}. \
         Then connect again with --webhook-secret-stdin and give the endpoint's signing secret.",
        events::subscribed().join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_webhook_url_has_one_slash() {
        for base in ["https://t.example.com", "https://t.example.com/"] {
            let url = webhook_url(&Url::parse(base).unwrap(), "ABCD2345");
            assert_eq!(url, "https://t.example.com/v1/integrations/stripe/ABCD2345/webhook");
        }
        let below = webhook_url(&Url::parse("https://example.com/tributary/").unwrap(), "A");
        assert_eq!(below, "https://example.com/tributary/v1/integrations/stripe/A/webhook");
    }
}
