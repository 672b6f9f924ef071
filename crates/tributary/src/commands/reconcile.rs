//! `tributary reconcile`

use super::stripe_backfill::{one, rest};
use crate::cli::ReconcileArgs;
use crate::config::Config;
use crate::failure::{Exit, Failure};
use crate::open::{Begin, app};
use crate::output::Output;
use serde::Serialize;
use tributary_domain::money::{Currency, format_major};
use tributary_server::App;
use tributary_server::imports::{Kind, Named, Wish, find};
use tributary_server::reconcile::{Ask, Line, PERIOD_MAX_MS, Report, heal, report};
use tributary_store::connections::Connection;
use tributary_store::workspaces::Program;

#[derive(Debug, Serialize)]
struct Answer {
    /// Does everything tie?
    ties: bool,
    /// The program's public id.
    program: String,
    /// The period, ISO 8601; its end does not belong to it.
    from: String,
    /// The period's end.
    to: String,
    /// Objects that were fetched to mend what was missing or different.
    healed: usize,
    /// One a connection.
    connections: Vec<Compared>,
}

#[derive(Debug, Serialize)]
struct Compared {
    connection_id: String,
    account_id: String,
    mode: String,
    #[serde(flatten)]
    report: Report,
}

pub(super) async fn run(config: &Config, args: &ReconcileArgs, out: &Output) -> Result<Exit, Failure> {
    if args.from >= args.to {
        return Err(Failure::usage("--to must not lie before --from."));
    }
    if args.to - args.from > PERIOD_MAX_MS {
        return Err(Failure::usage("A period has at most 400 days."));
    }
    let app = app(config, Begin::Take, out).await?;
    let named = Named::Program(args.program.clone());
    let missing = || Failure::usage(format!("--program: there is no program {:?}.", args.program));
    let found = find(&app, named).await?.ok_or_else(missing)?;
    let program = found.program.ok_or_else(missing)?;
    if found.connections.is_empty() {
        return Err(Failure::problem(
            "No Stripe account is connected there. Run `tributary stripe connect` first.",
        ));
    }
    let mut answer = Answer {
        ties: true,
        program: program.public_id.clone(),
        from: iso(args.from),
        to: iso(args.to),
        healed: 0,
        connections: Vec::new(),
    };
    for connection in &found.connections {
        let (compared, healed) = compare(&app, connection, &program, args, out).await?;
        answer.ties &= compared.report.ties;
        answer.healed += healed;
        answer.connections.push(compared);
    }
    app.db.close().await;
    out.answer(&answer, words)?;
    Ok(if answer.ties { Exit::Ok } else { Exit::Problems })
}

async fn compare(
    app: &App,
    connection: &Connection,
    program: &Program,
    args: &ReconcileArgs,
    out: &Output,
) -> Result<(Compared, usize), Failure> {
    let wish = Wish {
        kind: Kind::Reconcile,
        since_at: Some(args.from),
        until_at: Some(args.to),
        started_by: "command",
    };
    let mut run = one(app, connection, &wish, out).await?;
    if run.state == "done" && (run.since_at, run.until_at) != (args.from, args.to) {
        // Another comparison was under way and came to its end; now this one.
        run = one(app, connection, &wish, out).await?;
    }
    match run.state.as_str() {
        "done" => {}
        "running" => return Err(Failure::unavailable(run.last_error.clone())),
        _ => return Err(Failure::problem(run.last_error.clone())),
    }
    rest(app).await?;
    let healed = if args.heal { heal(app, &run, &program.program_id).await? } else { 0 };
    if healed > 0 {
        rest(app).await?;
    }
    let limit = usize::try_from(args.limit).unwrap_or(usize::MAX);
    let ask = Ask { run, program_id: program.program_id.clone(), status: None, list: None, limit };
    let compared = Compared {
        connection_id: connection.connection_id.clone(),
        account_id: connection.account_id.clone(),
        mode: connection.mode.clone(),
        report: report(app, ask).await?,
    };
    Ok((compared, healed))
}

fn iso(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).map(|at| at.to_string()).unwrap_or_default()
}

fn money(minor: i64, code: &str) -> String {
    match Currency::parse(code) {
        Ok(currency) => format!("{} {}", format_major(minor, currency), code.to_ascii_uppercase()),
        Err(_) => format!("{minor} {code}"),
    }
}

fn words(answer: &Answer) -> String {
    let mut lines = Vec::new();
    if answer.healed > 0 {
        lines.push(format!("Fetched {} objects from Stripe.", answer.healed));
    }
    for compared in &answer.connections {
        lines.push(format!("{} ({} mode)", compared.account_id, compared.mode));
        for sum in &compared.report.sums {
            lines.push(format!(
                "  {} {}: Stripe {}, Tributary {}, difference {}",
                sum.objects,
                sum.list,
                money(sum.stripe, &sum.currency),
                money(sum.tributary, &sum.currency),
                money(sum.difference, &sum.currency)
            ));
        }
        for count in &compared.report.counts {
            lines.push(format!("  {}: {}", count.status.words(), count.lines));
        }
        let problems = compared.report.lines.iter().filter(|line| line.status.is_problem());
        lines.extend(problems.map(problem));
    }
    lines.push(if answer.ties {
        "All ties.".to_owned()
    } else {
        "It does not tie. `--heal` fetches what is missing or different.".to_owned()
    });
    lines.join("\n")
}

fn problem(line: &Line) -> String {
    format!(
        "  {} {}: Stripe {}, Tributary {}. {}",
        line.status.words(),
        line.object_id,
        money(line.stripe, &line.currency),
        money(line.tributary, &line.currency),
        line.reason
    )
}
