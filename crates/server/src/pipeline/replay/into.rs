//! A whole installation anew in a fresh database: sources copied, everything else derived there, the ledger posted
//! there.

use super::super::{seal, worker};
use super::compare::compare;
use super::sources::{self, Sources};
use super::{Progress, Report};
use crate::jobs::parts::make_room;
use crate::{App, clock::Clock};
use tributary_store::pipeline::recount;
use tributary_store::whole::{Class, Extent, TABLES, rows, state};
use tributary_store::{Db, StoreError, Tx, Unit, workspaces};

/// Classes of tables that are copied.
const COPIED: [Class; 4] = [Class::Source, Class::Setting, Class::Raw, Class::Counter];

/// Replays into a database that holds nothing yet.
///
/// # Errors
/// [`StoreError::Invalid`] if the database holds anything; else the databases'. A database that was filled in part
/// says so, and nothing serves from it.
pub async fn run(app: &App, fresh: Db, progress: Progress<'_>) -> Result<Report, StoreError> {
    worker::drain(app).await?;
    fresh.migrate().await?;
    fresh.write(state::Begin { what: "replay".to_owned(), at: app.now(), resume: false }).await?;
    make_room(&app.db, &fresh).await?;
    for table in TABLES.iter().filter(|table| COPIED.contains(&table.class)) {
        rows::copy(&app.db, &fresh, table, Extent::Sources, table.name).await?;
    }
    let now = Clock::fixed(app.now());
    let copy = App::new(fresh, app.master().clone(), now, (*app.settings).clone());
    let mut report = Report::default();
    let from = Sources { inbox: &copy.db, facts: &app.db, copy: &copy, bring_visits: false };
    sources::project(&from, &mut report, progress).await?;
    worker::drain(&copy).await?;
    seal::seal_all(&copy, || None).await?;
    copy.db.write(Recount).await?;
    compare(&app.db, &copy.db, &mut report).await?;
    copy.db.write(state::End).await?;
    copy.db.close().await;
    Ok(report)
}

struct Recount;
impl Unit for Recount {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        for (workspace_id, ..) in workspaces::list_workspaces(tx).await? {
            recount::rebuild(tx, &workspace_id).await?;
        }
        Ok(())
    }
}
