//! All referral links, with what came by them.

use super::error::PageError;
use super::link_urls::LinkUrls;
use super::partners::page_number;
use super::visit::{self, Visit};
use super::words;
use crate::App;
use crate::ui::Tone;
use crate::ui::badge::Badge;
use crate::ui::controls::CopyField;
use crate::ui::frame::{Frame, ProgramCard, Section};
use crate::ui::lists::{Chip, Chips, Empty, Pages, Search};
use crate::ui::money::grouped;
use crate::ui::page::page;
use crate::ui::text::{encode, query};
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use tributary_store::pages::frame;
use tributary_store::pages::links::{self as stored, Came, Filter, Line};
use tributary_store::{StoreError, Tx, Unit};

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "pages/links.html")]
pub struct LinksPage {
    /// Around it.
    pub frame: Frame,
    /// The filters by state.
    pub filters: Chips,
    /// The search field.
    pub search: Search,
    /// The links.
    pub rows: Vec<LinkRow>,
    /// In place of rows, if there are none.
    pub empty: Option<Empty>,
    /// The pages around this one.
    pub pages: Pages,
    /// May this user change anything?
    pub may_write: bool,
}

/// One link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkRow {
    /// Its name, else key.
    pub name: String,
    /// "Default", "Archived", or nothing.
    pub badge: Option<Badge>,
    /// The partner's name and page.
    pub partner: (String, String),
    /// The form with the parameter.
    pub query: CopyField,
    /// The short form.
    pub short: CopyField,
    /// Visits that count.
    pub visits: String,
    /// What does not count, in words.
    pub apart: String,
    /// Where archiving is posted to, and whether it brings back; nothing for a default link.
    pub archive: Option<(String, bool)>,
}

/// What the address may ask for.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    state: Option<String>,
    q: Option<String>,
    page: Option<String>,
}

/// "12 repeats, 3 robots, 1 preview": what came and does not count.
pub(super) fn apart(came: Came) -> String {
    let told = [
        (came.repeats, "repeat", "repeats"),
        (came.bots, "robot", "robots"),
        (came.previews, "preview", "previews"),
    ];
    let said: Vec<_> = told
        .iter()
        .filter(|(count, _, _)| *count > 0)
        .map(|(count, one, many)| {
            format!("{} {}", grouped(&count.to_string()), if *count == 1 { one } else { many })
        })
        .collect();
    said.join(", ")
}

/// `GET /p/{program}/links`
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
    let state = if asked.state.as_deref() == Some("archived") { "archived" } else { "" };
    let search: String = asked.q.unwrap_or_default().trim().chars().take(200).collect();
    let number = page_number(asked.page.as_deref());
    let load = Load {
        workspace_id: visit.session.workspace_id.clone(),
        public_id,
        filter: Filter { state: state.to_owned(), search: search.clone() },
        offset: number * stored::PAGE,
    };
    let (loaded, mut lines) = app.db.read(load).await?;
    let frame = visit.frame(&loaded, Section::Links, "Links");
    let card = frame.program.clone();
    let path = card.href("links");
    let size = usize::try_from(stored::PAGE).unwrap_or(50);
    let more = lines.len() > size;
    lines.truncate(size);
    let parameter = &loaded.shown.program.parameter;
    let rows: Vec<_> = lines
        .iter()
        .map(|line| {
            row(line, &LinkUrls::of(line, &app.settings.public_url, &card.public_id, parameter), &card)
        })
        .collect();
    let to = |state: &str| {
        let query = query(&[("state", state), ("q", &search)]);
        if query.is_empty() { path.clone() } else { format!("{path}?{query}") }
    };
    let chip = |value: &str, word: &str| Chip {
        label: word.to_owned(),
        href: to(value),
        chosen: value == state,
        count: None,
    };
    let kept = query(&[("state", state), ("q", &search)]);
    let kept = if kept.is_empty() { kept } else { format!("{kept}&") };
    let shown = LinksPage {
        filters: Chips {
            label: "Filter by state",
            chips: vec![chip("", "In use"), chip("archived", "Archived")],
        },
        search: Search {
            action: path.clone(),
            value: search.clone(),
            label: "Search links",
            kept: vec![("state", state.to_owned())],
        },
        empty: rows.is_empty().then(|| empty(&card, state, &search)),
        pages: Pages::around((&path, &kept), ("link", "links"), (number, stored::PAGE), rows.len(), more),
        rows,
        may_write: visit.may_write(),
        frame,
    };
    Ok(page(StatusCode::OK, &shown))
}

fn empty(card: &ProgramCard, state: &str, search: &str) -> Empty {
    let all = Some(("Show all links".to_owned(), card.href("links")));
    match (search, state) {
        ("", "") => Empty {
            icon: "link",
            title: "No links yet".to_owned(),
            text: "Every partner gets one when it is added.".to_owned(),
            action: Some(("Add a partner".to_owned(), card.href("partners/new"))),
        },
        ("", _) => Empty {
            icon: "archive",
            title: "No link is archived".to_owned(),
            text: "An archived link leads to your website and counts no visits.".to_owned(),
            action: all,
        },
        (search, _) => Empty {
            icon: "search",
            title: format!("No link was found for “{search}”"),
            text: "Search by part of a key, a destination or a partner.".to_owned(),
            action: all,
        },
    }
}

fn row(line: &Line, urls: &LinkUrls, card: &ProgramCard) -> LinkRow {
    let badge = match (line.archived_at, line.is_default) {
        (Some(_), _) => Some(Badge::with(Tone::Plain, "archive", "Archived")),
        (None, true) => Some(Badge::with(Tone::Plain, "check", "Default")),
        (None, false) => None,
    };
    let archive = (!line.is_default).then(|| {
        (card.href(&format!("links/{}/archive", encode(&line.link_id))), line.archived_at.is_some())
    });
    LinkRow {
        name: if line.name.is_empty() { line.key.clone() } else { line.name.clone() },
        badge,
        partner: (
            words::partner(&line.partner.1),
            card.href(&format!("partners/{}?tab=links", encode(&line.partner.0))),
        ),
        query: CopyField { what: "link", value: urls.query.clone() },
        short: CopyField { what: "short link", value: urls.short.clone() },
        visits: grouped(&line.came.visits.to_string()),
        apart: apart(line.came),
        archive,
    }
}

struct Load {
    workspace_id: String,
    public_id: String,
    filter: Filter,
    offset: i64,
}

impl Unit for Load {
    type Out = (frame::Frame, Vec<Line>);
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let frame = visit::load(tx, &self.workspace_id, &self.public_id).await?;
        let lines = stored::list(tx, &frame.place(), &self.filter, self.offset).await?;
        Ok((frame, lines))
    }
}
