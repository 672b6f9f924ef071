//! What was measured: every value of every round, by name. Whole numbers only.

use crate::Plan;
use crate::process::Fail;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The figures of one run.
#[derive(Debug)]
pub(crate) struct Figures {
    values: BTreeMap<String, Vec<i64>>,
    /// What they were measured on, and of what.
    pub(crate) about: BTreeMap<&'static str, String>,
    loads: Vec<String>,
}

impl Figures {
    /// None yet.
    pub(crate) const fn new() -> Self {
        Self { values: BTreeMap::new(), about: BTreeMap::new(), loads: Vec::new() }
    }

    /// Notes a value of the current round.
    pub(crate) fn note(&mut self, name: &str, value: i64) {
        self.values.entry(name.to_owned()).or_default().push(value);
    }

    /// All values of a name, in the order of the rounds.
    pub(crate) fn of(&self, name: &str) -> &[i64] {
        self.values.get(name).map_or(&[], Vec::as_slice)
    }

    /// One figure divided by another, round by round, in thousandths.
    pub(crate) fn ratio(&self, name: &str, to: &str) -> Vec<i64> {
        self.of(name).iter().zip(self.of(to)).map(|(a, b)| a * 1_000 / (*b).max(1)).collect()
    }

    /// Names that begin so, with what follows.
    pub(crate) fn after<'a>(&'a self, start: &'a str) -> impl Iterator<Item = &'a str> {
        self.values.keys().filter_map(move |name| name.strip_prefix(start))
    }

    /// Notes how busy the machine is.
    pub(crate) fn load_average(&mut self, round: usize) -> Result<(), Fail> {
        let said = std::fs::read_to_string("/proc/loadavg")?;
        let first = said.split_whitespace().next().unwrap_or_default();
        self.loads.push(format!("{first} before round {round}"));
        self.about.insert("load average", self.loads.join(", "));
        Ok(())
    }

    /// Notes what machine this is, and what is measured.
    pub(crate) fn say_machine(&mut self, plan: &Plan) -> Result<(), Fail> {
        let memory = std::fs::read_to_string("/proc/meminfo")?;
        let kb = memory.lines().find_map(|line| line.strip_prefix("MemTotal:")).unwrap_or_default();
        let kb: u64 = kb.trim().trim_end_matches("kB").trim().parse()?;
        let cores = std::thread::available_parallelism()?;
        let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease")?;
        let about = [
            ("machine", format!("{cores} cores, {} GiB, Linux {}", kb / 1_048_576, kernel.trim())),
            ("commit", std::env::var("TRIBUTARY_BENCH_COMMIT").unwrap_or_else(|_| "unknown".to_owned())),
            ("date", std::env::var("TRIBUTARY_BENCH_DATE").unwrap_or_else(|_| "unknown".to_owned())),
            ("rounds", plan.rounds.to_string()),
            ("events a round", format!("{} (SQLite and PostgreSQL each)", plan.purchases * 9 / 2)),
        ];
        self.about.extend(about);
        Ok(())
    }

    /// Everything, for programs.
    pub(crate) fn json(&self) -> Value {
        let values = self.values.iter().map(|(name, values)| {
            let figure = json!({ "median": median(values), "values": values });
            (name.clone(), figure)
        });
        let about: serde_json::Map<String, Value> =
            self.about.iter().map(|(name, said)| ((*name).to_owned(), json!(said))).collect();
        json!({
            "about": about,
            "units": "rates: a second; p50, p99, cpu, start, verify, total, history: µs; memory: kB of 1,024; binary: kB of 1,000",
            "figures": values.collect::<serde_json::Map<_, _>>(),
        })
    }
}

/// The middle value.
pub(crate) fn median(values: &[i64]) -> i64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let middle = sorted.len() / 2;
    match sorted.len() % 2 {
        0 => sorted.get(middle.saturating_sub(1)..=middle).map_or(0, |two| two.iter().sum::<i64>() / 2),
        _ => sorted.get(middle).copied().unwrap_or(0),
    }
}
