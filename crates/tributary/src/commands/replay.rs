//! `tributary replay`

use crate::config::Config;
use crate::failure::{Exit, Failure};
use crate::open::{Begin, app};
use crate::output::Output;
use tributary_server::pipeline::replay;

pub(super) async fn run(config: &Config, out: &Output) -> Result<Exit, Failure> {
    let app = app(config, Begin::Take, out).await?;
    let report = replay::run(&app, &|done, all| out.progress("replayed", done, all)).await?;
    out.progress_done();
    app.db.close().await;
    out.answer(&report, words)?;
    Ok(if report.posted == 0 { Exit::Ok } else { Exit::Problems })
}

fn words(report: &replay::Report) -> String {
    let mut lines = report.differences.clone();
    let found = match report.posted {
        0 => "nothing to post: the ledger is what the sources say".to_owned(),
        n => format!("{n} entries that the ledger has not got, or has too many"),
    };
    lines.push(format!(
        "Replayed {} events and {} observations into {} facts ({} without their raw body), and found {found}. Digest {}.",
        report.events, report.observations, report.facts, report.from_facts, report.digest
    ));
    lines.join("\n")
}
