//! `tributary replay`

use crate::cli::ReplayArgs;
use crate::config::Config;
use crate::failure::{Exit, Failure};
use crate::open::{Begin, app};
use crate::output::Output;
use tributary_server::pipeline::replay;
use tributary_store::Db;
use tributary_store::db::Location;

pub(super) async fn run(config: &Config, args: &ReplayArgs, out: &Output) -> Result<Exit, Failure> {
    let progress = |done, all| out.progress("replayed", done, all);
    let into = args.into.as_deref().map(|url| target(config, "--into", url)).transpose()?;
    let app = app(config, Begin::Take, out).await?;
    let report = match &into {
        Some(location) => replay::into(&app, Db::open(location).await?, &progress).await?,
        None if args.apply => replay::apply(&app, &progress).await?,
        None => replay::run(&app, &progress).await?,
    };
    out.progress_done();
    app.db.close().await;
    out.answer(&report, |report| words(report, into.is_some()))?;
    Ok(if report.posted == 0 { Exit::Ok } else { Exit::Problems })
}

/// Another database than the configured one, named by a flag.
pub(super) fn target(config: &Config, flag: &str, url: &str) -> Result<Location, Failure> {
    let location = Location::parse(url).map_err(|e| Failure::usage(format!("{flag}: {e}.")))?;
    let same = match (&location, &config.database) {
        (Location::Sqlite(a), Location::Sqlite(b)) => {
            a == b || matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
        }
        (a, b) => a == b,
    };
    if same {
        return Err(Failure::usage(format!(
            "{flag}: that is this installation's own database; give one that is empty."
        )));
    }
    Ok(location)
}

fn words(report: &replay::Report, into: bool) -> String {
    let mut lines = report.differences.clone();
    let found = match report.posted {
        0 => "nothing to post: the ledger is what the sources say".to_owned(),
        1 => "1 commission that the ledger has otherwise".to_owned(),
        n => format!("{n} commissions that the ledger has otherwise"),
    };
    lines.push(format!(
        "Replayed {} events and {} observations into {} facts ({} sources without their raw body), and found {found}. \
         Digest {}.",
        report.events, report.observations, report.facts, report.from_facts, report.digest
    ));
    if let Some(journals) = report.journals {
        lines.push(format!(
            "What was derived is in place now, and {journals} journals were posted to correct the ledger."
        ));
    }
    if into {
        lines.push("The new database is complete. It needs the same master key.".to_owned());
    }
    lines.join("\n")
}
