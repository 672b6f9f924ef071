//! Where and how the client connects.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use url::{Host, Url};

/// Stripe's own API.
pub const STRIPE_API: &str = "https://api.stripe.com";
/// The API version of all our requests, and of the endpoints that we make.
pub const STRIPE_VERSION: &str = "2026-05-27.dahlia";

/// How a client connects.
#[derive(Clone)]
pub struct Config {
    /// The API's address; only a loopback address may be http.
    pub api_base: String,
    /// A connected account (`acct_…`) on whose behalf to ask, for OAuth.
    pub stripe_account: Option<String>,
    /// Time to connect.
    pub connect_timeout: Duration,
    /// Time for one attempt, its answer included.
    pub attempt_timeout: Duration,
    /// Time for one call: waiting, all attempts and pauses.
    pub deadline: Duration,
    /// How often a call is repeated at most.
    pub retries: u32,
    /// Randomness for the pauses: a number from 0 to 1000 each time.
    pub jitter: Arc<dyn Fn() -> u32 + Send + Sync>,
}

impl Config {
    /// The usual limits: 5 s to connect, 20 s an attempt, 45 s a call, 3 repetitions, a fixed jitter.
    #[must_use]
    pub fn new(api_base: impl Into<String>) -> Self {
        Self {
            api_base: api_base.into(),
            stripe_account: None,
            connect_timeout: Duration::from_secs(5),
            attempt_timeout: Duration::from_secs(20),
            deadline: Duration::from_secs(45),
            retries: 3,
            jitter: Arc::new(|| 500),
        }
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("api_base", &self.api_base)
            .field("deadline", &self.deadline)
            .field("retries", &self.retries)
            .finish_non_exhaustive()
    }
}

/// Why a client cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// Not a usable URL.
    #[error("The Stripe API base {base:?} is not a usable URL: {reason}.")]
    Base {
        /// What was given.
        base: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The HTTP client could not be set up.
    #[error("The HTTP client could not be set up: {0}")]
    Http(String),
}

/// Checks the API base: https, or http on a loopback address; no user, query or fragment.
pub(super) fn check_base(base: &str) -> Result<Url, ConfigError> {
    let refuse = |reason| ConfigError::Base { base: base.to_owned(), reason };
    let url = Url::parse(base.trim()).map_err(|_| refuse("it cannot be parsed"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(ConfigError::Base {
            base: url.host_str().unwrap_or_default().to_owned(),
            reason: "it must not carry a user or password",
        });
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(refuse("it must not have a query or fragment"));
    }
    match url.scheme() {
        "https" if url.host().is_some() => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        "http" => Err(refuse("only a loopback address may be http")),
        _ => Err(refuse("it must begin with https://")),
    }
}

/// Is the host this machine itself?
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(ip)) => IpAddr::V4(ip).is_loopback(),
        Some(Host::Ipv6(ip)) => IpAddr::V6(ip).is_loopback(),
        None => false,
    }
}

/// The HTTP client: TLS by rustls with ring and the built-in trust anchors, no redirects, no proxy.
pub(super) fn http_client(config: &Config) -> Result<reqwest::Client, ConfigError> {
    let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| ConfigError::Http(e.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .connect_timeout(config.connect_timeout)
        .pool_max_idle_per_host(super::limiter::IN_FLIGHT)
        .user_agent(concat!("tributary/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|e| ConfigError::Http(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_and_loopback_http_are_taken() {
        for good in [
            STRIPE_API,
            "http://127.0.0.1:8420",
            "http://[::1]:9",
            "http://localhost:1",
            "https://x.example/p",
        ] {
            assert!(check_base(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "api.stripe.com",
            "http://api.stripe.com",
            "http://10.0.0.1",
            "http://127.0.0.1.evil.example",
            "ftp://127.0.0.1",
            "https://user:pass@api.stripe.com",
            "https://api.stripe.com?x=1",
            "file:///etc/passwd",
        ] {
            assert!(check_base(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_password_in_the_base_is_not_repeated() {
        let error = check_base("https://user:hush@api.stripe.com").unwrap_err();
        assert!(!error.to_string().contains("hush"));
    }
}
