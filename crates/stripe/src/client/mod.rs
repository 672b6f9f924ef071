//! The Stripe client: about fifteen calls, each with a deadline, bounded in every direction.
//!
//! One client serves one connection. It follows no redirects, uses no system proxy, sends at most 20 requests
//! a second and 4 at a time, reads at most 8 MiB of an answer, and repeats only what may be repeated. What somebody
//! waits for goes before what runs beside.

mod calls;
mod config;
mod error;
mod key;
mod limiter;
mod list;
mod listed;
mod oauth;
pub mod plain;
mod post;
mod probes;
mod reply;
mod retry;
mod send;
mod webhooks;

pub use calls::{Account, Balance, Fetched};
pub use config::{Config, ConfigError, STRIPE_API, STRIPE_VERSION};
pub use error::ApiError;
pub use key::{ApiKey, KeyError, KeyInfo, KeyKind, Mode};
pub use limiter::Lane;
pub use list::{EventWalk, EventsPage, EventsQuery, MAX_PAGES, RawEvent};
pub use listed::{ListPage, ListQuery};
pub use oauth::{Deauthorized, Grant, Granted};
pub use post::post_json;
pub use probes::{Probe, Tell, Wanted, probe_needed, probe_permissions, wanted_permissions};
pub use reply::{MAX_BODY, Reply};
pub use webhooks::{MARK, NewEndpoint, WebhookEndpoint};

pub(crate) use list::items_of;

use limiter::Limiter;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;

/// A client for one connection. Cloning is cheap and shares the limits.
#[derive(Clone)]
pub struct StripeClient(Arc<Inner>, Lane);

struct Inner {
    http: reqwest::Client,
    config: Config,
    base: url::Url,
    key: ApiKey,
    limiter: Limiter,
    /// Unix seconds of the last `Date` header; 0 before the first answer.
    server_time_s: AtomicI64,
}

impl StripeClient {
    /// Makes a client for a key and an API base.
    ///
    /// # Errors
    /// A [`ConfigError`] if the base is no https URL (http is for loopback addresses only), or TLS cannot be
    /// set up.
    pub fn new(config: Config, key: ApiKey) -> Result<Self, ConfigError> {
        let base = config::check_base(&config.api_base)?;
        let http = config::http_client(&config)?;
        let inner =
            Inner { http, config, base, key, limiter: Limiter::default(), server_time_s: AtomicI64::new(0) };
        Ok(Self(Arc::new(inner), Lane::Waited))
    }

    /// The same client with the same limits, for work that nobody waits for: others go first.
    #[must_use]
    pub fn beside(&self) -> Self {
        Self(Arc::clone(&self.0), Lane::Beside)
    }

    /// What the key says about itself.
    #[must_use]
    pub fn key_info(&self) -> KeyInfo {
        self.0.key.info()
    }

    /// The connected account (`acct_…`) for which a platform's key asks, if it does.
    #[must_use]
    pub fn acts_for(&self) -> Option<&str> {
        self.0.config.stripe_account.as_deref()
    }

    /// Is the API base a loopback address (a sandbox or another double)?
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        config::is_loopback(&self.0.base)
    }

    /// Stripe's clock by its last answer, in Unix seconds.
    #[must_use]
    pub fn server_time_s(&self) -> Option<i64> {
        let time = self.0.server_time_s.load(std::sync::atomic::Ordering::Relaxed);
        (time > 0).then_some(time)
    }
}

impl std::fmt::Debug for StripeClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StripeClient").field("base", &self.0.base.as_str()).finish_non_exhaustive()
    }
}
