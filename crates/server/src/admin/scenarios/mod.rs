//! Test scenarios: with a sandbox connected, stories to play at one click, and what they brought beside what they
//! had to bring.

pub mod play;
mod sandbox;

use super::error::PageError;
use super::visit::{self, Visit};
use super::{events, words};
use crate::App;
use crate::ui::Tone;
use crate::ui::badge::{Badge, Id};
use crate::ui::controls::Select;
use crate::ui::frame::{Frame, Section};
use crate::ui::lists::{Bar, Empty};
use crate::ui::page::page;
use crate::ui::text::{encode, object_word};
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use sandbox::{Expected, Story};
use serde::Deserialize;
use tributary_domain::terms::{Reward, in_force};
use tributary_store::connections::{self, Connection};
use tributary_store::pages::frame as stored;
use tributary_store::pages::{Place, scenarios};
use tributary_store::{StoreError, Tx, Unit, workspaces};

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "pages/scenarios.html")]
pub struct ScenariosPage {
    /// Around it.
    pub frame: Frame,
    /// What went wrong, or what is to be known first.
    pub notice: Option<Bar>,
    /// The last story and what came of it.
    pub played: Option<Played>,
    /// Whom the stories' buyers come from.
    pub partner: Option<Select>,
    /// The stories.
    pub stories: Vec<Story>,
    /// In place of stories, if there are none.
    pub empty: Option<Empty>,
    /// Where the buttons post to.
    pub action: String,
}

/// A story that was played.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Played {
    /// Its name in words.
    pub title: String,
    /// One line per purchase.
    pub rows: Vec<Row>,
    /// All of them together.
    pub badge: Badge,
    /// The same page again.
    pub again: String,
}

/// What one purchase had to bring, and what it brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The purchase.
    pub root: Id,
    /// Its page, if Tributary knows it.
    pub href: Option<String>,
    /// By the sandbox's own reckoning.
    pub expected: String,
    /// By Tributary's ledger.
    pub real: String,
    /// Are they the same?
    pub badge: Badge,
    /// What Tributary says of it.
    pub words: String,
}

/// What the address may ask for.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    pub(super) played: String,
    #[serde(default)]
    pub(super) of: String,
    #[serde(default)]
    pub(super) partner: String,
}

/// `GET /p/{program}/scenarios`
pub async fn get(
    State(app): State<App>,
    visit: Visit,
    Path(public_id): Path<String>,
    Query(asked): Query<Asked>,
) -> Response {
    let result = show(&app, &visit, public_id, asked, None).await;
    visit.answer(result)
}

/// The page; `failed` says what a story stumbled over.
pub(super) async fn show(
    app: &App,
    visit: &Visit,
    public_id: String,
    asked: Asked,
    failed: Option<String>,
) -> Result<Response, PageError> {
    let expected = Expected::read(&asked.of);
    let roots = expected.iter().map(|one| one.root.clone()).collect();
    let workspace_id = visit.session.workspace_id.clone();
    let Loaded { loaded, sandbox, partners, reckoned, found } =
        app.db.read(Load { workspace_id, public_id, roots, now: visit.now }).await?;
    let frame = visit.frame(&loaded, Section::Events, "Test scenarios");
    let path = frame.program.href("scenarios");
    let told = match &sandbox {
        Some(connection) => sandbox::stories(&connection.api_base).await,
        None => Ok(Vec::new()),
    };
    let (stories, silent) = match told {
        Ok(stories) => (stories, None),
        Err(reason) => (Vec::new(), Some(reason)),
    };
    let bar = |tone, text: String| Bar { tone, text, action: None };
    let notice = match (failed, silent) {
        (Some(text), _) => Some(bar(Tone::Bad, text)),
        (None, Some(text)) => Some(bar(Tone::Warn, text)),
        (None, None) if !reckoned.whole && sandbox.is_some() => Some(bar(Tone::Plain, limits(reckoned))),
        (None, None) => None,
    };
    let chosen = if asked.partner.is_empty() { None } else { Some(asked.partner.clone()) };
    let first = chosen.or_else(|| partners.first().map(|(key, _)| key.clone())).unwrap_or_default();
    let played = (!asked.played.is_empty()).then(|| {
        let program_id = &loaded.shown.program.program_id;
        let rows: Vec<Row> = expected
            .iter()
            .zip(&found)
            .map(|(one, found)| row(&frame, one, found.as_ref(), program_id))
            .collect();
        Played {
            title: sandbox::title(&asked.played),
            badge: verdict(&rows),
            rows,
            again: visit.here.clone(),
        }
    });
    let partner = (!partners.is_empty()).then_some(Select {
        name: "partner",
        label: "The buyers come from",
        options: partners,
        value: first,
        help: "The stories name this partner as Stripe's client reference.",
    });
    let shown = ScenariosPage {
        notice,
        empty: empty(sandbox.is_some(), partner.is_some(), &frame),
        stories: if partner.is_some() { stories } else { Vec::new() },
        partner,
        played,
        action: path,
        frame,
    };
    Ok(page(StatusCode::OK, &shown))
}

/// Where the sandbox's word and the ledger may differ, though both are right.
fn limits(reckoned: Reckoned) -> String {
    match reckoned.ppm {
        Some(_) => {
            "The sandbox reckons with this program's percentage alone. Where its months, number of sales, cap or minimum \
             count, the two differ."
        }
        None => "The sandbox reckons with a percentage. This program's reward is fixed, so the two differ.",
    }
    .to_owned()
}

fn empty(sandbox: bool, partner: bool, frame: &Frame) -> Option<Empty> {
    let (title, text, action) = match (sandbox, partner) {
        (false, _) => (
            "No sandbox is connected",
            "Scenarios play against “tributary sandbox” on this machine, never against Stripe.",
            ("Connect it", "integration/stripe"),
        ),
        (true, false) => (
            "No active partner yet",
            "A story needs somebody who refers its buyers.",
            ("Add a partner", "partners/new"),
        ),
        (true, true) => return None,
    };
    let action = Some((action.0.to_owned(), frame.program.href(action.1)));
    Some(Empty { icon: "zap", title: title.to_owned(), text: text.to_owned(), action })
}

/// One purchase: the sandbox's word beside the ledger's.
fn row(frame: &Frame, one: &Expected, found: Option<&scenarios::Brought>, program_id: &str) -> Row {
    let real = found.map_or(0, |found| found.target);
    let waits = found.is_none_or(|found| found.waits);
    let badge = match (real == one.net, waits && one.net != 0) {
        (true, _) => Badge::new(Tone::Good, "Same"),
        (false, true) => Badge::with(Tone::Plain, "clock", "Not yet"),
        (false, false) => Badge::new(Tone::Bad, "Differs"),
    };
    Row {
        root: Id::new(object_word(&one.root), &one.root),
        href: found.map(|_| frame.program.href(&format!("transactions/{}", encode(&one.root)))),
        expected: words::money(one.net, &one.currency).text(),
        real: found.map_or_else(
            || "—".to_owned(),
            |found| {
                let currency = if found.currency.is_empty() { &one.currency } else { &found.currency };
                words::money(found.target, currency).text()
            },
        ),
        badge,
        words: found.map_or_else(
            || "No event about it was worked through yet.".to_owned(),
            |found| events::sale_words(&found.touched, program_id),
        ),
    }
}

fn verdict(rows: &[Row]) -> Badge {
    let has = |words: &str| rows.iter().any(|row| row.badge.text == words);
    if rows.is_empty() {
        Badge::new(Tone::Plain, "Nothing was sold")
    } else if has("Differs") {
        Badge::new(Tone::Bad, "Differs")
    } else if has("Not yet") {
        Badge::with(Tone::Plain, "clock", "Not yet")
    } else {
        Badge::new(Tone::Good, "Same")
    }
}

struct Load {
    workspace_id: String,
    public_id: String,
    roots: Vec<String>,
    now: i64,
}

struct Loaded {
    loaded: stored::Frame,
    sandbox: Option<Connection>,
    partners: Vec<(String, String)>,
    reckoned: Reckoned,
    found: Vec<Option<scenarios::Brought>>,
}

impl Unit for Load {
    type Out = Loaded;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Loaded, StoreError> {
        let loaded = visit::load(tx, &self.workspace_id, &self.public_id).await?;
        let place = loaded.place();
        let sandbox = connection(tx, &place).await?;
        let partners = scenarios::partners(tx, &place).await?;
        let reckoned = reckoned(tx, &place, self.now).await?;
        let mut found = Vec::new();
        for root in &self.roots {
            found.push(match &sandbox {
                Some(one) => scenarios::brought(tx, &place, &one.connection_id, root).await?,
                None => None,
            });
        }
        Ok(Loaded { loaded, sandbox, partners, reckoned, found })
    }
}

/// The program's connection to a sandbox on this machine, if it has one.
pub(super) async fn connection(tx: &mut Tx<'_>, place: &Place) -> Result<Option<Connection>, StoreError> {
    let all = connections::list_of_program(tx, &place.workspace_id, &place.program_id).await?;
    Ok(all.into_iter().find(is_sandbox))
}

/// Only a sandbox is reached on this machine; Stripe never is.
fn is_sandbox(one: &Connection) -> bool {
    one.status != "disconnected"
        && one.mode == "test"
        && tributary_stripe::client::plain::on_this_machine(&one.api_base)
}

/// What the sandbox can reckon of the program's terms.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Reckoned {
    /// The percentage, parts per million; `None` for a fixed reward.
    pub(super) ppm: Option<i64>,
    /// Is a percentage of every sale all that the terms say?
    pub(super) whole: bool,
}

/// The terms in force, as far as the sandbox can reckon with them.
pub(super) async fn reckoned(tx: &mut Tx<'_>, place: &Place, now: i64) -> Result<Reckoned, StoreError> {
    let versions = workspaces::list_terms(tx, &place.workspace_id, &place.program_id).await?;
    let Some(terms) = in_force(&versions, now).map(|version| &version.terms) else {
        return Ok(Reckoned::default());
    };
    let ppm = match &terms.reward {
        Reward::Percent { rate } => Some(rate.ppm()),
        _ => None,
    };
    let whole = terms.duration == tributary_domain::terms::Duration::Lifetime
        && terms.exclude_shipping
        && terms.minimum.is_none()
        && terms.cap.is_none();
    Ok(Reckoned { ppm, whole: whole && ppm.is_some() })
}
