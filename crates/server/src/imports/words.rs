//! A run in words and figures, for pages and commands.

use super::steps::{self, Kind};
use serde::Serialize;
use std::collections::BTreeMap;
use tributary_store::imports::Run;

/// How far a run is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Progress {
    /// `imp_…`
    pub run_id: String,
    /// `con_…`
    pub connection_id: String,
    /// `events`, `objects` or `reconcile`.
    pub kind: String,
    /// `running`, `paused`, `done` or `failed`.
    pub state: String,
    /// Who began it: `start`, `hourly`, `person` or `command`.
    pub started_by: String,
    /// From when it reads; `None` is from the beginning. ISO 8601.
    pub since: Option<String>,
    /// What is read now, in words; empty when nothing is.
    pub reading: String,
    /// Which list that is, from 1; lists in all where it is over.
    pub step: usize,
    /// Lists in all.
    pub steps: usize,
    /// Objects read.
    pub done: i64,
    /// Events that were new, or objects that were kept.
    pub new: i64,
    /// How many there are in all; `None` while that is unknown.
    pub total: Option<i64>,
    /// Objects read by list.
    pub counts: BTreeMap<String, i64>,
    /// What a person should know.
    pub notes: Vec<String>,
    /// Why it stopped or waits; else empty.
    pub error: String,
    /// When it began. ISO 8601.
    pub started: String,
    /// When it ended. ISO 8601.
    pub finished: Option<String>,
}

/// A run in words.
#[must_use]
pub fn progress(run: &Run) -> Progress {
    let steps = Kind::of(run).steps().len();
    let over = run.state == "done";
    let current = steps::current(run).filter(|_| !over);
    let mut notes: Vec<String> = Vec::new();
    if let Some(gap) = run.gap_from {
        notes.push(gap_words(gap, run.since_at));
    }
    notes.extend(serde_json::from_str::<Vec<String>>(&run.notes).unwrap_or_default());
    Progress {
        run_id: run.run_id.clone(),
        connection_id: run.connection_id.clone(),
        kind: run.kind.clone(),
        state: run.state.clone(),
        started_by: run.started_by.clone(),
        since: (run.since_at > 0).then(|| iso(run.since_at)),
        reading: current.map(|(step, _)| step.words().to_owned()).unwrap_or_default(),
        step: current.map_or(steps, |(_, number)| number),
        steps,
        done: run.done,
        new: run.fresh,
        total: run.total,
        counts: serde_json::from_str(&run.counts).unwrap_or_default(),
        notes,
        error: run.last_error.clone(),
        started: iso(run.started_at),
        finished: run.finished_at.map(iso),
    }
}

/// Why a part of the past cannot be read as events, and what helps.
#[must_use]
pub fn gap_words(from: i64, until: i64) -> String {
    format!(
        "Stripe keeps events for 30 days: what happened from {} to {} cannot be read as events any more. Import the \
         history since {} instead.",
        day(from),
        day(until),
        day(from)
    )
}

fn iso(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).map(|at| at.to_string()).unwrap_or_default()
}

/// `2026-11-27`, UTC.
#[must_use]
pub fn day(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms)
        .map(|at| at.to_zoned(jiff::tz::TimeZone::UTC).date().to_string())
        .unwrap_or_default()
}
