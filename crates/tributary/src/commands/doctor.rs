//! `tributary doctor`: looks at everything and changes nothing.

mod installation;

use crate::config::Config;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use serde::Serialize;
use tributary_server::connect::Checkup;

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Finding {
    /// What.
    name: &'static str,
    /// Is it well?
    ok: bool,
    /// In words.
    words: String,
}

/// Everything that was looked at.
#[derive(Debug, Serialize)]
struct Report {
    ok: bool,
    version: &'static str,
    findings: Vec<Finding>,
    connections: Vec<Checkup>,
    /// Is it the database that cannot be reached?
    #[serde(skip)]
    unreachable: bool,
}

impl Report {
    fn good(&mut self, name: &'static str, words: impl Into<String>) {
        self.findings.push(Finding { name, ok: true, words: words.into() });
    }

    fn bad(&mut self, name: &'static str, words: impl Into<String>) {
        self.findings.push(Finding { name, ok: false, words: words.into() });
    }
}

pub(super) async fn run(config: &Config, out: &Output) -> Result<Exit, Failure> {
    let mut report = Report {
        ok: true,
        version: env!("CARGO_PKG_VERSION"),
        findings: Vec::new(),
        connections: Vec::new(),
        unreachable: false,
    };
    installation::look(config, &mut report, out).await;
    report.ok = report.findings.iter().all(|finding| finding.ok)
        && report.connections.iter().all(|one| one.problems.is_empty());
    out.answer(&report, words)?;
    Ok(match (report.ok, report.unreachable) {
        (true, _) => Exit::Ok,
        (false, true) => Exit::Unavailable,
        (false, false) => Exit::Problems,
    })
}

fn words(report: &Report) -> String {
    let mut lines = vec![format!("Tributary {}", report.version)];
    let mark = |ok| if ok { "ok     " } else { "PROBLEM" };
    for finding in &report.findings {
        lines.push(format!("{} {}: {}", mark(finding.ok), finding.name, finding.words));
    }
    for one in &report.connections {
        let skew = one.clock_skew_s.map(|s| format!(", clock {s:+} s")).unwrap_or_default();
        let arrived = if one.arrivals.last_received_at.is_some() { "events arrive" } else { "no event yet" };
        lines.push(format!(
            "{} {}: {} {} ({}), endpoint {:?}, {arrived}, {} waiting, {} parked{skew}",
            mark(one.problems.is_empty()),
            one.connection_id,
            one.account_id,
            one.mode,
            one.key,
            one.endpoint,
            one.arrivals.pending + one.arrivals.awaiting_link,
            one.arrivals.parked,
        ));
        if let Some(tokens) = &one.tokens {
            let state = if tokens.refused.is_empty() { "renewable" } else { tokens.refused.as_str() };
            lines.push(format!("        . by a Stripe App, renewed {} times: {state}", tokens.renewed));
        }
        let verified = one.secrets.iter().filter(|secret| secret.verified_at.is_some()).count();
        if !one.secrets.is_empty() {
            lines.push(format!(
                "        . {} signing secrets, {verified} of them have verified",
                one.secrets.len()
            ));
        }
        lines.extend(one.problems.iter().map(|problem| format!("        - {problem}")));
        lines.extend(one.remarks.iter().map(|remark| format!("        . {remark}")));
    }
    lines.join("\n")
}
