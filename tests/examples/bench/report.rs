//! The table: for the terminal, the document, and as JSON.

use crate::Plan;
use crate::figures::{Figures, median};
use crate::process::Fail;
use std::path::Path;

const BEGIN: &str = "<!-- bench:begin -->";
const END: &str = "<!-- bench:end -->";

/// How a figure is read.
#[derive(Debug, Clone, Copy)]
enum Unit {
    PerSecond,
    Micros,
    MicrosAsMs,
    PerMille,
    Times,
    KiloBytes,
    Bytes,
    Count,
}

impl Unit {
    fn show(self, value: i64) -> String {
        match self {
            Self::PerSecond => format!("{} /s", grouped(value)),
            Self::Micros => format!("{} µs", grouped(value)),
            Self::MicrosAsMs => format!("{} ms", tenths(value, 1_000)),
            Self::PerMille => format!("{} %", tenths(value, 10)),
            Self::Bytes => format!("{} B", grouped(value)),
            Self::Count => grouped(value),
            Self::Times => format!("{} ×", hundredths(value)),
            Self::KiloBytes => format!("{} MB", tenths(value, 1_000)),
        }
    }
}

fn grouped(value: i64) -> String {
    let digits = value.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) && digit != '-' {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn tenths(value: i64, of: i64) -> String {
    let tenths = (value * 10 + of / 2) / of;
    format!("{}.{}", grouped(tenths / 10), tenths % 10)
}

fn hundredths(thousandths: i64) -> String {
    let hundredths = (thousandths + 5) / 10;
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

/// A goal: at least or at most.
#[derive(Debug, Clone, Copy)]
enum Goal {
    None,
    AtLeast(i64),
    AtMost(i64),
}

/// The table, line by line.
struct Table<'f> {
    figures: &'f Figures,
    lines: Vec<[String; 4]>,
}

impl Table<'_> {
    fn part(&mut self, words: &str) {
        self.lines.push([format!("**{words}**"), String::new(), String::new(), String::new()]);
    }

    fn row(&mut self, words: &str, name: &str, unit: Unit, goal: Goal) {
        self.values(words, self.figures.of(name), unit, goal);
    }

    fn ratio(&mut self, words: &str, (name, to): (&str, &str), unit: Unit, goal: Goal) {
        self.values(words, &self.figures.ratio(name, to), unit, goal);
    }

    fn values(&mut self, words: &str, values: &[i64], unit: Unit, goal: Goal) {
        let (Some(least), Some(most)) = (values.iter().min(), values.iter().max()) else { return };
        let middle = median(values);
        let range = if least == most {
            String::new()
        } else {
            format!("{} – {}", unit.show(*least), unit.show(*most))
        };
        let (wanted, met) = match goal {
            Goal::None => (String::new(), true),
            Goal::AtLeast(bound) => (format!("≥ {}", unit.show(bound)), middle >= bound),
            Goal::AtMost(bound) => (format!("≤ {}", unit.show(bound)), middle <= bound),
        };
        let verdict = match (wanted.is_empty(), met) {
            (true, _) => String::new(),
            (false, true) => format!("{wanted}: met"),
            (false, false) => format!("{wanted}: **missed**"),
        };
        self.lines.push([words.to_owned(), unit.show(middle), range, verdict]);
    }

    fn engine(&mut self, engine: &str, words: &str) {
        if self.figures.of(&format!("{engine}_accept_64")).is_empty() {
            return;
        }
        self.part(&format!("Webhooks on {words}"));
        for connections in ["64", "16"] {
            let name = format!("{engine}_accept_{connections}");
            let over = format!("over {connections} connections");
            let bare = format!("bare_{connections}");
            self.row(&format!("accepted, the pipeline idle, {over}"), &name, Unit::PerSecond, Goal::None);
            let goal = if engine == "sqlite" { Goal::AtLeast(25) } else { Goal::None };
            self.ratio("… to an axum answer that does nothing", (&name, &bare), Unit::PerMille, goal);
            let goal = if name == "sqlite_accept_64" { Goal::AtLeast(1_000) } else { Goal::None };
            self.ratio("… to fdatasync", (&name, "fdatasync"), Unit::Times, goal);
            self.row("… p50", &format!("{name}_p50"), Unit::MicrosAsMs, Goal::None);
            self.row("… p99", &format!("{name}_p99"), Unit::MicrosAsMs, Goal::None);
            self.row(
                "… processor time of the server, an event",
                &format!("{name}_cpu"),
                Unit::Micros,
                Goal::None,
            );
        }
        for connections in ["64", "16"] {
            let name = format!("{engine}_shipped_{connections}");
            let (ledger, accept) = (format!("{name}_ledger"), format!("{engine}_accept_{connections}"));
            let over = format!("over {connections} connections");
            self.row(
                &format!("accepted while the pipeline works, {over}"),
                &name,
                Unit::PerSecond,
                Goal::None,
            );
            self.ratio(
                "… to an axum answer that does nothing",
                (&name, &format!("bare_{connections}")),
                Unit::PerMille,
                Goal::None,
            );
            self.ratio("… to fdatasync", (&name, "fdatasync"), Unit::Times, Goal::None);
            self.row("… p50", &format!("{name}_p50"), Unit::MicrosAsMs, Goal::None);
            self.row("… p99", &format!("{name}_p99"), Unit::MicrosAsMs, Goal::None);
            self.row(&format!("event to ledger, {over}"), &ledger, Unit::PerSecond, Goal::None);
            self.ratio(
                "… to accepted while the pipeline works",
                (&ledger, &name),
                Unit::PerMille,
                Goal::AtLeast(500),
            );
            self.ratio("… to accepted, the pipeline idle", (&ledger, &accept), Unit::PerMille, Goal::None);
            self.row(
                "… processor time of the server, an event",
                &format!("{name}_cpu"),
                Unit::Micros,
                Goal::None,
            );
        }
        self.row("memory after that", &format!("{engine}_memory_load"), Unit::KiloBytes, Goal::None);
        self.row("`verify` beside the server", &format!("{engine}_verify"), Unit::MicrosAsMs, Goal::None);
    }

    fn history(&mut self) {
        for (order, words) in [("in_order", "in order"), ("shuffled", "shuffled")] {
            let start = format!("history_{order}_");
            let mut steps: Vec<i64> =
                self.figures.after(&start).filter_map(|rest| rest.parse().ok()).collect();
            steps.sort_unstable();
            let (Some(first), Some(last)) = (steps.first(), steps.last()) else { continue };
            self.part(&format!("One customer with {} sales, {words}", grouped(*last)));
            let step = *first;
            for reached in &steps {
                let (from, to) = (grouped(reached - step + 1), grouped(*reached));
                let name = format!("{start}{reached}");
                self.row(&format!("a sale, from {from} to {to}"), &name, Unit::Micros, Goal::None);
            }
            let flat = (format!("{start}{last}_cpu"), format!("{start}{first}_cpu"));
            self.ratio(
                "… processor time of the last to the first",
                (&flat.0, &flat.1),
                Unit::Times,
                Goal::None,
            );
            let flat = (format!("{start}{last}"), format!("{start}{first}"));
            self.ratio("… the last to the first", (&flat.0, &flat.1), Unit::Times, Goal::AtMost(2_000));
            self.row("in all", &format!("{start}total"), Unit::MicrosAsMs, Goal::None);
            self.row("`verify` beside the server", &format!("{start}verify"), Unit::MicrosAsMs, Goal::None);
        }
    }
}

fn table(figures: &Figures) -> Vec<[String; 4]> {
    let mut table = Table { figures, lines: Vec::new() };
    table.part("The machine");
    table.row(
        "4 KiB appended and made durable (fdatasync), one thread",
        "fdatasync",
        Unit::PerSecond,
        Goal::None,
    );
    for connections in ["64", "16"] {
        let name = format!("bare_{connections}");
        let words = format!("axum reads 4 KB and answers, {connections} connections");
        table.row(&words, &name, Unit::PerSecond, Goal::None);
    }
    table.engine("sqlite", "SQLite");
    table.engine("postgres", "PostgreSQL");
    table.history();
    table.part("The Overview at 1,000,000 visits and 100,000 sales (SQLite)");
    for (name, words) in [
        ("overview", "30 days"),
        ("overview_90d", "90 days"),
        ("overview_12m", "12 months"),
        ("overview_visits", "30 days, the chart of visits"),
    ] {
        table.row(&format!("{words}, p50"), &format!("{name}_p50"), Unit::MicrosAsMs, Goal::None);
        let goal = if name == "overview" { Goal::AtMost(20_000) } else { Goal::None };
        table.row("… p95", &format!("{name}_p95"), Unit::MicrosAsMs, goal);
        table.row("… p99", &format!("{name}_p99"), Unit::MicrosAsMs, Goal::None);
    }
    table.part("Short links, 64 connections");
    for (engine, words) in [("sqlite", "SQLite"), ("postgres", "PostgreSQL")] {
        let name = |way: &str| format!("{engine}_redirect_{way}");
        table.row(
            &format!("axum redirects and stores nothing, beside {words}"),
            &name("bare"),
            Unit::PerSecond,
            Goal::None,
        );
        for (way, said, goal) in
            [("committed", "its visit committed first", 30), ("queued", "its visit queued", 150)]
        {
            let own = name(way);
            table.row(&format!("a redirect, {said}, {words}"), &own, Unit::PerSecond, Goal::None);
            table.ratio("… to the bare redirect", (&own, &name("bare")), Unit::PerMille, Goal::AtLeast(goal));
            table.row("… p50", &format!("{own}_p50"), Unit::MicrosAsMs, Goal::None);
            table.row("… p99", &format!("{own}_p99"), Unit::MicrosAsMs, Goal::None);
            table.row(
                "… visits not counted for want of room",
                &format!("{own}_dropped"),
                Unit::Count,
                Goal::None,
            );
        }
    }
    table.part("Size");
    table.row("tracking script, gzipped, on the wire", "script", Unit::Bytes, Goal::AtMost(1_400));
    table.row("start to ready", "start", Unit::MicrosAsMs, Goal::AtMost(300_000));
    table.row("memory idle", "memory_idle", Unit::KiloBytes, Goal::AtMost(60_000));
    table.row("… after the log-in page", "memory_page", Unit::KiloBytes, Goal::AtMost(60_000));
    table.row("… a second after load", "memory_after", Unit::KiloBytes, Goal::None);
    table.row("binary, stripped", "binary", Unit::KiloBytes, Goal::AtMost(30_000));
    table.lines
}

/// Prints the table, writes the figures, and the document if one was named.
pub(crate) fn tell(plan: &Plan, figures: &Figures) -> Result<(), Fail> {
    if let Some(folder) = plan.out.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(&plan.out, format!("{}\n", serde_json::to_string_pretty(&figures.json())?))?;
    let lines = table(figures);
    let widths: Vec<usize> =
        (0..4).map(|at| lines.iter().map(|line| line[at].chars().count()).max().unwrap_or(0)).collect();
    for line in &lines {
        let cells: Vec<String> =
            line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        println!("{}", cells.join("  ").trim_end().replace("**", ""));
    }
    if let Some(document) = &plan.document {
        write_document(document, figures, &lines)?;
    }
    Ok(())
}

fn write_document(document: &Path, figures: &Figures, lines: &[[String; 4]]) -> Result<(), Fail> {
    let text = std::fs::read_to_string(document)?;
    let (Some((before, _)), Some((_, after))) = (text.split_once(BEGIN), text.split_once(END)) else {
        return Err(format!("{} has no {BEGIN} … {END}", document.display()).into());
    };
    let mut made = String::new();
    for (name, said) in &figures.about {
        made.push_str(&format!("- {name}: {said}\n"));
    }
    made.push_str("\n| what | median | lowest – highest | goal |\n|---|---|---|---|\n");
    for line in lines {
        made.push_str(&format!("| {} |\n", line.join(" | ")));
    }
    std::fs::write(document, format!("{before}{BEGIN}\n{made}{END}{after}"))?;
    Ok(())
}
