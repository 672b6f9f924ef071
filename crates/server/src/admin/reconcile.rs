//! Compare with Stripe: a period's payments, refunds and disputes against what is known here, with sums that tie.

use super::error::PageError;
use super::forms::{Posted, may_change};
use super::visit::Visit;
use super::words;
use crate::App;
use crate::auth::login::Signed;
use crate::imports::{Begun, Kind, Named, Wish, begin, find, progress, run_of, runs};
use crate::reconcile::{Ask, Line, PERIOD_MAX_MS, Report, Status, heal, report};
use crate::ui::Tone;
use crate::ui::badge::{Badge, Id};
use crate::ui::controls::{Field, Select};
use crate::ui::figures::Progress;
use crate::ui::frame::{Frame, Section};
use crate::ui::lists::{Bar, Chip, Chips, Empty};
use crate::ui::money::Money;
use crate::ui::page::page;
use crate::ui::text::{encode, object_word};
use crate::ui::when::day;
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use tributary_store::connections::Connection;
use tributary_store::imports::Run;
use tributary_store::pages::frame as stored;
use tributary_store::{StoreError, Tx, Unit};

/// Lines that the page shows; the file has all of them.
const SHOWN: usize = 200;

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "pages/reconcile.html")]
pub struct ReconcilePage {
    frame: Frame,
    notice: Option<Bar>,
    base: String,
    /// In place of the form, where nothing is connected.
    empty: Option<Empty>,
    accounts: Select,
    from: Field,
    to: Field,
    /// A comparison that is still read.
    progress: Option<Progress>,
    /// Why it does not go on; else empty.
    stopped: String,
    result: Option<Compared>,
    again: String,
}

/// A comparison that is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    title: String,
    verdict: Badge,
    sums: Vec<SumRow>,
    chips: Chips,
    rows: Vec<LineRow>,
    more: bool,
    csv: String,
    /// Where the button that mends leads, if there is anything to mend.
    heal: Option<String>,
}

/// One sum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SumRow {
    what: String,
    stripe: Money,
    tributary: Money,
    difference: Money,
    ties: bool,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineRow {
    day: String,
    id: Id,
    href: Option<String>,
    badge: Badge,
    reason: String,
    stripe: Money,
    tributary: Option<Money>,
}

/// What the address says.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    /// The run.
    #[serde(default)]
    pub run: String,
    /// Its connection.
    #[serde(default)]
    pub account: String,
    /// Only lines of this way.
    #[serde(default)]
    pub status: String,
    /// Which notice is shown.
    #[serde(default)]
    pub notice: String,
}

impl Asked {
    fn wanted(&self) -> Option<Status> {
        Status::ALL.into_iter().find(|status| status.as_str() == self.status)
    }
}

struct Load(String, String);

impl Unit for Load {
    type Out = stored::Frame;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<stored::Frame, StoreError> {
        super::visit::load(tx, &self.0, &self.1).await
    }
}

/// The program's frame, its connections in the mode that it shows, and the run that is looked at.
pub(super) struct Seen {
    pub(super) loaded: stored::Frame,
    connections: Vec<Connection>,
    pub(super) run: Option<Run>,
}

/// Loads what an address names.
///
/// # Errors
/// [`PageError::NotFound`] for a program, account or run that is not there.
pub(super) async fn see(
    app: &App,
    visit: &Visit,
    public_id: &str,
    account: &str,
    run_id: &str,
) -> Result<Seen, PageError> {
    let load = Load(visit.session.workspace_id.clone(), public_id.to_owned());
    let loaded = app.db.read(load).await?;
    let named = Named::Program(loaded.shown.program.public_id.clone());
    let connections = find(app, named).await?.map(|found| found.connections).unwrap_or_default();
    let run = if run_id.is_empty() {
        let mut last: Option<Run> = None;
        for one in &connections {
            let all = runs(app, one, 50).await?;
            let newest = all.into_iter().find(|run| run.kind == Kind::Reconcile.as_str());
            last = last.into_iter().chain(newest).max_by_key(|run| run.started_at);
        }
        last
    } else {
        let of = connections.iter().find(|one| one.connection_id == account).ok_or(PageError::NotFound)?;
        let run = run_of(app, of, run_id).await?.filter(|run| run.kind == Kind::Reconcile.as_str());
        Some(run.ok_or(PageError::NotFound)?)
    };
    Ok(Seen { loaded, connections, run })
}

/// `GET /p/{program}/reconcile`
pub async fn get(
    State(app): State<App>,
    visit: Visit,
    Path(public_id): Path<String>,
    Query(asked): Query<Asked>,
) -> Response {
    let shown = render(&app, &visit, &public_id, &asked, None).await;
    visit.answer(shown)
}

async fn render(
    app: &App,
    visit: &Visit,
    public_id: &str,
    asked: &Asked,
    wrong: Option<(&Sent, [String; 2])>,
) -> Result<Response, PageError> {
    let seen = see(app, visit, public_id, &asked.account, &asked.run).await?;
    let frame = visit.frame(&seen.loaded, Section::Transactions, "Compare with Stripe");
    let base = frame.program.href("reconcile");
    let status = if wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let run = seen.run.as_ref();
    let address = run.map_or_else(|| base.clone(), |run| address(&base, run));
    let done = run.filter(|run| run.state == "done");
    let result = match done {
        Some(run) => {
            let ask = Ask {
                run: run.clone(),
                program_id: seen.loaded.shown.program.program_id.clone(),
                status: asked.wanted(),
                list: None,
                limit: SHOWN,
            };
            Some(compared(&frame, run, asked, &report(app, ask).await?))
        }
        None => None,
    };
    let usual = usual(run, visit.now);
    let ([from, to], wrongs) = match wrong {
        Some((sent, words)) => ([sent.from.clone(), sent.to.clone()], words),
        None => (usual, [String::new(), String::new()]),
    };
    let [wrong_from, wrong_to] = wrongs;
    let date = |name, label, value, error| Field {
        name,
        label,
        kind: "date",
        value,
        error,
        required: true,
        ..Field::default()
    };
    let told = run.map(progress);
    let running = run.is_some_and(|run| run.state == "running");
    let stopped = told.as_ref().filter(|told| told.state != "done").map(|told| told.error.clone());
    let page_of = ReconcilePage {
        notice: notice(&asked.notice),
        empty: seen.connections.is_empty().then(|| Empty {
            icon: "plug",
            title: "No Stripe account is connected".to_owned(),
            text: "A comparison reads the lists of a connected account.".to_owned(),
            action: Some(("Connect Stripe".to_owned(), frame.program.href("integration/stripe"))),
        }),
        accounts: Select {
            name: "account",
            label: "Account",
            options: seen.connections.iter().map(|one| (one.connection_id.clone(), account(one))).collect(),
            value: run.map(|run| run.connection_id.clone()).unwrap_or_default(),
            help: "",
        },
        from: date("from", "From", from, wrong_from),
        to: date("to", "To", to, wrong_to),
        progress: told.filter(|_| running).map(|told| Progress {
            label: format!("List {} of {}, {}", told.step, told.steps, told.reading),
            done: told.done,
            total: None,
        }),
        stopped: stopped.unwrap_or_default(),
        result,
        again: address,
        base,
        frame,
    };
    Ok(page(status, &page_of))
}

fn account(one: &Connection) -> String {
    if one.account_name.is_empty() { one.account_id.clone() } else { one.account_name.clone() }
}

/// The days of the run that is seen, else the 30 days before today.
fn usual(run: Option<&Run>, now: i64) -> [String; 2] {
    const DAY: i64 = 86_400_000;
    let (from, until) = run.map_or((now - 30 * DAY, now), |run| (run.since_at, run.until_at));
    [from, until - 1].map(crate::imports::day)
}

pub(super) fn address(base: &str, run: &Run) -> String {
    format!("{base}?account={}&run={}", encode(&run.connection_id), encode(&run.run_id))
}

fn compared(frame: &Frame, run: &Run, asked: &Asked, report: &Report) -> Compared {
    let base = frame.program.href("reconcile");
    let here = address(&base, run);
    let all = report.counts.iter().map(|count| count.lines).sum();
    let wanted = asked.wanted();
    let chip =
        |label: &str, href, chosen, count| Chip { label: label.to_owned(), href, chosen, count: Some(count) };
    let mut chips = vec![chip("All", here.clone(), wanted.is_none(), all)];
    chips.extend(report.counts.iter().map(|count| {
        let href = format!("{here}&status={}", count.status.as_str());
        chip(count.status.words(), href, wanted == Some(count.status), count.lines)
    }));
    let mends = report.counts.iter().any(|count| matches!(count.status, Status::Missing | Status::Different));
    Compared {
        title: format!("{} to {}, UTC", day(run.since_at), day(run.until_at - 1)),
        verdict: if report.ties {
            Badge::new(Tone::Good, "Everything ties")
        } else {
            Badge::new(Tone::Bad, "It does not tie")
        },
        sums: report
            .sums
            .iter()
            .map(|sum| SumRow {
                what: match (sum.objects, sum.list.strip_suffix('s')) {
                    (1, Some(one)) => format!("1 {one}"),
                    (n, _) => format!("{n} {}", sum.list),
                },
                stripe: words::money(sum.stripe, &sum.currency),
                tributary: words::money(sum.tributary, &sum.currency),
                difference: words::money(sum.difference, &sum.currency),
                ties: sum.difference == 0,
            })
            .collect(),
        chips: Chips { label: "Filter by how it stands", chips },
        rows: report.lines.iter().map(|line| row(frame, line)).collect(),
        more: report.more,
        csv: here.replacen("/reconcile?", "/reconcile.csv?", 1),
        heal: mends.then(|| format!("{base}/{}/{}/heal", encode(&run.connection_id), encode(&run.run_id))),
    }
}

fn row(frame: &Frame, line: &Line) -> LineRow {
    let badge = match line.status {
        Status::Missing | Status::Different | Status::OnlyHere => Badge::new(Tone::Bad, line.status.words()),
        Status::Waiting => Badge::with(Tone::Accent, "hourglass", line.status.words()),
        Status::Commissioned => Badge::new(Tone::Good, line.status.words()),
        Status::NotCommissioned => Badge::new(Tone::Plain, line.status.words()),
    };
    let ties = line.stripe == line.tributary;
    LineRow {
        day: day(line.at),
        id: Id::new(object_word(&line.object_id), &line.object_id),
        href: line.root.as_ref().map(|root| frame.program.href(&format!("transactions/{}", encode(root)))),
        badge,
        reason: line.reason.clone(),
        stripe: words::money(line.stripe, &line.currency),
        tributary: (!ties).then(|| words::money(line.tributary, &line.currency)),
    }
}

fn notice(word: &str) -> Option<Bar> {
    let (tone, text) = match word {
        "healing" => (Tone::Good, "What was missing is fetched from Stripe. It shows below as it arrives."),
        "under-way" => (Tone::Warn, "Another comparison of this account is under way. It is shown below."),
        "none" => (Tone::Plain, "There was nothing to fetch."),
        _ => return None,
    };
    Some(Bar { tone, text: text.to_owned(), action: None })
}

/// What the form sends.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sent {
    form_token: String,
    account: String,
    from: String,
    to: String,
}

/// `POST /p/{program}/reconcile`: begins a comparison.
pub async fn post(
    State(app): State<App>,
    visit: Visit,
    Path(public_id): Path<String>,
    Posted(sent): Posted<Sent>,
) -> Response {
    let result = start(&app, &visit, &public_id, &sent).await;
    visit.answer(result)
}

async fn start(app: &App, visit: &Visit, public_id: &str, sent: &Sent) -> Result<Response, PageError> {
    may_change(visit, &sent.form_token)?;
    let seen = see(app, visit, public_id, "", "").await?;
    let connection = seen.connections.iter().find(|one| one.connection_id == sent.account);
    let connection = connection.ok_or(PageError::NotFound)?;
    let (from, until) = match period(&sent.from, &sent.to) {
        Ok(period) => period,
        Err(words) => return render(app, visit, public_id, &Asked::default(), Some((sent, words))).await,
    };
    let wish =
        Wish { kind: Kind::Reconcile, since_at: Some(from), until_at: Some(until), started_by: "person" };
    let base = format!("/p/{}/reconcile", encode(public_id));
    let to = match begin(app, connection, &wish).await? {
        Begun::New(run) => address(&base, &run),
        Begun::UnderWay(run) => format!("{}&notice=under-way", address(&base, &run)),
    };
    Ok(Redirect::to(&to).into_response())
}

/// From the first day's beginning to the last day's end, ms UTC.
fn period(from: &str, to: &str) -> Result<(i64, i64), [String; 2]> {
    let read = |text: &str| {
        let date = text.trim().parse::<jiff::civil::Date>().ok()?;
        let at = date.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_millisecond();
        (at >= 0).then_some(at)
    };
    let odd = || "Write a day such as 2026-01-31.".to_owned();
    match (read(from), read(to)) {
        (None, None) => Err([odd(), odd()]),
        (None, _) => Err([odd(), String::new()]),
        (_, None) => Err([String::new(), odd()]),
        (Some(from), Some(to)) if to < from => {
            Err([String::new(), "The last day lies before the first.".to_owned()])
        }
        (Some(from), Some(to)) => {
            let until = to.saturating_add(86_400_000);
            if until - from > PERIOD_MAX_MS {
                return Err([String::new(), "A period has at most 400 days.".to_owned()]);
            }
            Ok((from, until))
        }
    }
}

/// `POST /p/{program}/reconcile/{connection}/{run}/heal`
pub async fn mend(
    State(app): State<App>,
    visit: Visit,
    Path((public_id, account, run_id)): Path<(String, String, String)>,
    Posted(form): Posted<Signed>,
) -> Response {
    let result = async {
        may_change(&visit, form.token())?;
        let seen = see(&app, &visit, &public_id, &account, &run_id).await?;
        let run = seen.run.ok_or(PageError::NotFound)?;
        let count = heal(&app, &run, &seen.loaded.shown.program.program_id).await?;
        app.wake.notify_one();
        let base = format!("/p/{}/reconcile", encode(&public_id));
        let word = if count > 0 { "healing" } else { "none" };
        Ok(Redirect::to(&format!("{}&notice={word}", address(&base, &run))).into_response())
    };
    visit.answer(result.await)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_is_whole_days() {
        assert_eq!(period("1970-01-02", "1970-01-02"), Ok((86_400_000, 172_800_000)));
        assert!(period("x", "1970-01-02").unwrap_err()[0].contains("2026-01-31"));
        assert!(period("1970-01-03", "1970-01-02").unwrap_err()[1].contains("before"));
        assert!(period("2020-01-01", "2026-01-02").unwrap_err()[1].contains("400"));
    }
}
