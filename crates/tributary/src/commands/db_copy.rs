//! `tributary db copy`

use super::replay::target;
use super::serve::process_of;
use crate::config::Config;
use crate::failure::{Exit, Failure};
use crate::open::{Begin, app};
use crate::output::Output;
use serde::Serialize;
use std::time::Duration;
use tributary_server::jobs::parts::make_room;
use tributary_server::pipeline::verify;
use tributary_server::{App, clock::Clock};
use tributary_store::Db;
use tributary_store::db::Location;
use tributary_store::whole::{Extent, TABLES, Table, fingerprint, rows, state};

/// Of this database alone: what was copied into it.
const NOT_COPIED: &str = "copy_state";

#[derive(Debug, Serialize)]
struct Copied {
    tables: u64,
    rows: u64,
    digest: String,
    /// The digest of the copy: the same.
    digest_there: String,
    /// Tables whose rows are not the same in both.
    differing: Vec<String>,
}

pub(super) async fn run(config: &Config, to: &str, out: &Output) -> Result<Exit, Failure> {
    let location = target(config, "--to", to)?;
    if let Location::Sqlite(path) = &config.database
        && let Some(process) = process_of(path)
    {
        return Err(Failure::problem(format!(
            "Process {process} serves this database. Stop it first: what it wrote meanwhile would be missing there."
        )));
    }
    let app = app(config, Begin::Take, out).await?;
    if served(&app).await? {
        return Err(Failure::problem(
            "Another process of Tributary serves this database. Stop it first: what it wrote meanwhile would be missing \
             there."
                .to_owned(),
        ));
    }
    let there = Db::open(&location).await?;
    let copied = copy(&app, &there, out).await?;
    there.close().await;
    app.db.close().await;
    let whole = copied.differing.is_empty() && copied.digest == copied.digest_there;
    out.answer(&copied, |copied| words(copied, whole))?;
    Ok(if whole { Exit::Ok } else { Exit::Problems })
}

/// Does another process stay connected to this PostgreSQL? The sessions of one that was killed end a moment after it.
async fn served(app: &App) -> Result<bool, Failure> {
    for _ in 0..10 {
        if app.db.others().await? == 0 {
            return Ok(false);
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    Ok(true)
}

async fn copy(app: &App, there: &Db, out: &Output) -> Result<Copied, Failure> {
    there.migrate().await?;
    there.check_schema().await?;
    let now = app.now();
    let resumed = there.write(state::Begin { what: "copy".to_owned(), at: now, resume: true }).await?;
    make_room(&app.db, there).await?;
    let tables = || TABLES.iter().filter(|table| table.name != NOT_COPIED);
    let all = tables().count() as u64;
    let (mut done, mut count) = (0, 0);
    for table in tables() {
        if !there.read(state::IsCopied(table.name)).await? {
            count += rows::copy(&app.db, there, table, Extent::All, table.name).await?;
            there.write(state::Copied { name: table.name, at: now }).await?;
        }
        done += 1;
        out.progress("copied tables", done, all);
    }
    out.progress_done();
    there.write(state::Settle).await?;
    let mut differing = Vec::new();
    for table in tables() {
        let (here, copy) =
            (app.db.read(state::Rows(table.name)).await?, there.read(state::Rows(table.name)).await?);
        if here != copy {
            differing.push(format!("{}: {here} here, {copy} there", table.name));
        } else if resumed && !same(&app.db, there, table).await? {
            differing.push(format!("{}: other values here than there", table.name));
        }
    }
    let other = App::new(there.clone(), app.master().clone(), Clock::default(), (*app.settings).clone());
    let digest = verify::run(app, None).await?.digest;
    let digest_there = verify::run(&other, None).await?.digest;
    if differing.is_empty() && digest == digest_there {
        there.write(state::End).await?;
    }
    Ok(Copied { tables: all, rows: count, digest, digest_there, differing })
}

/// Do both hold the same rows? What a run before this one copied may have been changed here since, without a row more or
/// less.
async fn same(here: &Db, there: &Db, table: &Table) -> Result<bool, Failure> {
    Ok(fingerprint::of_table(here, table).await? == fingerprint::of_table(there, table).await?)
}

fn words(copied: &Copied, whole: bool) -> String {
    if whole {
        return format!(
            "Copied {} rows of {} tables. Both have the digest {}. The new database needs the same master key: set \
             TRIBUTARY_DATABASE_URL to it and start the server.",
            copied.rows, copied.tables, copied.digest
        );
    }
    let mut lines = copied.differing.clone();
    lines.push(
        "The copy is not what is here: something was written meanwhile. Stop every server, drop the new database and copy \
         again."
            .to_owned(),
    );
    lines.join("\n")
}
