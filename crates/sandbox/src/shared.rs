//! What requests, deliveries and stories share.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use tokio::sync::{Notify, watch};

use crate::auth::Limits;
use crate::clock::Clock;
use crate::config::{Config, MAX_VIOLATIONS, MAX_WORLDS};
use crate::deliver::send::is_loopback;
use crate::error::ApiError;
use crate::faults::ApiFault;
use crate::oauth::Grants;
use crate::shop::Shop;
use crate::world::World;

/// Account name and mode.
pub type WorldKey = (String, bool);

/// Something that broke Stripe's document.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub struct Violation {
    /// `request`, `answer` or `event`.
    pub side: &'static str,
    /// Method and path.
    pub route: String,
    /// `req_…`
    pub request_id: String,
    /// What is wrong, and where.
    pub detail: String,
}

/// The whole sandbox.
#[derive(Debug)]
pub struct Shared {
    /// What was decided at the start.
    pub config: Config,
    /// Where the sandbox listens, for example `http://127.0.0.1:8788`.
    pub base_url: String,
    /// Where buyers find the hosted pay pages, for example `http://pay.test`.
    pub pay_url: String,
    /// The demo shop, if it was wanted.
    pub shop: Option<Arc<Shop>>,
    /// For deliveries and stories.
    pub client: reqwest::Client,
    /// Wakes the deliveries.
    pub wake: Notify,
    worlds: Mutex<BTreeMap<WorldKey, World>>,
    violations: Mutex<(Vec<Violation>, usize)>,
    limits: Mutex<Limits>,
    faults: Mutex<VecDeque<ApiFault>>,
    oauth: Mutex<Grants>,
    stop: watch::Sender<bool>,
}

impl Shared {
    /// An empty sandbox.
    pub fn new(config: Config, base_url: String, client: reqwest::Client) -> Self {
        let pay_url = config.pay_url.clone().unwrap_or_else(|| base_url.clone());
        Self {
            config,
            base_url,
            pay_url,
            shop: None,
            client,
            wake: Notify::new(),
            worlds: Mutex::default(),
            violations: Mutex::default(),
            limits: Mutex::default(),
            faults: Mutex::default(),
            oauth: Mutex::default(),
            stop: watch::Sender::new(false),
        }
    }

    /// All worlds. A panic in one request must not end the sandbox, so a poisoned lock is taken all the same.
    pub fn worlds(&self) -> MutexGuard<'_, BTreeMap<WorldKey, World>> {
        self.worlds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Works on a world, which is made when first named.
    ///
    /// # Errors
    /// 400 if there are too many accounts.
    pub fn world<T>(&self, key: &WorldKey, work: impl FnOnce(&mut World) -> T) -> Result<T, ApiError> {
        let mut worlds = self.worlds();
        if !worlds.contains_key(key) {
            if worlds.len() >= MAX_WORLDS {
                return Err(ApiError::bad(format!(
                    "The sandbox holds at most {MAX_WORLDS} accounts and modes."
                )));
            }
            let clock = Clock::new(self.config.frozen_at);
            let world = World::new(self.config.seed, &key.0, key.1, clock, self.pay_url.clone());
            worlds.insert(key.clone(), world);
        }
        match worlds.get_mut(key) {
            Some(world) => Ok(work(world)),
            None => Err(ApiError::internal("the account is gone")),
        }
    }

    /// True if the sandbox may send something to this URL: its host is this machine, by itself or by
    /// [`Config::resolve`].
    pub fn reaches(&self, url: &str) -> bool {
        let named = url::Url::parse(url)
            .ok()
            .and_then(|u| u.host_str().map(|h| self.config.resolve.contains_key(h)))
            .unwrap_or(false);
        named || is_loopback(url)
    }

    /// Works on a world if it exists.
    pub fn with<T>(&self, key: &WorldKey, work: impl FnOnce(&mut World) -> T) -> Option<T> {
        self.worlds().get_mut(key).map(work)
    }

    /// Notes a violation.
    pub fn violate(&self, violation: Violation) {
        tracing::warn!(side = violation.side, route = %violation.route, detail = %violation.detail, "violation");
        let mut kept = self.violations.lock().unwrap_or_else(PoisonError::into_inner);
        kept.1 += 1;
        if kept.0.len() < MAX_VIOLATIONS {
            kept.0.push(violation);
        }
    }

    /// The violations kept, and how many there were.
    pub fn violations(&self) -> (Vec<Violation>, usize) {
        self.violations.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Forgets the violations.
    pub fn forgive(&self) {
        *self.violations.lock().unwrap_or_else(PoisonError::into_inner) = (Vec::new(), 0);
    }

    /// What was done to keys.
    pub fn limits(&self) -> MutexGuard<'_, Limits> {
        self.limits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Faults that the next API requests will meet.
    pub fn faults(&self) -> MutexGuard<'_, VecDeque<ApiFault>> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What accounts agreed to by OAuth. Taken alone, or after the worlds; never before them.
    pub fn oauth(&self) -> MutexGuard<'_, Grants> {
        self.oauth.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks every part to stop.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Tells when to stop.
    pub fn stopped(&self) -> watch::Receiver<bool> {
        self.stop.subscribe()
    }
}
