//! `tributary doctor`: looks at everything and changes nothing.

mod checklist;
mod installation;

use crate::config::Config;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use serde::Serialize;
use tributary_server::connect::Checkup;
use tributary_store::StoreError;

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
    /// The operator's checklist, where it was asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    checklists: Vec<checklist::Walk>,
    /// Is it the database that cannot be reached?
    #[serde(skip)]
    unreachable: bool,
    /// Is the checklist walked?
    #[serde(skip)]
    walks: bool,
}

impl Report {
    fn good(&mut self, name: &'static str, words: impl Into<String>) {
        self.findings.push(Finding { name, ok: true, words: words.into() });
    }

    fn bad(&mut self, name: &'static str, words: impl Into<String>) {
        self.findings.push(Finding { name, ok: false, words: words.into() });
    }

    /// An error of the database: it is out of reach, or something is wrong with what is in it.
    fn failed(&mut self, name: &'static str, error: &StoreError) {
        self.unreachable |= error.is_unavailable();
        self.bad(name, error.to_string());
    }

    /// 3 where the database or Stripe is out of reach and that is all there is to say; a problem that can be mended here
    /// is 1.
    fn exit(&self) -> Exit {
        if self.ok {
            return Exit::Ok;
        }
        let mendable = self.findings.iter().filter(|finding| !finding.ok).count()
            > usize::from(self.unreachable)
            || self.connections.iter().any(|one| one.problems.len() > usize::from(!one.reached));
        if mendable { Exit::Problems } else { Exit::Unavailable }
    }
}

pub(super) async fn run(config: &Config, walks: bool, out: &Output) -> Result<Exit, Failure> {
    let mut report = Report {
        ok: true,
        version: env!("CARGO_PKG_VERSION"),
        findings: Vec::new(),
        connections: Vec::new(),
        checklists: Vec::new(),
        unreachable: false,
        walks,
    };
    installation::look(config, &mut report, out).await;
    report.ok = report.findings.iter().all(|finding| finding.ok)
        && report.connections.iter().all(|one| one.problems.is_empty());
    out.answer(&report, words)?;
    Ok(report.exit())
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
    for walk in &report.checklists {
        checklist::words(walk, &mut lines);
    }
    lines.join("\n")
}
