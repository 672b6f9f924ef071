//! The inbox: every event that Stripe reported, one line each, live.

use super::error::PageError;
use super::events_wish::{Asked, Narrow, OUTCOMES, Wish};
use super::visit::{self, Visit};
use super::{event_probe, paging, scenarios, words};
use crate::App;
use crate::ui::Tone;
use crate::ui::badge::{Badge, Id};
use crate::ui::frame::{Frame, Section};
use crate::ui::lists::{Bar, Chip, Chips, Empty, Pager};
use crate::ui::page::page;
use crate::ui::text::{encode, object_word, sentence_case};
use crate::ui::when::{Ago, relative};
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use tributary_store::pages::events::{self as stored, Line, Touched};
use tributary_store::pages::{Direction, frame};
use tributary_store::{StoreError, Tx, Unit};

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "pages/events.html")]
pub struct EventsPage {
    /// Around it.
    pub frame: Frame,
    /// The filters by outcome.
    pub filters: Chips,
    /// The other filters, in a form.
    pub narrow: Narrow,
    /// The same list as CSV.
    pub csv_href: String,
    /// Where the test event is asked for; empty for those who may not.
    pub test_href: String,
    /// The page of test scenarios, if a sandbox is connected.
    pub scenarios_href: Option<String>,
    /// What became of a test event that did not come through.
    pub notice: Option<Bar>,
    /// The events, newest first.
    pub rows: Vec<EventRow>,
    /// In place of rows, if there are none.
    pub empty: Option<Empty>,
    /// The pages around this one.
    pub pager: Pager,
    /// Is it the first page, which renews itself?
    pub live: bool,
    /// Where it renews itself from.
    pub live_href: String,
}

/// The part of the page that renews itself.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "pages/events_list.html")]
pub struct EventsList {
    /// The events, newest first.
    pub rows: Vec<EventRow>,
    /// In place of rows, if there are none.
    pub empty: Option<Empty>,
    /// The pages around this one.
    pub pager: Pager,
    /// Is it the first page, which renews itself?
    pub live: bool,
    /// Where it renews itself from.
    pub live_href: String,
}

impl From<EventsPage> for EventsList {
    fn from(page: EventsPage) -> Self {
        let EventsPage { rows, empty, pager, live, live_href, .. } = page;
        Self { rows, empty, pager, live, live_href }
    }
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRow {
    /// What tells this line from all others.
    pub key: String,
    /// The page about it.
    pub href: String,
    /// When it arrived.
    pub at: Ago,
    /// Stripe's type.
    pub kind: String,
    /// The object it is about.
    pub object: Id,
    /// What became of it.
    pub badge: Badge,
    /// The same in words, with what it changed.
    pub words: String,
}

/// `GET /p/{program}/events`
pub async fn get(
    State(app): State<App>,
    visit: Visit,
    Path(program): Path<String>,
    Query(asked): Query<Asked>,
) -> Response {
    let result = show(&app, &visit, program, asked).await;
    visit.answer(result)
}

async fn show(app: &App, visit: &Visit, public_id: String, asked: Asked) -> Result<Response, PageError> {
    let wish = Wish::read(&asked);
    let (before, after) = (paging::cursor(asked.before.as_deref()), paging::cursor(asked.after.as_deref()));
    let (direction, from) = match (before, after) {
        (Some(before), _) => (Direction::Older, Some(before)),
        (None, Some(after)) => (Direction::Newer, Some(after)),
        (None, None) => (Direction::Older, None),
    };
    let workspace_id = visit.session.workspace_id.clone();
    let wanted = stored::Page { direction, from: from.clone(), rows: stored::PAGE };
    let load = Load { workspace_id, public_id, wish: wish.clone(), page: wanted };
    let Loaded { loaded, waiting, lines, sandbox } = app.db.read(load).await?;
    let frame = visit.frame(&loaded, Section::Events, "Events");

    let cut = paging::cut(lines, stored::PAGE, direction, from.is_some(), false);
    let path = frame.program.href("events");
    let query = match wish.query() {
        query if query.is_empty() => query,
        query => format!("{query}&"),
    };
    let pager = paging::pager(&cut, &path, &query, ["event", "events"], |line| {
        (line.received_at, line.event_id.clone())
    });
    let program_id = &loaded.shown.program.program_id;
    let rows: Vec<_> = cut
        .rows
        .iter()
        .map(|line| EventRow {
            key: line.event_id.clone(),
            href: format!("{path}/{}/{}", encode(&line.connection_id), encode(&line.event_id)),
            at: Ago { at: line.received_at, now: visit.now },
            kind: line.type_.clone(),
            object: Id::new(object_word(&line.object_id), &line.object_id),
            badge: words::event_badge(&line.outcome),
            words: outcome_words(line, program_id, visit.now),
        })
        .collect();
    let connections: Vec<(String, String)> =
        loaded.connections.iter().map(|line| (line.connection_id.clone(), line.account.clone())).collect();
    let csv_href = wish.address(&frame.program.href("events.csv"));
    let notice =
        event_probe::words(asked.test.as_deref().unwrap_or_default(), app.settings.public_url.as_str());
    let shown = EventsPage {
        filters: filters(&path, &wish, waiting, loaded.parked),
        narrow: wish.narrow(&path, &connections),
        csv_href,
        test_href: if visit.may_write() { frame.program.href("events/test") } else { String::new() },
        scenarios_href: sandbox.then(|| frame.program.href("scenarios")),
        notice: notice.map(|text| Bar { tone: Tone::Warn, text, action: None }),
        empty: rows.is_empty().then(|| empty(&wish, &path)),
        rows,
        pager,
        live: from.is_none(),
        live_href: format!("{path}?{query}").trim_end_matches(['?', '&']).to_owned(),
        frame,
    };
    if visit.partial {
        Ok(page(StatusCode::OK, &EventsList::from(shown)))
    } else {
        Ok(page(StatusCode::OK, &shown))
    }
}

fn filters(path: &str, wish: &Wish, waiting: i64, parked: i64) -> Chips {
    let chip = |(value, word): &(&'static str, &str)| Chip {
        label: (*word).to_owned(),
        href: Wish { outcome: value, ..wish.clone() }.address(path),
        chosen: *value == wish.outcome,
        count: match *value {
            "pending" => Some(waiting),
            "parked" => Some(parked),
            _ => None,
        }
        .filter(|count| *count > 0),
    };
    Chips { label: "Filter by outcome", chips: OUTCOMES.iter().map(chip).collect() }
}

fn empty(wish: &Wish, path: &str) -> Empty {
    let bare = Wish { outcome: wish.outcome, ..Wish::default() } == *wish;
    let (title, text) = match wish.outcome {
        _ if !bare => ("Nothing fits", "No event is so. Take a filter off."),
        "" => ("No events yet", "Stripe has not reported anything to this program. The list renews itself."),
        "pending" => ("Nothing waits", "Every event has been worked through."),
        "parked" => ("Nothing is parked", "Every event could be worked through."),
        "ignored" => ("Nothing was ignored", "Every event so far was about sales."),
        _ => ("Nothing was processed yet", "An event is processed when it says something about a sale."),
    };
    let action = (!bare).then(|| ("Show all events".to_owned(), path.to_owned()));
    Empty { icon: "zap", title: title.to_owned(), text: text.to_owned(), action }
}

/// What became of an event, in one sentence, with the sale that its object belongs to.
#[must_use]
pub fn outcome_words(line: &Line, program_id: &str, now: i64) -> String {
    let reason = sentence_case(line.reason.trim());
    let or = |other: &str| if reason.is_empty() { other.to_owned() } else { reason.clone() };
    match line.outcome.as_str() {
        "ignored" => or("Events of this type change no sale."),
        "parked" => format!("Failed {}: {}", times(line.attempts), or("the reason is in the log.")),
        "pending" if line.attempts == 0 => or("Waits for its turn."),
        "pending" => {
            let next = relative(line.run_at, now);
            let next = if next.starts_with("in ") { next } else { "now".to_owned() };
            format!("Failed {}, runs again {next}: {}", times(line.attempts), or("the reason is in the log."))
        }
        _ => match &line.touched {
            Some(touched) => sale_words(touched, program_id),
            None => or("Understood. It changed no sale."),
        },
    }
}

fn times(attempts: i64) -> String {
    match attempts {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        more => format!("{more} times"),
    }
}

/// What went back of a sale, or may yet.
#[must_use]
pub const fn gone(touched: &Touched) -> words::Gone {
    words::Gone { refunded: touched.refunded, lost: touched.lost, disputed: touched.disputed }
}

/// A sale as it stands, in one sentence.
#[must_use]
pub fn sale_words(touched: &Touched, program_id: &str) -> String {
    if touched.program_id.as_deref().is_some_and(|other| other != program_id) {
        return "Belongs to a sale of another program.".to_owned();
    }
    let paid = words::money(touched.paid, &touched.currency).text();
    let who = words::buyer(&touched.customer, "");
    let sale = match touched.state.as_str() {
        "paid" if touched.disputed > 0 => {
            let asked = words::money(touched.disputed, &touched.currency).text();
            format!("{paid} from {who}, {asked} of it disputed")
        }
        "paid" if touched.lost > 0 => {
            let lost = words::money(touched.lost, &touched.currency).text();
            format!("{paid} from {who}, {lost} of it lost in a dispute")
        }
        "paid" if touched.refunded > 0 => {
            let refunded = words::money(touched.refunded, &touched.currency).text();
            format!("{paid} from {who}, {refunded} of it given back")
        }
        "paid" => format!("{paid} from {who}"),
        "awaiting_link" | "awaiting_parent" => {
            return "Part of a sale that waits for an answer of Stripe.".to_owned();
        }
        "uncaptured" => return "Authorised, not captured: no sale yet.".to_owned(),
        "nothing_to_pay" => return "Nothing was to pay: no sale.".to_owned(),
        _ => return "Not paid yet: no sale.".to_owned(),
    };
    format!("{sale}. {}", earned_words(touched))
}

/// What a sale earns whom, or why nothing.
#[must_use]
pub fn earned_words(touched: &Touched) -> String {
    match &touched.earned {
        Some((partner, target, currency)) if *target > 0 || touched.outcome == "earns" => {
            format!("{} earns {}.", words::partner(partner), words::money(*target, currency).text())
        }
        _ => format!("Earns nothing: {}.", words::because(&touched.outcome)),
    }
}

struct Load {
    workspace_id: String,
    public_id: String,
    wish: Wish,
    page: stored::Page,
}

struct Loaded {
    loaded: frame::Frame,
    waiting: i64,
    lines: Vec<Line>,
    sandbox: bool,
}

impl Unit for Load {
    type Out = Loaded;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Loaded, StoreError> {
        let loaded = visit::load(tx, &self.workspace_id, &self.public_id).await?;
        let all = || loaded.connections.iter().map(|line| line.connection_id.clone());
        let mut waiting = 0;
        for connection in all() {
            waiting += stored::count(tx, &self.workspace_id, &connection, "pending").await?;
        }
        let place = loaded.place();
        let wanted = &self.wish.connection;
        let connections: Vec<String> = all().filter(|id| wanted.is_empty() || id == wanted).collect();
        let lines = stored::list(tx, &place, &connections, &self.wish.filter(), &self.page).await?;
        let sandbox = scenarios::connection(tx, &place).await?.is_some();
        Ok(Loaded { loaded, waiting, lines, sandbox })
    }
}
