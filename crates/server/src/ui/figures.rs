//! Numbers that are looked at: cards with a comparison, and how far something has come.

use super::Tone;
use askama::Template;

/// One number with what it was in the period before.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "components/kpi.html")]
pub struct Kpi {
    /// What is counted.
    pub label: String,
    /// The number as it is read.
    pub value: String,
    /// The comparison in words: "12 % more than in the 30 days before".
    pub compared: String,
    /// Is the change good, bad, neither?
    pub tone: Tone,
}
impl askama::filters::HtmlSafe for Kpi {}

/// How far something has come; a known total makes it a bar.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "components/progress.html")]
pub struct Progress {
    /// What is being done.
    pub label: String,
    /// How many are done.
    pub done: i64,
    /// Of how many, where that is known.
    pub total: Option<i64>,
}
impl askama::filters::HtmlSafe for Progress {}
