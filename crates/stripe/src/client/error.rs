//! What can go wrong with a call to Stripe, in words for a person.

use serde::Deserialize;

/// A failed call. The texts hold no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ApiError {
    /// 401: the key is wrong or revoked.
    #[error(
        "Stripe does not accept the API key: {message} Make a new restricted key in the Stripe dashboard and connect again."
    )]
    Unauthorised {
        /// Stripe's words.
        message: String,
    },
    /// 403, or a refusal that names a permission.
    #[error("The API key lacks a permission{}: {message}", permission.as_ref().map(|p| format!(" ({p})")).unwrap_or_default())]
    Forbidden {
        /// The permission's name, where Stripe names it.
        permission: Option<String>,
        /// Stripe's words.
        message: String,
    },
    /// 404: Stripe knows no such object.
    #[error("Stripe knows no such object: {message}")]
    NotFound {
        /// Stripe's words.
        message: String,
    },
    /// 404 of the address itself: this API base does not offer the call.
    #[error("This Stripe API does not offer {path}.")]
    NoSuchCall {
        /// The path asked for.
        path: String,
    },
    /// Another 4xx.
    #[error("Stripe refuses the request ({status}): {message}")]
    Invalid {
        /// The HTTP status.
        status: u16,
        /// Stripe's code, if any.
        code: Option<String>,
        /// The parameter at fault, if named.
        param: Option<String>,
        /// Stripe's words.
        message: String,
    },
    /// 429, after what repetitions Stripe allows.
    #[error("Stripe asks for fewer requests{}.", retry_after_s.map(|s| format!("; try again in {s} s")).unwrap_or_default())]
    RateLimited {
        /// Seconds to wait, if Stripe says so.
        retry_after_s: Option<u64>,
    },
    /// 5xx, no connection, or the deadline of a reading call.
    #[error("Stripe cannot be reached: {reason}")]
    Unavailable {
        /// What happened.
        reason: String,
    },
    /// A writing call was sent, and no answer came. It may have been done: read back before doing it again.
    #[error("Stripe did not answer; whether it did what was asked is unknown: {reason}")]
    UnknownOutcome {
        /// What happened.
        reason: String,
    },
    /// Not JSON, such as a proxy's page, or a redirect.
    #[error("The answer ({status}) is not JSON; is {host} really Stripe's API?")]
    NotJson {
        /// The HTTP status.
        status: u16,
        /// The host asked.
        host: String,
    },
    /// JSON of a shape that this call cannot have.
    #[error("The answer of {path} has an unexpected shape: {reason}")]
    Unexpected {
        /// The path asked for.
        path: String,
        /// What is odd; quotes nothing of the answer.
        reason: String,
    },
    /// The answer is larger than the limit.
    #[error("The answer is larger than {} MiB.", super::MAX_BODY / 1024 / 1024)]
    TooLarge,
    /// A list that never ends, or the same page again.
    #[error("The list {path} does not come to an end (page {page}): {reason}")]
    EndlessList {
        /// The path asked for.
        path: String,
        /// The page at which it was given up, from 1.
        page: usize,
        /// What was seen.
        reason: &'static str,
    },
    /// An id that cannot be Stripe's.
    #[error("{id:?} cannot be the id of a Stripe object.")]
    BadId {
        /// What was given, cut at 40 letters.
        id: String,
    },
}

/// Stripe's error body.
#[derive(Debug, Default, Deserialize)]
struct Wire {
    #[serde(default)]
    error: WireError,
}

#[derive(Debug, Default, Deserialize)]
struct WireError {
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    param: Option<String>,
    #[serde(default)]
    message: Option<String>,
}

/// What a refusal (any status but 2xx) means.
pub(super) fn of_refusal(
    status: u16,
    path: &str,
    host: &str,
    body: &[u8],
    retry_after_s: Option<u64>,
) -> ApiError {
    let wire = serde_json::from_slice::<Wire>(body).ok().or_else(|| of_oauth(body));
    let is_stripes = wire.is_some();
    let WireError { code, param, message } = wire.unwrap_or_default().error;
    let message = message.as_deref().map(scrub).unwrap_or_else(|| format!("status {status}"));
    let names_permission = status == 403 || (status < 500 && message.contains("permission"));
    match status {
        429 => ApiError::RateLimited { retry_after_s },
        500.. => ApiError::Unavailable { reason: message },
        401 if !names_permission => ApiError::Unauthorised { message },
        _ if names_permission && is_stripes => {
            ApiError::Forbidden { permission: permission_in(&message), message }
        }
        404 if !is_stripes || message.starts_with("Unrecognized request URL") => {
            ApiError::NoSuchCall { path: path.to_owned() }
        }
        404 => ApiError::NotFound { message },
        _ if !is_stripes => ApiError::NotJson { status, host: host.to_owned() },
        _ => ApiError::Invalid { status, code, param, message },
    }
}

/// What OAuth's endpoints answer: `{"error": "invalid_grant", "error_description": "…"}`.
fn of_oauth(body: &[u8]) -> Option<Wire> {
    #[derive(Deserialize)]
    struct Flat {
        error: String,
        #[serde(default)]
        error_description: Option<String>,
    }
    let flat = serde_json::from_slice::<Flat>(body).ok()?;
    Some(Wire { error: WireError { code: Some(flat.error), param: None, message: flat.error_description } })
}

/// The permission that a message names, as Stripe spells them: `rak_charge_read` → `charge_read`.
fn permission_in(message: &str) -> Option<String> {
    let words = message.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let named = words.filter(|word| word.ends_with("_read") || word.ends_with("_write"));
    named.map(|word| word.trim_start_matches("rak_").to_owned()).next()
}

/// Takes anything out that looks like a key, and bounds the length.
fn scrub(message: &str) -> String {
    let secret = |word: &str| {
        let bare = word.trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
        ["sk_", "rk_", "pk_", "whsec_"].iter().any(|prefix| bare.starts_with(prefix))
    };
    let words = message.split_whitespace().map(|word| if secret(word) { "[key]" } else { word });
    let mut text = words.collect::<Vec<_>>().join(" ");
    if text.len() > 500 {
        let end = (0..=500).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(end);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_permission_is_named_and_the_key_is_not() {
        let body = br#"{"error":{"type":"invalid_request_error","message":"The provided key 'rk_test_****abcd' does not have the required permissions for this endpoint. Having the 'rak_charge_read' permission would allow this request to continue."}}"#;
        let error = of_refusal(403, "/v1/charges", "h", body, None);
        let ApiError::Forbidden { permission, message } = &error else { panic!("{error:?}") };
        assert_eq!(permission.as_deref(), Some("charge_read"));
        assert!(!message.contains("abcd") && !error.to_string().contains("rk_test"));
    }

    #[test]
    fn a_404_of_an_address_is_not_a_404_of_an_object() {
        let missing = br#"{"error":{"code":"resource_missing","message":"No such charge: 'ch_1'"}}"#;
        assert!(matches!(of_refusal(404, "/v1/charges/ch_1", "h", missing, None), ApiError::NotFound { .. }));
        let unrecognised = br#"{"error":{"message":"Unrecognized request URL (GET: /v1/x)."}}"#;
        assert!(matches!(of_refusal(404, "/v1/x", "h", unrecognised, None), ApiError::NoSuchCall { .. }));
        assert!(matches!(
            of_refusal(404, "/v1/x", "h", b"404: Not Found", None),
            ApiError::NoSuchCall { .. }
        ));
    }
}
