//! Settings → Stripe → History: events that may have been missed, and the history of the account.

use super::connection::load;
use super::stripe::ConnectionCard;
use super::{Around, Asked, back};
use crate::App;
use crate::admin::error::PageError;
use crate::admin::forms::{Posted, may_change};
use crate::admin::visit::Visit;
use crate::auth::login::Signed;
use crate::imports::{Begun, Kind, STRIPE_KEEPS_MS, Wish, begin, pause, progress, resume, run_of, runs};
use crate::ui::Tone;
use crate::ui::badge::Badge;
use crate::ui::controls::{Field, Select};
use crate::ui::figures::Progress;
use crate::ui::frame::Frame;
use crate::ui::page::page;
use crate::ui::text::encode;
use crate::ui::when::{Ago, day};
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use tributary_store::imports::Run;

/// Runs that are shown.
const SHOWN: i64 = 20;

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "settings/history.html")]
pub struct HistoryPage {
    frame: Frame,
    around: Around,
    card: ConnectionCard,
    what: Select,
    since: Field,
    rows: Vec<RunRow>,
    /// Is anything under way, so that the page comes again by itself?
    running: bool,
    again: String,
}

/// One run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRow {
    id: String,
    what: &'static str,
    badge: Badge,
    since: String,
    by: &'static str,
    started: Ago,
    progress: Option<Progress>,
    found: String,
    notes: Vec<String>,
    error: String,
    pauses: bool,
    resumes: bool,
}

impl RunRow {
    fn of(run: &Run, live: &[String], now: i64) -> Self {
        let told = progress(run);
        let running = run.state == "running";
        let label = format!("List {} of {}, {}", told.step, told.steps, told.reading);
        let badge = match run.state.as_str() {
            "running" if run.attempts > 0 => Badge::with(Tone::Warn, "hourglass", "Waiting for Stripe"),
            "running" => Badge::with(Tone::Accent, "hourglass", "Running"),
            "paused" => Badge::with(Tone::Plain, "pause", "Paused"),
            "done" => Badge::new(Tone::Good, "Done"),
            _ => Badge::new(Tone::Bad, "Stopped"),
        };
        let (what, noun) = match Kind::of(run) {
            Kind::Objects => ("History", "objects"),
            Kind::Reconcile => ("Comparison", "objects"),
            Kind::Events => ("Missed events", "events"),
        };
        let found = match Kind::of(run) {
            Kind::Events => format!("{} {noun} read, {} new", run.done, run.fresh),
            _ => format!("{} {noun} read", run.done),
        };
        Self {
            id: encode(&run.run_id),
            what,
            badge,
            since: if run.since_at > 0 {
                format!("since {}", day(run.since_at))
            } else {
                "from the beginning".into()
            },
            by: match run.started_by.as_str() {
                "start" => "at the server's start",
                "hourly" => "by itself, every hour",
                "command" => "by command",
                _ => "by hand",
            },
            started: Ago { at: run.started_at, now },
            progress: running.then_some(Progress { label, done: run.done, total: None }),
            found,
            notes: told.notes,
            error: told.error,
            pauses: running,
            // Of each kind one run can be under way.
            resumes: run.state == "paused" || (run.state == "failed" && !live.contains(&run.kind)),
        }
    }
}

type Named = Path<(String, String)>;

/// `GET …/settings/stripe/{connection}/history`
pub async fn get(
    State(app): State<App>,
    visit: Visit,
    Path((public_id, id)): Named,
    Query(asked): Query<Asked>,
) -> Response {
    let shown = render(&app, &visit, &public_id, &id, &asked.notice, None).await;
    visit.answer(shown)
}

async fn render(
    app: &App,
    visit: &Visit,
    public_id: &str,
    id: &str,
    notice: &str,
    wrong: Option<(&Sent, String)>,
) -> Result<Response, PageError> {
    let (mut around, card, connection) = load(app, visit, public_id, id).await?;
    around.notice = super::notice(notice);
    let all = runs(app, &connection, SHOWN).await?;
    let under_way = |run: &&Run| matches!(run.state.as_str(), "running" | "paused");
    let live: Vec<String> = all.iter().filter(under_way).map(|run| run.kind.clone()).collect();
    let status = if wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let (what, since, error) = match wrong {
        Some((sent, words)) => (sent.what.clone(), sent.since.clone(), words),
        None => ("objects".to_owned(), String::new(), String::new()),
    };
    let frame = around.frame.clone();
    let again = format!("{}/history", card.base);
    let page_of = HistoryPage {
        what: Select {
            name: "what",
            label: "What to read",
            options: [
                ("objects", "The history: all customers, payments and refunds"),
                ("events", "Events that may have been missed"),
            ]
            .map(|(value, words)| (value.to_owned(), words.to_owned()))
            .to_vec(),
            value: what,
            help: "Doing it again doubles nothing.",
        },
        since: Field {
            name: "since",
            label: "Since",
            kind: "date",
            value: since,
            help: "Empty: the whole history, or events from where they were read last. Stripe keeps events for 30 days.",
            error,
            ..Field::default()
        },
        rows: all.iter().map(|run| RunRow::of(run, &live, visit.now)).collect(),
        running: all.iter().any(|run| run.state == "running"),
        frame,
        around,
        card,
        again,
    };
    Ok(page(status, &page_of))
}

/// What the form sends.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sent {
    form_token: String,
    what: String,
    #[serde(default)]
    since: String,
}

/// `POST …/settings/stripe/{connection}/history`: begins a run.
pub async fn post(
    State(app): State<App>,
    visit: Visit,
    Path((public_id, id)): Named,
    Posted(sent): Posted<Sent>,
) -> Response {
    let result = start(&app, &visit, &public_id, &id, &sent).await;
    visit.answer(result)
}

async fn start(
    app: &App,
    visit: &Visit,
    public_id: &str,
    id: &str,
    sent: &Sent,
) -> Result<Response, PageError> {
    may_change(visit, &sent.form_token)?;
    let (_, card, connection) = load(app, visit, public_id, id).await?;
    if card.gone {
        return Err(PageError::NotFound);
    }
    let kind = match sent.what.as_str() {
        "objects" => Kind::Objects,
        "events" => Kind::Events,
        _ => return Err(PageError::FormRefused),
    };
    let since_at = match since(&sent.since, kind, visit.now) {
        Ok(since_at) => since_at,
        Err(words) => return render(app, visit, public_id, id, "", Some((sent, words))).await,
    };
    let wish = Wish { kind, since_at, until_at: None, started_by: "person" };
    let word = match begin(app, &connection, &wish).await? {
        Begun::New(_) => "run-begun",
        Begun::UnderWay(_) => "run-under-way",
    };
    Ok(back_to(public_id, id, word))
}

/// A day of the form, ms UTC; `None` for an empty one.
fn since(text: &str, kind: Kind, now: i64) -> Result<Option<i64>, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let at = text.parse::<jiff::civil::Date>().ok().and_then(|date| {
        let zoned = date.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
        Some(zoned.timestamp().as_millisecond())
    });
    match at {
        None => Err("Write a day such as 2026-01-31.".to_owned()),
        Some(at) if at < 0 => Err("Write a day from 1970 on.".to_owned()),
        Some(at) if at > now => Err("This day has not come yet.".to_owned()),
        Some(at) if kind == Kind::Events && at < now.saturating_sub(STRIPE_KEEPS_MS) => Err(format!(
            "Stripe keeps events for 30 days, so from {} on. Read the history instead.",
            day(now.saturating_sub(STRIPE_KEEPS_MS))
        )),
        Some(at) => Ok(Some(at)),
    }
}

/// `POST …/history/{run}/pause`
pub async fn halt(
    State(app): State<App>,
    visit: Visit,
    Path(path): Path<(String, String, String)>,
    Posted(form): Posted<Signed>,
) -> Response {
    let result = turn(&app, &visit, path, form.token(), true).await;
    visit.answer(result)
}

/// `POST …/history/{run}/resume`
pub async fn go_on(
    State(app): State<App>,
    visit: Visit,
    Path(path): Path<(String, String, String)>,
    Posted(form): Posted<Signed>,
) -> Response {
    let result = turn(&app, &visit, path, form.token(), false).await;
    visit.answer(result)
}

async fn turn(
    app: &App,
    visit: &Visit,
    (public_id, id, run_id): (String, String, String),
    token: &str,
    halt: bool,
) -> Result<Response, PageError> {
    may_change(visit, token)?;
    let (.., connection) = load(app, visit, &public_id, &id).await?;
    let run = run_of(app, &connection, &run_id).await?.ok_or(PageError::NotFound)?;
    let turned = if halt { pause(app, &run).await? } else { resume(app, &run).await? };
    let word = match (turned, halt) {
        (true, true) => "run-paused",
        (true, false) => "run-resumed",
        (false, _) => "same",
    };
    Ok(back_to(&public_id, &id, word))
}

fn back_to(public_id: &str, connection_id: &str, word: &str) -> Response {
    back(public_id, &format!("settings/stripe/{}/history", encode(connection_id)), word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_read_or_refused_with_what_is_allowed() {
        const NOW: i64 = 1_790_000_000_000;
        assert_eq!(since(" ", Kind::Events, NOW), Ok(None));
        assert_eq!(since("2026-01-31", Kind::Objects, NOW), Ok(Some(1_769_817_600_000)));
        assert!(since("2026-01-31", Kind::Events, NOW).unwrap_err().contains("30 days"));
        assert!(since("31.1.2026", Kind::Objects, NOW).unwrap_err().contains("2026-01-31"));
        assert!(since("2199-01-01", Kind::Objects, NOW).unwrap_err().contains("not come"));
        assert!(since("1969-12-31", Kind::Objects, NOW).unwrap_err().contains("1970"));
    }
}
