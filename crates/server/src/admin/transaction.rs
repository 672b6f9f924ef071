//! One transaction, explained: what happened, the sum, why this partner, and what was posted.

use crate::ui::badge::{Badge, Id};
use crate::ui::frame::Frame;
use crate::ui::money::Money;
use crate::ui::when::Instant;
use askama::Template;

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "pages/transaction.html")]
pub struct TransactionPage {
    /// Around it.
    pub frame: Frame,
    /// The root object.
    pub root: Id,
    /// Who paid, as far as is known.
    pub customer: String,
    /// What was paid.
    pub paid: Money,
    /// Where it stands.
    pub badges: Vec<Badge>,
    /// The whole matter in one sentence.
    pub lead: String,
    /// What happened, in order of time.
    pub story: Vec<StoryStep>,
    /// "Why $9.00".
    pub sum_title: String,
    /// The sum, line by line.
    pub sum: Vec<SumLine>,
    /// What stands under the sum.
    pub sum_note: String,
    /// "Why Maya Lindqvist", "Why nobody".
    pub why_title: String,
    /// The attribution in one sentence.
    pub because: String,
    /// All that was considered.
    pub evidence: Vec<EvidenceRow>,
    /// What was posted, in order.
    pub postings: Vec<PostingRow>,
    /// What is said where nothing was posted.
    pub no_postings: String,
    /// The same as JSON.
    pub json_href: String,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoryStep {
    /// `calm`, `plus` (money came), `minus` (money went).
    pub class: &'static str,
    /// Its icon.
    pub icon: &'static str,
    /// What happened, in two or three words.
    pub what: String,
    /// The rest of the sentence.
    pub rest: String,
    /// When, if that is known.
    pub at: Option<Instant>,
    /// What it is known by.
    pub notes: Vec<Note>,
}

/// A word with the id that it stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The word.
    pub word: String,
    /// The id behind it.
    pub id: Option<Id>,
}

/// One line of the sum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SumLine {
    /// `step`, `total`, `result` or nothing.
    pub class: &'static str,
    /// What it is.
    pub label: String,
    /// Why it is so much.
    pub why: String,
    /// How much, written out.
    pub value: String,
}

/// One piece of evidence and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvidenceRow {
    /// Did it decide?
    pub won: bool,
    /// What it is.
    pub what: String,
    /// What it says.
    pub says: String,
    /// When it took effect.
    pub at: Option<Instant>,
    /// The object that carries it.
    pub source: Option<Id>,
    /// What became of it.
    pub verdict: Badge,
}

/// One entry of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostingRow {
    /// The day it was posted.
    pub day: String,
    /// The account that gives.
    pub from: String,
    /// The account that takes.
    pub to: String,
    /// Why.
    pub reason: String,
    /// How much.
    pub amount: Money,
}
