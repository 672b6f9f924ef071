//! Measures the real server: what a webhook, a sale in the ledger, a start and an idle process cost, beside what the
//! machine itself can do in the same minutes. `bin/bench` builds and calls it.
//!
//! Nothing is asserted about speed. What is checked is that the figures are of work that was really done: every round
//! ends with the counts, `tributary verify`, and the ledger's sum against this program's own.

mod books;
mod crowd;
mod events;
mod figures;
mod history;
mod install;
mod links;
mod load;
mod machine;
mod overview;
mod process;
mod report;
mod start;
mod stripe;

use figures::Figures;
use install::{Engine, Ground};
use process::Fail;
use std::path::PathBuf;
use std::sync::Arc;

/// What is measured, and how much of it.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// The release binary.
    binary: PathBuf,
    /// Where the figures are written, as JSON.
    out: PathBuf,
    /// A folder on the disk that is measured.
    work: PathBuf,
    /// The document whose table is written anew.
    document: Option<PathBuf>,
    /// A PostgreSQL server, without a database.
    postgres: Option<String>,
    /// Rounds; every ratio is of one round, what is shown is the median.
    rounds: usize,
    /// Milliseconds of a measurement that lasts a fixed time.
    span_ms: u64,
    /// Purchases of three events a round, by a crowd of buyers.
    purchases: usize,
    /// Sales of the one customer, and how many are sent before each reading.
    history: usize,
    /// Sales between two readings.
    step: usize,
    /// Starts of the server.
    starts: usize,
    /// Only these parts, if any are named.
    only: Vec<String>,
}

impl Plan {
    fn read(mut arguments: impl Iterator<Item = String>) -> Result<Self, Fail> {
        let mut plan = Self {
            binary: PathBuf::from("target/release/tributary"),
            out: PathBuf::from("bench/results.json"),
            work: PathBuf::from("bench/work"),
            document: None,
            postgres: std::env::var("TRIBUTARY_BENCH_POSTGRES").ok().filter(|url| !url.is_empty()),
            rounds: 3,
            span_ms: 2_000,
            purchases: 2_000,
            history: 20_000,
            step: 5_000,
            starts: 10,
            only: Vec::new(),
        };
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
            match argument.as_str() {
                "--binary" => plan.binary = PathBuf::from(value()?),
                "--out" => plan.out = PathBuf::from(value()?),
                "--work" => plan.work = PathBuf::from(value()?),
                "--document" => plan.document = Some(PathBuf::from(value()?)),
                "--rounds" => plan.rounds = value()?.parse::<usize>()?.clamp(1, 20),
                "--only" => plan.only = value()?.split(',').map(str::to_owned).collect(),
                "--quick" => {}
                "--full" => {
                    (plan.rounds, plan.span_ms, plan.purchases) = (plan.rounds.max(5), 4_000, 6_000);
                    (plan.history, plan.step) = (100_000, 10_000);
                }
                other => return Err(format!("unknown argument {other}").into()),
            }
        }
        plan.binary = std::fs::canonicalize(&plan.binary)?;
        std::fs::create_dir_all(&plan.work)?;
        plan.work = std::fs::canonicalize(&plan.work)?;
        Ok(plan)
    }

    fn wants(&self, part: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == part)
    }
}

#[tokio::main]
async fn main() -> std::process::ExitCode {
    let mut arguments = std::env::args().skip(1).peekable();
    let work = async {
        if arguments.next_if(|first| first == "bare").is_some() {
            return machine::serve_bare().await;
        }
        measure(Plan::read(arguments)?).await
    };
    // Ending this way drops what runs: processes are ended and folders removed.
    let ended = tokio::select! {
        ended = work => ended,
        told = process::told_to_stop() => told.and(Err("stopped by a signal".into())),
    };
    match ended {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            std::process::ExitCode::FAILURE
        }
    }
}

async fn measure(plan: Plan) -> Result<(), Fail> {
    let folder = tempfile::Builder::new().prefix("run-").tempdir_in(&plan.work)?;
    let stripe = stripe::start().await?;
    let mut figures = Figures::new();
    let mut grounds = Vec::new();
    if ["sqlite", "history", "overview", "start", "links"].iter().any(|part| plan.wants(part)) {
        grounds.push(Ground::lay(&plan, Engine::Sqlite, folder.path(), &stripe).await?);
    }
    if plan.postgres.is_some() && (plan.wants("postgres") || plan.wants("links")) {
        grounds.push(Ground::lay(&plan, Engine::Postgres, folder.path(), &stripe).await?);
    }
    let stories = Arc::new(events::Stories::new()?);
    figures.say_machine(&plan)?;
    for round in 1..=plan.rounds {
        eprintln!("round {round} of {}", plan.rounds);
        figures.load_average(round)?;
        if plan.wants("machine") {
            machine::measure(&plan, folder.path(), &stories, &mut figures).await?;
        }
        for ground in grounds.iter().filter(|ground| plan.wants(ground.engine.name())) {
            crowd::measure(&plan, ground, &stories, &mut figures, round).await?;
        }
    }
    if plan.wants("links") {
        for _ in 0..plan.rounds {
            for ground in &grounds {
                links::measure(&plan, ground, folder.path(), &mut figures).await?;
            }
        }
    }
    for ground in grounds.iter().filter(|ground| ground.engine == Engine::Sqlite) {
        if plan.wants("start") {
            start::measure(&plan, ground, &stories, &mut figures).await?;
        }
        if plan.wants("overview") {
            overview::measure(ground, &mut figures).await?;
        }
        if plan.wants("history") {
            history::measure(&plan, ground, &stories, &mut figures).await?;
        }
    }
    report::tell(&plan, &figures)
}
