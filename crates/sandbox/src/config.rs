//! What a caller decides before the sandbox starts.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

/// Objects of one kind that a world holds; further ones are refused.
pub const MAX_OBJECTS: usize = 200_000;
/// Deliveries that wait; further ones are counted as dropped.
pub const MAX_DELIVERIES: usize = 400_000;
/// Worlds (account and mode) that one sandbox holds.
pub const MAX_WORLDS: usize = 32;
/// Webhook endpoints of an account and mode, as with Stripe.
pub const MAX_ENDPOINTS: usize = 16;
/// Stored answers for `Idempotency-Key`; the oldest go first.
pub const MAX_IDEMPOTENT: usize = 20_000;
/// Violations kept in full; further ones are only counted.
pub const MAX_VIOLATIONS: usize = 1_000;
/// Bytes of a request body.
pub const MAX_BODY: usize = 1 << 20;

/// Which API keys are taken.
#[derive(Debug, Clone, Default)]
pub enum ApiKeys {
    /// Every key that looks like one: `sk_test_…`, `rk_test_…`, `sk_live_…`, `rk_live_…`.
    #[default]
    AnyWellFormed,
    /// These keys only.
    Only(BTreeSet<String>),
}

/// How failed deliveries are tried again: `first_delay`, doubled each time up to `longest_delay`.
#[derive(Debug, Clone)]
pub struct Retries {
    /// Tries per delivery, the first one included; at least 1.
    pub attempts: u32,
    /// Wait before the second try.
    pub first_delay: Duration,
    /// No wait is longer.
    pub longest_delay: Duration,
    /// Time limit of one try.
    pub timeout: Duration,
}

impl Default for Retries {
    fn default() -> Self {
        Self {
            attempts: 6,
            first_delay: Duration::from_millis(100),
            longest_delay: Duration::from_secs(5),
            timeout: Duration::from_secs(10),
        }
    }
}

/// A running Tributary that stories play against.
#[derive(Debug, Clone)]
pub struct TributaryTarget {
    /// For example `http://127.0.0.1:8787`.
    pub base_url: String,
    /// A key of the program's REST API.
    pub api_key: String,
}

/// The demo shop: a site of its own that sells through the sandbox.
#[derive(Debug, Clone)]
pub struct ShopConfig {
    /// Loopback only; port 0 takes a free one. It answers for any host.
    pub listen: SocketAddr,
    /// Where visitors find it, for example `http://shop.test`; `None` = `http://localhost:PORT`.
    pub url: Option<String>,
}

/// Everything that can be decided.
#[derive(Debug, Clone)]
pub struct Config {
    /// Loopback only; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The same seed and the same requests give the same ids and the same faults.
    pub seed: u64,
    /// Which API keys are taken.
    pub api_keys: ApiKeys,
    /// Keys that lack permissions, by their whole text, besides those that say so in their text (see [`crate::auth`]).
    pub restricted: BTreeMap<String, BTreeSet<String>>,
    /// How failed deliveries are tried again.
    pub deliver_retries: Retries,
    /// Where stories find Tributary unless their request says so.
    pub tributary: Option<TributaryTarget>,
    /// Unix seconds at which the clock stands still until it is moved; `None` = the wall clock.
    pub frozen_at: Option<i64>,
    /// The demo shop, if it is wanted.
    pub shop: Option<ShopConfig>,
    /// Where buyers find the hosted pay pages, for example `http://pay.test`; `None` = where the sandbox listens.
    pub pay_url: Option<String>,
    /// Names that mean an address of this machine, for webhooks and for the shop's own server: `tributary.test`.
    pub resolve: BTreeMap<String, SocketAddr>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8788)),
            seed: 1,
            api_keys: ApiKeys::default(),
            restricted: BTreeMap::new(),
            deliver_retries: Retries::default(),
            tributary: None,
            frozen_at: None,
            shop: None,
            pay_url: None,
            resolve: BTreeMap::new(),
        }
    }
}
