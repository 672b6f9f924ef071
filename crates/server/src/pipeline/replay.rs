//! Replay: derives everything again from the sources into a database of its own, and compares. It must find nothing
//! to post. What it finds can be put in place ([`apply`]); and an installation can be replayed into a fresh
//! database ([`into`]).

mod apply;
mod compare;
mod copy;
mod folder;
mod into;
mod sources;

use super::worker;
use crate::clock::Clock;
use crate::{App, Settings};
use folder::Folder;
use serde::Serialize;
use sources::Sources;
use tributary_store::db::Location;
use tributary_store::whole::fingerprint::{Fingerprint, Plans};
use tributary_store::{Db, StoreError};

pub use into::run as into;

/// How often sources may change under a replay that is to be applied.
const TRIES: usize = 3;

/// Is told (sources done, sources in all).
pub type Progress<'a> = &'a (dyn Fn(u64, u64) + Sync);

/// The outcome.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Events read.
    pub events: u64,
    /// Answers of Stripe read.
    pub observations: u64,
    /// Facts understood.
    pub facts: u64,
    /// Sources whose raw payload was purged, taken from their facts.
    pub from_facts: u64,
    /// Commissions that would have to be posted anew: must be 0.
    pub posted: u64,
    /// They, by economic key, at most 100.
    pub differences: Vec<String>,
    /// The digest of the replayed books.
    pub digest: String,
    /// Journals that were written to correct what was found; only when that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub journals: Option<u64>,
}

/// Replays everything and changes nothing.
///
/// # Errors
/// The database's, or no room for the copy.
pub async fn run(app: &App, progress: Progress<'_>) -> Result<Report, StoreError> {
    // What is waiting in the real database would look like a difference.
    worker::drain(app).await?;
    let scratch = Scratch::new(app).await?;
    let result = derive(app, &scratch.app, progress).await;
    scratch.app.db.close().await;
    result
}

/// Replays everything, and puts what was derived in the place of what is used: the difference is posted as new
/// journals. The report tells what differed before.
///
/// # Errors
/// The database's; [`StoreError::Busy`] if sources kept changing meanwhile. Nothing was changed then.
pub async fn apply(app: &App, progress: Progress<'_>) -> Result<Report, StoreError> {
    for _ in 0..TRIES {
        worker::drain(app).await?;
        let plans = Plans::of(&app.db).await?;
        let fingerprint = app.db.read(Fingerprint(plans.clone())).await?;
        let scratch = Scratch::new(app).await?;
        let derived = derive(app, &scratch.app, progress).await;
        let applied = match derived {
            Ok(report) => {
                apply::apply(app, &scratch.app, plans, fingerprint).await.map(|done| (report, done))
            }
            Err(error) => Err(error),
        };
        scratch.app.db.close().await;
        if let (mut report, Some(journals)) = applied? {
            report.journals = Some(journals);
            return Ok(report);
        }
        tracing::info!("a source has changed while everything was derived again: once more");
    }
    Err(StoreError::Busy)
}

async fn derive(app: &App, copy: &App, progress: Progress<'_>) -> Result<Report, StoreError> {
    copy::all(&app.db, &copy.db).await?;
    let mut report = Report::default();
    let from = Sources { inbox: &app.db, facts: &app.db, copy, bring_visits: true };
    sources::project(&from, &mut report, progress).await?;
    worker::drain(copy).await?;
    compare::compare(&app.db, &copy.db, &mut report).await?;
    Ok(report)
}

/// A database of its own that goes away with the replay.
struct Scratch {
    app: App,
    _folder: Folder,
}

impl Scratch {
    async fn new(app: &App) -> Result<Self, StoreError> {
        let folder = Folder::new()?;
        let fresh = Db::open(&Location::Sqlite(folder.path().join("replay.db"))).await?;
        fresh.migrate().await?;
        // The copy asks nobody: look-ups are never due.
        let settings = Settings { link_delay_ms: i64::MAX, ..(*app.settings).clone() };
        let app = App::new(fresh, app.master().clone(), Clock::fixed(app.now()), settings);
        Ok(Self { app, _folder: folder })
    }
}
