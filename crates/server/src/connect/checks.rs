//! Connecting as something to watch: it runs by itself, and pages ask how far it has come. Kept in memory; what was
//! connected is in the database whatever becomes of the page.

use super::{ConnectFailure, Connected, Request, Stage, connect_telling};
use crate::state::App;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;
use tributary_store::StoreError;
use tributary_store::vault::random;

/// Kept at the same time; the oldest go first.
const KEPT: usize = 200;
/// Running at the same time in the whole server.
const RUNNING: usize = 8;
/// Stripe gets so long for everything together.
const DEADLINE: Duration = Duration::from_secs(60);

/// How a check stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// Under way.
    Running(Stage),
    /// Connected.
    Connected(Box<Connected>),
    /// Not connected, with the reason as a sentence.
    Failed(String),
}

#[derive(Debug)]
struct Entry {
    workspace_id: String,
    began: i64,
    progress: Progress,
}

/// All checks of this server.
#[derive(Debug)]
pub struct Checks {
    entries: Mutex<HashMap<String, Entry>>,
    room: Arc<Semaphore>,
}

impl Default for Checks {
    fn default() -> Self {
        Self { entries: Mutex::new(HashMap::new()), room: Arc::new(Semaphore::new(RUNNING)) }
    }
}

impl Checks {
    /// Begins to connect and returns the name by which a page asks after it. `None` if too many run already.
    ///
    /// # Errors
    /// No randomness.
    pub fn begin(app: &App, workspace_id: &str, request: Request) -> Result<Option<String>, StoreError> {
        let Ok(permit) = Arc::clone(&app.checks.room).try_acquire_owned() else { return Ok(None) };
        let id = hex::encode(random::<16>()?);
        app.checks.keep(&id, workspace_id, app.now());
        let (app, name) = (app.clone(), id.clone());
        tokio::spawn(async move {
            let _permit = permit;
            let tell = |stage| app.checks.set(&name, Progress::Running(stage));
            let ended = tokio::time::timeout(DEADLINE, connect_telling(&app, &request, &tell)).await;
            app.checks.set(&name, outcome(ended));
            // Jobs may wait for the key that is known now.
            app.wake.notify_one();
        });
        Ok(Some(id))
    }

    /// How a workspace's check stands; `None` for one that is not known here (any more).
    pub fn of(&self, workspace_id: &str, id: &str) -> Option<Progress> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.get(id).filter(|entry| entry.workspace_id == workspace_id).map(|entry| entry.progress.clone())
    }

    fn keep(&self, id: &str, workspace_id: &str, now: i64) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        while entries.len() >= KEPT {
            let oldest = entries.iter().min_by_key(|(_, entry)| entry.began).map(|(id, _)| id.clone());
            let Some(oldest) = oldest else { break };
            entries.remove(&oldest);
        }
        let progress = Progress::Running(Stage::Account);
        entries.insert(id.to_owned(), Entry { workspace_id: workspace_id.to_owned(), began: now, progress });
    }

    fn set(&self, id: &str, progress: Progress) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = entries.get_mut(id) {
            entry.progress = progress;
        }
    }
}

fn outcome(ended: Result<Result<Connected, ConnectFailure>, tokio::time::error::Elapsed>) -> Progress {
    match ended {
        Ok(Ok(connected)) => Progress::Connected(Box::new(connected)),
        Ok(Err(ConnectFailure::Store(error))) => {
            tracing::error!(%error, "a connection could not be stored");
            Progress::Failed("The database does not answer. Nothing is certain; connect again.".to_owned())
        }
        Ok(Err(error)) => Progress::Failed(sentence(&error.to_string())),
        Err(_) => Progress::Failed(
            "Stripe did not answer within a minute. Nothing is certain; connect again with the same key."
                .to_owned(),
        ),
    }
}

/// Capital letter in front, full stop behind.
fn sentence(text: &str) -> String {
    let text = crate::ui::text::sentence_case(text.trim());
    if text.ends_with(['.', '?']) { text } else { format!("{text}.") }
}
