//! Settings → Audit log: who changed what, when and why; the same as CSV.

use super::Around;
use crate::App;
use crate::admin::error::PageError;
use crate::admin::paging;
use crate::admin::visit::{self, Visit};
use crate::audit::who;
use crate::ui::frame::Frame;
use crate::ui::lists::{Chip, Chips, Pager, Search};
use crate::ui::page::page;
use crate::ui::text::query;
use crate::ui::when::{Instant, machine};
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use tributary_store::pages::audit::{self as stored, Filter, Line};
use tributary_store::pages::{Cursor, Direction, frame};
use tributary_store::{StoreError, Tx, Unit};

/// Most lines of one file.
const MOST: i64 = 10_000;

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "settings/audit.html")]
pub struct AuditPage {
    frame: Frame,
    around: Around,
    actions: Chips,
    search: Search,
    csv_href: String,
    rows: Vec<Row>,
    empty: &'static str,
    pager: Pager,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    at: Instant,
    who: String,
    action: &'static str,
    subject: String,
    was: String,
    became: String,
    reason: String,
}

/// What the address may ask for.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    action: String,
    #[serde(default)]
    q: String,
    before: Option<String>,
    after: Option<String>,
}

/// What the page is narrowed to: word, label, actions.
const GROUPS: [(&str, &str, &[&str]); 6] = [
    ("", "All", &[]),
    ("sales", "Sales and codes", &["attribute", "void", "unvoid", "code"]),
    ("settings", "Terms and settings", &["terms", "policy", "program"]),
    ("partners", "Partners", &["partner"]),
    ("access", "Keys and connections", &["key", "connection", "password"]),
    ("data", "Data", &["payload", "erase", "wipe"]),
];

fn action_words(action: &str) -> &'static str {
    match action {
        "attribute" => "Attributed",
        "void" => "Voided",
        "unvoid" => "Void taken back",
        "code" => "Promotion code",
        "policy" => "Attribution settings",
        "terms" => "Terms",
        "program" => "Program settings",
        "partner" => "Partner status",
        "key" => "API key",
        "connection" => "Stripe connection",
        "password" => "Password",
        "payload" => "Payload revealed",
        "erase" => "Person erased",
        "wipe" => "Test data wiped",
        _ => "Changed",
    }
}

impl Asked {
    /// The word of the group, and what the log is narrowed to. One action alone can be asked for, too.
    fn filter(&self) -> (&'static str, Filter) {
        let search = self.q.trim().chars().take(200).collect();
        if let Some((word, _, actions)) = GROUPS.iter().find(|(word, ..)| *word == self.action) {
            return (word, Filter { actions: actions.iter().map(|&one| one.to_owned()).collect(), search });
        }
        let all = GROUPS.iter().flat_map(|(_, _, actions)| *actions);
        let one = all.copied().find(|one| *one == self.action);
        (one.unwrap_or_default(), Filter { actions: one.map(str::to_owned).into_iter().collect(), search })
    }
}

/// `GET /p/{program}/settings/audit`
pub async fn get(
    State(app): State<App>,
    visit: Visit,
    Path(public_id): Path<String>,
    Query(asked): Query<Asked>,
) -> Response {
    visit.answer(show(&app, &visit, public_id, &asked).await)
}

async fn show(app: &App, visit: &Visit, public_id: String, asked: &Asked) -> Result<Response, PageError> {
    let (action, filter) = asked.filter();
    let (before, after) = (paging::cursor(asked.before.as_deref()), paging::cursor(asked.after.as_deref()));
    let (read, from) = match (before, after) {
        (None, Some(after)) => (Direction::Newer, Some(after)),
        (before, _) => (Direction::Older, before),
    };
    let started = from.is_some();
    let workspace_id = visit.session.workspace_id.clone();
    let load = Load { workspace_id, public_id, filter: filter.clone(), read, from, limit: stored::PAGE + 1 };
    let (loaded, lines) = app.db.read(load).await?;
    let around = Around::new(visit, &loaded, "settings/audit", "");
    let path = around.frame.program.href("settings/audit");
    let kept = query(&[("action", action), ("q", &filter.search)]);
    let kept = if kept.is_empty() { kept } else { format!("{kept}&") };
    let cut = paging::cut(lines, stored::PAGE, read, started, false);
    let pager = paging::pager(&cut, &path, &kept, ["line", "lines"], |line| (line.at, line.audit_id.clone()));
    let chips = GROUPS.iter().map(|(value, label, _)| {
        let kept = query(&[("action", value), ("q", &filter.search)]);
        Chip {
            label: (*label).to_owned(),
            href: if kept.is_empty() { path.clone() } else { format!("{path}?{kept}") },
            chosen: *value == action,
            count: None,
        }
    });
    let shown = AuditPage {
        actions: Chips { label: "Actions", chips: chips.collect() },
        search: Search {
            action: path.clone(),
            value: filter.search.clone(),
            label: "Who, what or why",
            kept: vec![("action", action.to_owned())],
        },
        csv_href: format!("{path}.csv?{kept}").trim_end_matches(['?', '&']).to_owned(),
        empty: if kept.is_empty() { "Nothing was changed yet" } else { "Nothing fits" },
        rows: cut.rows.iter().map(row).collect(),
        pager,
        frame: around.frame.clone(),
        around,
    };
    Ok(page(StatusCode::OK, &shown))
}

fn row(line: &Line) -> Row {
    Row {
        at: Instant { at: line.at },
        who: who(&line.actor),
        action: action_words(&line.action),
        subject: line.subject.clone(),
        was: line.was.clone(),
        became: line.became.clone(),
        reason: line.reason.clone(),
    }
}

/// `GET /p/{program}/settings/audit.csv`: the newest 10,000 lines of what the page shows.
pub async fn csv(
    State(app): State<App>,
    visit: Visit,
    Path(public_id): Path<String>,
    Query(asked): Query<Asked>,
) -> Response {
    let result = async {
        let workspace_id = visit.session.workspace_id.clone();
        let name = format!("attachment; filename=\"audit-{public_id}.csv\"");
        let (filter, read) = (asked.filter().1, Direction::Older);
        let load = Load { workspace_id, public_id, filter, read, from: None, limit: MOST };
        let (_, lines) = app.db.read(load).await?;
        let file = write(&lines).map_err(StoreError::Inconsistent)?;
        let mut response = file.into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
        let name = HeaderValue::from_str(&name).unwrap_or(HeaderValue::from_static("attachment"));
        headers.insert(header::CONTENT_DISPOSITION, name);
        Ok(response)
    };
    visit.answer(result.await)
}

fn write(lines: &[Line]) -> Result<Vec<u8>, String> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    let mut put = |cells: [&str; 8]| writer.write_record(cells).map_err(|error| error.to_string());
    put(["at", "mode", "actor", "action", "subject", "before", "after", "reason"])?;
    for line in lines {
        let texts = [&line.actor, &line.subject, &line.was, &line.became, &line.reason];
        let [actor, subject, was, became, reason] = texts.map(|text| crate::admin::csv_file::text(text));
        put([&machine(line.at), &line.mode, &actor, &line.action, &subject, &was, &became, &reason])?;
    }
    writer.into_inner().map_err(|error| error.to_string())
}

struct Load {
    workspace_id: String,
    public_id: String,
    filter: Filter,
    read: Direction,
    from: Option<Cursor>,
    limit: i64,
}

impl Unit for Load {
    type Out = (frame::Frame, Vec<Line>);
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let frame = visit::load(tx, &self.workspace_id, &self.public_id).await?;
        let from = self.from.as_ref();
        let lines = stored::list(tx, &frame.place(), &self.filter, self.read, from, self.limit).await?;
        Ok((frame, lines))
    }
}
