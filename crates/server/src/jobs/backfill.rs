//! Runs that read the past: begun at the start and every hour for each connection, and worked on here.

use crate::App;
use crate::imports::{Kind, Runner, Settling, Wish, begin, resume};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::task::JoinSet;
use tributary_store::connections::{self, Connection};
use tributary_store::imports::{self, Run};
use tributary_store::vault::random;
use tributary_store::{StoreError, Tx, Unit, workspaces};

/// How often events are read again, ms.
const EVERY_MS: i64 = 3_600_000;
/// How often it is looked whether that is due.
const LOOK: Duration = Duration::from_secs(20);
/// Connections that are worked on at once.
const AT_ONCE: usize = 4;

type Place = (String, String);

/// Works until dropped.
pub async fn run(app: &App) {
    let holder = holder();
    let mut working: JoinSet<Place> = JoinSet::new();
    let mut busy: BTreeSet<Place> = BTreeSet::new();
    let mut look_at: Option<tokio::time::Instant> = None;
    loop {
        if look_at.is_none_or(|at| tokio::time::Instant::now() >= at) {
            if let Err(error) = schedule(app, look_at.is_none()).await {
                tracing::error!(%error, "backfill stopped for a moment");
            }
            look_at = Some(tokio::time::Instant::now() + LOOK);
        }
        while let Some(done) = working.try_join_next() {
            match done {
                Ok(place) => {
                    busy.remove(&place);
                }
                // Whose it was is not told: all are looked at anew, and the lease keeps them apart.
                Err(error) => {
                    tracing::error!(%error, "a run broke off");
                    busy.clear();
                }
            }
        }
        match app.db.read(Due(app.now())).await {
            Ok(due) => {
                for run in due {
                    let place = (run.workspace_id.clone(), run.connection_id.clone());
                    if working.len() < AT_ONCE && busy.insert(place.clone()) {
                        let (app, holder) = (app.clone(), holder.clone());
                        working.spawn(async move {
                            let runner = Runner::new(&app, holder, Settling::Pipeline);
                            if let Err(error) = runner.work(&run, &|_| {}).await {
                                tracing::error!(%error, run = run.run_id, "a run stopped for a moment");
                                tokio::time::sleep(Duration::from_secs(2)).await;
                            }
                            place
                        });
                    }
                }
            }
            Err(error) => tracing::error!(%error, "runs could not be looked for"),
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// A name that no other process has.
#[must_use]
pub fn holder() -> String {
    let random = random::<8>().map_or_else(|_| String::new(), hex::encode);
    format!("{}-{random}", std::process::id())
}

struct Due(i64);

impl Unit for Due {
    type Out = Vec<Run>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Vec<Run>, StoreError> {
        let mut due = Vec::new();
        for (workspace_id, ..) in workspaces::list_workspaces(tx).await? {
            due.extend(imports::due(tx, &workspace_id, self.0).await?);
        }
        Ok(due)
    }
}

struct Connected;

impl Unit for Connected {
    /// Connections with their last run over events.
    type Out = Vec<(Connection, Option<Run>)>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let mut all = Vec::new();
        for (workspace_id, ..) in workspaces::list_workspaces(tx).await? {
            for connection in connections::list(tx, &workspace_id).await? {
                if connection.status == "connected" {
                    let last = imports::last(tx, &workspace_id, &connection.connection_id, "events").await?;
                    all.push((connection, last));
                }
            }
        }
        Ok(all)
    }
}

struct Forget(Connection, i64);

impl Unit for Forget {
    type Out = u64;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<u64, StoreError> {
        let Self(c, before) = self;
        imports::forget(tx, &c.workspace_id, &c.connection_id, "events", *before).await
    }
}

/// Begins what is due: at the start at once, then an hour after the last one.
async fn schedule(app: &App, first: bool) -> Result<(), StoreError> {
    let now = app.now();
    for (connection, last) in app.db.read(Connected).await? {
        let since = last.as_ref().map_or(connection.created_at, |run| run.started_at.max(run.updated_at));
        if !first && now.saturating_sub(since) < EVERY_MS {
            continue;
        }
        match last {
            // It goes on where it was given up; what came since is the next one's.
            Some(run) if run.state == "failed" => {
                resume(app, &run).await?;
            }
            Some(run) if run.state != "done" => {}
            _ => {
                let started_by = if first { "start" } else { "hourly" };
                let wish = Wish { kind: Kind::Events, since_at: None, until_at: None, started_by };
                begin(app, &connection, &wish).await?;
                app.db.write(Forget(connection, now.saturating_sub(EVERY_MS))).await?;
            }
        }
    }
    Ok(())
}
