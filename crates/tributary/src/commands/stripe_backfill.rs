//! `tributary stripe backfill`

use crate::cli::BackfillArgs;
use crate::config::Config;
use crate::failure::{Exit, Failure};
use crate::open::{Begin, app};
use crate::output::Output;
use serde::Serialize;
use std::time::Duration;
use tributary_server::App;
use tributary_server::imports::{
    Begun, Kind, Named, Progress, Runner, STRIPE_KEEPS_MS, Settling, Wish, begin, find, progress, resume,
    run_of,
};
use tributary_server::jobs::backfill::holder;
use tributary_server::pipeline::worker;
use tributary_store::StoreError;
use tributary_store::connections::Connection;
use tributary_store::imports::Run;

/// Failures of Stripe one after the other after which the command ends; the run stays, and goes on later.
const PATIENCE: i64 = 4;

#[derive(Debug, Serialize)]
struct Answer {
    /// Is everything read?
    ok: bool,
    /// One a connection.
    runs: Vec<Progress>,
}

pub(super) async fn run(config: &Config, args: &BackfillArgs, out: &Output) -> Result<Exit, Failure> {
    let app = app(config, Begin::Take, out).await?;
    let now = app.now();
    if args.since.is_some_and(|since| since > now) {
        return Err(Failure::usage("--since lies in the future."));
    }
    let connections = connections(&app, args).await?;
    let old = args.since.is_some_and(|since| since < now.saturating_sub(STRIPE_KEEPS_MS));
    let kind = if args.objects || (old && !args.events) { Kind::Objects } else { Kind::Events };
    let mut runs = Vec::new();
    for connection in &connections {
        let wish = Wish { kind, since_at: args.since, until_at: None, started_by: "command" };
        runs.push(one(&app, connection, &wish, out).await?);
    }
    rest(&app).await?;
    app.db.close().await;
    let waits = runs.iter().find(|run| run.state == "running");
    if let Some(waits) = waits {
        let words = &waits.last_error;
        return Err(Failure::unavailable(format!(
            "{words} What was read is kept; the running server goes on by itself, or call this again."
        )));
    }
    let ok = runs.iter().all(|run| run.state == "done");
    let answer = Answer { ok, runs: runs.iter().map(progress).collect() };
    out.answer(&answer, words)?;
    Ok(if ok { Exit::Ok } else { Exit::Problems })
}

async fn connections(app: &App, args: &BackfillArgs) -> Result<Vec<Connection>, Failure> {
    let (name, named) = match (&args.program, &args.connection) {
        (Some(id), _) => (format!("--program: there is no program {id:?}."), Named::Program(id.clone())),
        (None, id) => {
            let id = id.clone().unwrap_or_default();
            (format!("--connection: there is no connection {id:?}."), Named::Connection(id))
        }
    };
    let found = find(app, named).await?.ok_or_else(|| Failure::usage(name))?;
    if found.connections.is_empty() {
        return Err(Failure::problem(
            "No Stripe account is connected there. Run `tributary stripe connect` first.",
        ));
    }
    Ok(found.connections)
}

/// Works on a run, or watches whoever does, until it is over or Stripe fails again and again.
pub(super) async fn one(
    app: &App,
    connection: &Connection,
    wish: &Wish,
    out: &Output,
) -> Result<Run, StoreError> {
    let mut run = match begin(app, connection, wish).await? {
        Begun::New(run) => run,
        Begun::UnderWay(run) => {
            out.say(&format!("A run is under way since {}; this goes on with it.", progress(&run).started));
            resume(app, &run).await?;
            run
        }
    };
    let runner = Runner::new(app, holder(), Settling::Here);
    loop {
        run = runner.work(&run, &|run| tell(run, out)).await?;
        tell(&run, out);
        if run.state != "running" || run.attempts >= PATIENCE {
            break;
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
        run = run_of(app, connection, &run.run_id).await?.unwrap_or(run);
    }
    out.progress_done();
    Ok(run)
}

fn tell(run: &Run, out: &Output) {
    let told = progress(run);
    let of = |n: i64| u64::try_from(n).unwrap_or(0);
    match told.total {
        Some(total) => out.progress("read", of(told.done), of(total)),
        None => out.progress_line(&format!(
            "list {} of {}, {}: {} read, {} new",
            told.step, told.steps, told.reading, told.done, told.new
        )),
    }
}

/// So many looks, each a tenth of a second, pass before the wait is told of.
const SILENT: u32 = 30;

/// What the pages asked for is looked up, and everything is settled, also where no server runs. A running server may have
/// taken a look-up first: its answer is waited for, at the longest until its lease ends and it is taken here.
pub(super) async fn rest(app: &App) -> Result<(), StoreError> {
    let mut waited = 0_u32;
    for _ in 0..10_000 {
        worker::drain(app).await?;
        if worker::fetch_all(app).await? == 0 {
            if !worker::fetching(app).await? {
                break;
            }
            waited = waited.saturating_add(1);
            if waited == SILENT {
                eprintln!(
                    "Waiting for what another process asks Stripe; if it was killed, until its turn ends."
                );
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    worker::drain(app).await.map(drop)
}

fn words(answer: &Answer) -> String {
    let mut lines = Vec::new();
    for run in &answer.runs {
        let what = if run.kind == "objects" { "objects" } else { "events" };
        let since = run.since.as_ref().map(|since| format!(" since {since}")).unwrap_or_default();
        lines.push(match run.state.as_str() {
            "done" if run.kind == "objects" => {
                format!(
                    "{}: read {} objects{since}. Nothing is doubled by doing it again.",
                    run.connection_id, run.done
                )
            }
            "done" => {
                format!("{}: read {} events{since}, {} of them new.", run.connection_id, run.done, run.new)
            }
            "paused" => format!("{}: paused after {} {what}.", run.connection_id, run.done),
            _ => format!("{}: stopped after {} {what}. {}", run.connection_id, run.done, run.error),
        });
        lines.extend(run.notes.iter().map(|note| format!("Note: {note}")));
    }
    lines.join("\n")
}
