//! Plain requests beside Stripe's API: to the sandbox on this machine, and to our own public address.

use super::config::{Config, ConfigError, http_client, is_loopback};
use std::time::Duration;
use tokio::time::timeout;
use url::Url;

/// More of an answer is not read, bytes.
const MOST: usize = 4 << 20;

/// An answer as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlainError {
    /// The client cannot be made.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Nobody answers there.
    #[error("{host} does not answer: {reason}.")]
    Unavailable {
        /// Whom was asked.
        host: String,
        /// In a few words.
        reason: &'static str,
    },
    /// The answer is larger than [`MOST`].
    #[error("{host} answers with more than 4 MiB.")]
    TooLarge {
        /// Whom was asked.
        host: String,
    },
}

/// Is it an address of this machine? Only there can a sandbox be.
#[must_use]
pub fn on_this_machine(base: &str) -> bool {
    Url::parse(base).is_ok_and(|url| is_loopback(&url))
}

/// `GET url`, or `POST` of a JSON body with further headers, within the limit.
///
/// # Errors
/// A [`PlainError`] if there is no answer; every status is an answer.
pub async fn ask(
    url: &Url,
    body: Option<Vec<u8>>,
    headers: &[(&'static str, &str)],
    limit: Duration,
) -> Result<Answer, PlainError> {
    let host = url.host_str().unwrap_or_default().to_owned();
    let gone = |reason| PlainError::Unavailable { host: host.clone(), reason };
    let http = http_client(&Config::new(url.as_str()))?;
    let mut request = match body {
        None => http.get(url.clone()),
        Some(body) => http.post(url.clone()).header("content-type", "application/json").body(body),
    };
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let work = async {
        let mut answer = request.send().await.map_err(|error| {
            gone(if error.is_connect() { "no connection could be made" } else { "the connection broke" })
        })?;
        let status = answer.status().as_u16();
        let mut body = Vec::new();
        while let Some(piece) = answer.chunk().await.map_err(|_| gone("its answer broke off"))? {
            if body.len() + piece.len() > MOST {
                return Err(PlainError::TooLarge { host: host.clone() });
            }
            body.extend_from_slice(&piece);
        }
        Ok(Answer { status, body })
    };
    timeout(limit, work).await.unwrap_or_else(|_| Err(gone("it took too long")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_can_hold_a_sandbox() {
        assert!(on_this_machine("http://127.0.0.1:8788"));
        assert!(on_this_machine("http://localhost:8788"));
        assert!(!on_this_machine("https://api.stripe.com"));
        assert!(!on_this_machine("no address"));
    }

    #[tokio::test]
    async fn nobody_at_home_is_said() {
        let url = Url::parse("http://127.0.0.1:9/x").unwrap();
        let error = ask(&url, None, &[], Duration::from_secs(2)).await.unwrap_err();
        assert!(error.to_string().starts_with("127.0.0.1 does not answer"), "{error}");
    }
}
