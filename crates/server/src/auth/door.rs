//! The one place where a password is checked: limited, in constant manner, off the async threads.

use super::limit::Limits;
use crate::admin::error::PageError;
use crate::{App, password};
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::Semaphore;
use tributary_store::setup::{Login, find_login};
use tributary_store::{StoreError, Tx, Unit};

/// Hashes that are computed at the same time: two cores' worth, 38 MiB.
const AT_ONCE: usize = 2;
/// Log-ins that may wait for their turn; more are turned away at once.
const QUEUE: usize = 40;
/// How long one waits for its turn at most.
const PATIENCE: Duration = Duration::from_secs(5);

/// What stands before every log-in.
#[derive(Debug)]
pub struct Door {
    limits: Limits,
    hashing: Arc<Semaphore>,
    queue: Arc<Semaphore>,
    dummy: OnceLock<String>,
}

impl Default for Door {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            hashing: Arc::new(Semaphore::new(AT_ONCE)),
            queue: Arc::new(Semaphore::new(QUEUE)),
            dummy: OnceLock::new(),
        }
    }
}

/// Who knocks.
#[derive(Debug)]
pub struct Knock {
    /// Lower-case e-mail.
    pub email: String,
    /// As it was typed.
    pub password: String,
    /// Did this browser log in to the account before?
    pub known_device: bool,
    /// From where, if that is known.
    pub ip: Option<IpAddr>,
}

/// Why the door stays shut.
#[derive(Debug)]
pub enum Shut {
    /// No such account, or another password: never said which.
    Wrong,
    /// Too many tries; come back after so many seconds.
    Wait(i64),
    /// The server has no capacity, or the database does not answer.
    Failed(PageError),
}

impl From<StoreError> for Shut {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

impl Door {
    /// Checks an e-mail and a password. Takes as long for an account that does not exist.
    ///
    /// # Errors
    /// Why the door stays shut.
    pub async fn open(self: &Arc<Self>, app: &App, knock: Knock) -> Result<Login, Shut> {
        let Knock { email, password, known_device, ip } = knock;
        self.limits.take(&email, known_device, ip, app.now()).map_err(Shut::Wait)?;
        let login = app.db.read(Find { email: email.clone() }).await?;
        let busy = || Shut::Failed(PageError::Unavailable("too many log-ins at once".into()));
        let place = self.queue.clone().try_acquire_owned().map_err(|_| busy())?;
        let turn = tokio::time::timeout(PATIENCE, self.hashing.clone().acquire_owned());
        let turn = turn.await.ok().and_then(Result::ok).ok_or_else(busy)?;
        let door = Arc::clone(self);
        let known = login.as_ref().map(|login| login.password_hash.clone());
        let checked = tokio::task::spawn_blocking(move || {
            let _held = (place, turn);
            let hash = known.as_deref().unwrap_or_else(|| door.dummy());
            password::matches(&password, hash)
        });
        let right = checked.await.map_err(|error| Shut::Failed(PageError::Internal(error.to_string())))?;
        match login {
            Some(login) if right => {
                self.limits.forgive(&email);
                Ok(login)
            }
            _ => Err(Shut::Wrong),
        }
    }

    /// A hash that no password opens, with the figures of a real one.
    fn dummy(&self) -> &str {
        self.dummy.get_or_init(|| password::hash("no account has this").unwrap_or_default())
    }
}

struct Find {
    email: String,
}

impl Unit for Find {
    type Out = Option<Login>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Option<Login>, StoreError> {
        find_login(tx, &self.email).await
    }
}
