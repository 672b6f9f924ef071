//! What every handler and worker shares.

use crate::api::stripe_app::StripeApp;
use crate::clock::Clock;
use crate::connect::checks::Checks;
use crate::connect::flow::Outside;
use crate::pipeline::fetch::Clients;
use crate::setup::first_run::FirstRun;
use crate::setup::reveal::Reveals;
use crate::stripe::receive::Doors;
use crate::stripe::refusals::Refusals;
use crate::track::Track;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::Notify;
use tributary_domain::ids::{self, IdKind};
use tributary_store::vault::{Key, random};
use tributary_store::{Db, StoreError, Tx, Unit, workspaces};

/// Settings of a running server.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where it listens.
    pub listen: SocketAddr,
    /// How browsers and Stripe reach it, without a slash at the end.
    pub public_url: url::Url,
    /// Where new connections find Stripe's API.
    pub stripe_api_base: String,
    /// Seconds between two polls of `/v1/events` for connections without a webhook endpoint.
    pub poll_seconds: u64,
    /// Milliseconds before a bare charge is looked up: its event may come by itself.
    pub link_delay_ms: i64,
    /// After so many days raw payloads are purged; 0 keeps them.
    pub raw_payload_days: i64,
}

/// What every handler and worker shares. Cheap to clone.
#[derive(Clone)]
pub struct App {
    /// The database.
    pub db: Db,
    /// The time.
    pub clock: Arc<Clock>,
    /// Settings.
    pub settings: Arc<Settings>,
    /// Wakes the pipeline after a commit that gave it work.
    pub wake: Arc<Notify>,
    /// Signing secrets by program, remembered for a moment.
    pub doors: Arc<Doors>,
    /// Whether anything is set up yet, and the token for it.
    pub first_run: Arc<FirstRun>,
    /// Connections in the making.
    pub checks: Arc<Checks>,
    /// What the installation says to the world outside: Apps, platforms, alerts.
    pub outside: Arc<Outside>,
    /// Webhooks whose signature was refused, in this process.
    pub refusals: Arc<Refusals>,
    /// Secrets that are shown once.
    pub reveals: Arc<Reveals>,
    /// What the tracking surface holds in memory.
    pub track: Arc<Track>,
    /// What the endpoint of the app in Stripe's Dashboard remembers.
    pub stripe_app: Arc<StripeApp>,
    /// Clients of Stripe, one a connection: whoever asks shares its pace.
    pub clients: Arc<Clients>,
    keys: Arc<Keys>,
}

struct Keys {
    master: Key,
    of_workspace: RwLock<HashMap<String, Key>>,
}

impl App {
    /// Puts the parts together.
    #[must_use]
    pub fn new(db: Db, master: Key, clock: Clock, settings: Settings) -> Self {
        Self {
            db,
            clock: Arc::new(clock),
            settings: Arc::new(settings),
            wake: Arc::new(Notify::new()),
            doors: Arc::new(Doors::default()),
            first_run: Arc::default(),
            checks: Arc::default(),
            outside: Arc::default(),
            refusals: Arc::default(),
            reveals: Arc::default(),
            track: Arc::new(Track::default()),
            stripe_app: Arc::default(),
            clients: Arc::default(),
            keys: Arc::new(Keys { master, of_workspace: RwLock::new(HashMap::new()) }),
        }
    }

    /// Now, ms UTC. Read once a request or job.
    #[must_use]
    pub fn now(&self) -> i64 {
        self.clock.now_ms()
    }

    /// The master key.
    #[must_use]
    pub fn master(&self) -> &Key {
        &self.keys.master
    }

    /// The data key of a workspace.
    ///
    /// # Errors
    /// [`StoreError::Secret`] for a wrong master key.
    pub async fn data_key(&self, workspace_id: &str) -> Result<Key, StoreError> {
        let known = &self.keys.of_workspace;
        if let Some(key) = known.read().unwrap_or_else(PoisonError::into_inner).get(workspace_id) {
            return Ok(key.clone());
        }
        let unit = DataKey { master: self.keys.master.clone(), workspace_id: workspace_id.to_owned() };
        let key = self.db.read(unit).await?;
        known.write().unwrap_or_else(PoisonError::into_inner).insert(workspace_id.to_owned(), key.clone());
        Ok(key)
    }
}

struct DataKey {
    master: Key,
    workspace_id: String,
}

impl Unit for DataKey {
    type Out = Key;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Key, StoreError> {
        workspaces::data_key(tx, &self.master, &self.workspace_id).await
    }
}

/// A fresh identifier.
///
/// # Errors
/// No randomness.
pub fn new_id(kind: IdKind) -> Result<String, StoreError> {
    Ok(ids::make(kind, random()?))
}

/// The HMAC of a normalised e-mail address under the workspace's key: equal addresses, equal hash. `None` for a
/// text that is no address.
///
/// # Errors
/// Never in practice.
pub fn email_hash(data_key: &Key, email: &str) -> Result<Option<String>, StoreError> {
    let normal = tributary_stripe::facts::normalise_email(email);
    normal.map(|email| data_key.keyed_hash("email", &email)).transpose()
}
