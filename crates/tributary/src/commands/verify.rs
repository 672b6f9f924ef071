//! `tributary verify`

use crate::config::Config;
use crate::failure::{Exit, Failure};
use crate::open::{Begin, app};
use crate::output::Output;
use tributary_server::pipeline::verify;

pub(super) async fn run(
    config: &Config,
    rebuild: bool,
    as_of: Option<i64>,
    out: &Output,
) -> Result<Exit, Failure> {
    let app = app(config, Begin::Take, out).await?;
    if rebuild {
        verify::rebuild(&app).await?;
    }
    let report = verify::run(&app, as_of).await?;
    app.db.close().await;
    out.answer(&report, words)?;
    Ok(if report.ok { Exit::Ok } else { Exit::Problems })
}

fn words(report: &verify::Report) -> String {
    let line = |one: &verify::Problem| format!("{} {}: {}", one.table, one.row, one.problem);
    let mut lines: Vec<String> = report.problems.iter().map(line).collect();
    lines.push(if report.ok {
        format!("All is well. {} wait to be worked on. Digest {}.", report.waiting, report.digest)
    } else {
        format!("{} problems. Digest {}.", report.problems.len(), report.digest)
    });
    lines.join("\n")
}
