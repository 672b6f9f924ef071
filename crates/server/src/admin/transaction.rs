//! One transaction, explained: what happened, the sum, why this partner, and what was posted.

use super::error::PageError;
use super::visit::{self, Visit};
use super::{explained, sum, words};
use crate::App;
use crate::pipeline::explain::{self, Explanation};
use crate::ui::Tone;
use crate::ui::badge::{Badge, Id};
use crate::ui::frame::{Frame, Section};
use crate::ui::money::Money;
use crate::ui::page::page;
use crate::ui::text::{encode, object_word};
use crate::ui::when::{Instant, day};
use askama::Template;
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use tributary_store::pages::frame as stored;
use tributary_store::{StoreError, Tx, Unit};

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
    /// The policy that was applied.
    pub policy: String,
    /// All that was considered.
    pub evidence: Vec<EvidenceRow>,
    /// What was posted, in order.
    pub postings: Vec<PostingRow>,
    /// What is said where nothing was posted.
    pub no_postings: String,
    /// The page that decides; empty for those who only look on.
    pub decide_href: String,
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

/// What the address may ask for.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    r#as: Option<String>,
}

/// `GET /p/{program}/transactions/{any id of it}`
pub async fn get(
    State(app): State<App>,
    visit: Visit,
    Path(path): Path<(String, String)>,
    Query(asked): Query<Asked>,
) -> Response {
    let result = show(&app, &visit, path, asked.r#as.as_deref() == Some("json")).await;
    visit.answer(result)
}

async fn show(app: &App, visit: &Visit, path: (String, String), json: bool) -> Result<Response, PageError> {
    let (public_id, key) = path;
    let workspace_id = visit.session.workspace_id.clone();
    let loaded = app.db.read(Load { workspace_id: workspace_id.clone(), public_id }).await?;
    let program_id = &loaded.shown.program.program_id;
    let explained =
        explain::in_program(app, &workspace_id, program_id, &key).await?.ok_or(PageError::NotFound)?;
    if json {
        return Ok(Json(explained).into_response());
    }
    Ok(page(StatusCode::OK, &compose(visit, &loaded, &explained)))
}

fn compose(visit: &Visit, loaded: &stored::Frame, e: &Explanation) -> TransactionPage {
    let customer = match &e.customer {
        Some(customer) => {
            let texts = [customer.email.clone(), customer.name.clone(), String::new(), customer.key.clone()];
            words::buyer(&texts, "")
        }
        None => "an unknown buyer".to_owned(),
    };
    let paid = words::money(e.paid, &e.currency);
    let title = format!("{} from {customer}", paid.text());
    let frame = visit.frame(loaded, Section::Transactions, &title);
    let json_href = frame.program.href(&format!("transactions/{}?as=json", encode(&e.root_id)));
    let target = e.target.as_ref().map(|target| Money::new(target.amount, target.currency));
    let who = e.partner.as_ref().map(|partner| partner.name.clone());
    TransactionPage {
        root: Id::new(object_word(&e.root_id), &e.root_id),
        paid,
        badges: badges(e),
        lead: lead(e, target, who.as_deref()),
        story: explained::story(&e.story),
        sum_title: format!("Why {}", target.unwrap_or_else(|| words::money(0, &e.currency)).text()),
        sum: sum::lines(e),
        sum_note: sum_note(e),
        why_title: format!("Why {}", who.as_deref().unwrap_or("nobody")),
        because: e.attribution.as_ref().map_or_else(|| e.place_reason.clone(), |why| why.because.clone()),
        policy: e.attribution.as_ref().map(|why| why.policy.clone()).unwrap_or_default(),
        evidence: e.attribution.as_ref().map(|why| explained::evidence(&why.considered)).unwrap_or_default(),
        postings: explained::postings(&e.postings),
        no_postings: "Nothing was posted for this sale.".to_owned(),
        decide_href: if visit.may_write() {
            frame.program.href(&format!("transactions/{}/decide", encode(&e.root_id)))
        } else {
            String::new()
        },
        json_href,
        customer,
        frame,
    }
}

fn badges(e: &Explanation) -> Vec<Badge> {
    let gone = words::Gone { refunded: e.refunded, lost: e.lost, disputed: e.disputed };
    let mut badges = vec![words::sale_badge(&e.state, !e.settled, e.paid, gone)];
    let earns = e.target.as_ref().is_some_and(|target| target.amount > 0);
    if e.matured_at.is_some() && e.disputed > 0 && earns {
        badges.push(Badge::with(Tone::Warn, "circle-alert", "At risk"));
    } else if e.matured_at.is_some() {
        badges.push(Badge::new(Tone::Good, "Payable"));
    }
    if e.tax_unknown {
        badges.push(Badge::with(Tone::Plain, "info", "Tax unknown"));
    }
    badges
}

fn lead(e: &Explanation, target: Option<Money>, who: Option<&str>) -> String {
    match (&e.target, target, who) {
        (Some(target), Some(money), Some(who)) if target.amount > 0 => {
            let when = match e.matured_at {
                Some(at) if e.disputed > 0 => {
                    format!("payable since {}, at risk while a dispute is open", day(at))
                }
                Some(at) => format!("payable since {}", day(at)),
                None if e.disputed > 0 => "in its hold while a dispute is open".to_owned(),
                None => format!("payable on {}", day(target.payable_at)),
            };
            format!("{who} earns {}, {when}.", money.text())
        }
        _ => e.outcome_words.clone(),
    }
}

fn sum_note(e: &Explanation) -> String {
    let Some(target) = e.target.as_ref().filter(|target| target.amount > 0) else {
        return "What Stripe says later is computed again from the start.".to_owned();
    };
    if let Some(risk) = e.risk_words() {
        return risk;
    }
    match e.matured_at {
        Some(at) => format!("Out of its hold and payable since {}.", day(at)),
        None => format!("In its hold until {}, then payable.", day(target.payable_at)),
    }
}

struct Load {
    workspace_id: String,
    public_id: String,
}

impl Unit for Load {
    type Out = stored::Frame;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<stored::Frame, StoreError> {
        visit::load(tx, &self.workspace_id, &self.public_id).await
    }
}
