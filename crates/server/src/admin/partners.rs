//! The list of partners, with what each brought.

use super::error::PageError;
use super::visit::{self, Visit};
use super::words;
use crate::App;
use crate::ui::badge::{Avatar, Badge};
use crate::ui::controls::Segmented;
use crate::ui::frame::{Frame, ProgramCard, Section};
use crate::ui::lists::{Chip, Chips, Empty, Order, Pages, Search, SortHead};
use crate::ui::money::{Money, grouped};
use crate::ui::page::page;
use crate::ui::text::{encode, query};
use crate::ui::when::Ago;
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use tributary_store::pages::partners::{self as stored, Filter, Line, Sort};
use tributary_store::pages::{frame, overview};
use tributary_store::{StoreError, Tx, Unit};

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "pages/partners.html")]
pub struct PartnersPage {
    /// Around it.
    pub frame: Frame,
    /// The filters by state.
    pub filters: Chips,
    /// The search field.
    pub search: Search,
    /// The currencies, if there are several.
    pub currencies: Option<Segmented>,
    /// The heads that sort: name, joined, revenue, earned.
    pub heads: [SortHead; 4],
    /// The partners.
    pub rows: Vec<PartnerRow>,
    /// In place of rows, if there are none.
    pub empty: Option<Empty>,
    /// The pages around this one.
    pub pages: Pages,
    /// May this user add one?
    pub may_write: bool,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartnerRow {
    /// The partner's page.
    pub href: String,
    /// The partner's name.
    pub name: String,
    /// The e-mail address.
    pub email: String,
    /// Where the partner stands.
    pub status: Badge,
    /// When the partner joined.
    pub joined: Ago,
    /// Visits.
    pub visits: String,
    /// Customers.
    pub customers: String,
    /// What was sold.
    pub revenue: Money,
    /// What is earned.
    pub earned: Money,
    /// What can be paid now.
    pub owed: Money,
}

impl PartnersPage {
    fn avatar(&self, name: &str) -> Avatar {
        Avatar::of(name)
    }
}

/// What the address may ask for.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    state: Option<String>,
    q: Option<String>,
    sort: Option<String>,
    currency: Option<String>,
    page: Option<String>,
}

const STATES: [(&str, &str); 5] = [
    ("", "All"),
    ("active", "Active"),
    ("pending", "Pending"),
    ("suspended", "Suspended"),
    ("archived", "Archived"),
];

const SORTS: [(&str, Sort); 8] = [
    ("", Sort::Newest),
    ("oldest", Sort::Oldest),
    ("name", Sort::Name),
    ("name-down", Sort::NameDown),
    ("revenue", Sort::Revenue),
    ("revenue-up", Sort::RevenueUp),
    ("earned", Sort::Earned),
    ("earned-up", Sort::EarnedUp),
];

/// `GET /p/{program}/partners`
pub async fn get(
    State(app): State<App>,
    visit: Visit,
    Path(program): Path<String>,
    Query(asked): Query<Asked>,
) -> Response {
    let result = show(&app, &visit, program, asked).await;
    visit.answer(result)
}

/// The page that is asked for, from 0; odd numbers count as the first.
pub(super) fn page_number(text: Option<&str>) -> i64 {
    let number: i64 = text.and_then(|text| text.parse().ok()).unwrap_or(1);
    number.clamp(1, stored::DEEPEST / stored::PAGE) - 1
}

async fn show(app: &App, visit: &Visit, public_id: String, asked: Asked) -> Result<Response, PageError> {
    let state = asked.state.unwrap_or_default();
    let state = STATES.iter().find(|(value, _)| *value == state).map_or("", |(value, _)| *value);
    let sort = asked.sort.unwrap_or_default();
    let (sort, by) = SORTS.iter().find(|(value, _)| *value == sort).copied().unwrap_or(SORTS[0]);
    let search: String = asked.q.unwrap_or_default().trim().chars().take(200).collect();
    let number = page_number(asked.page.as_deref());
    let load = Load {
        workspace_id: visit.session.workspace_id.clone(),
        public_id,
        currency: asked.currency.unwrap_or_default().to_lowercase(),
        filter: Filter { status: state.to_owned(), search: search.clone() },
        sort: by,
        offset: number * stored::PAGE,
    };
    let mut loaded = app.db.read(load).await?;
    let frame = visit.frame(&loaded.frame, Section::Partners, "Partners");
    let card = frame.program.clone();
    let path = card.href("partners");
    let several = loaded.currencies.len() > 1;
    let code = if several { loaded.currency.as_str() } else { "" };
    let to = |state: &str, sort: &str, code: &str| {
        let query = query(&[("state", state), ("q", &search), ("sort", sort), ("currency", code)]);
        if query.is_empty() { path.clone() } else { format!("{path}?{query}") }
    };
    let size = usize::try_from(stored::PAGE).unwrap_or(50);
    let more = loaded.lines.len() > size;
    loaded.lines.truncate(size);
    let rows: Vec<_> =
        loaded.lines.iter().map(|line| row(line, &loaded.currency, &card, visit.now)).collect();
    let kept = query(&[("state", state), ("q", &search), ("sort", sort), ("currency", code)]);
    let kept = if kept.is_empty() { kept } else { format!("{kept}&") };
    let head = |label, figures, first: &str, second: &str, up_first: bool| {
        let (order, next) = match sort {
            now if now == first => (if up_first { Order::Ascending } else { Order::Descending }, second),
            now if now == second => (if up_first { Order::Descending } else { Order::Ascending }, first),
            _ => (Order::None, first),
        };
        SortHead { label, href: to(state, next, code), order, figures }
    };
    let chip = |(value, word): &(&str, &str)| Chip {
        label: (*word).to_owned(),
        href: to(value, sort, code),
        chosen: *value == state,
        count: Some(count_of(&loaded.by_status, value)),
    };
    let choice = |currency: &String| {
        (currency.to_ascii_uppercase(), to(state, sort, currency), *currency == loaded.currency)
    };
    let shown = PartnersPage {
        filters: Chips { label: "Filter by state", chips: STATES.iter().map(chip).collect() },
        search: Search {
            action: path.clone(),
            value: search.clone(),
            label: "Search partners",
            kept: vec![("state", state.to_owned()), ("sort", sort.to_owned()), ("currency", code.to_owned())],
        },
        currencies: several.then(|| Segmented {
            label: "Currency",
            choices: loaded.currencies.iter().map(choice).collect(),
        }),
        heads: [
            head("Partner", false, "name", "name-down", true),
            head("Joined", false, "", "oldest", false),
            head("Revenue", true, "revenue", "revenue-up", false),
            head("Earned", true, "earned", "earned-up", false),
        ],
        empty: rows.is_empty().then(|| empty(&card, &search, number > 0 || !state.is_empty())),
        pages: Pages::around(
            (&path, &kept),
            ("partner", "partners"),
            (number, stored::PAGE),
            rows.len(),
            more,
        ),
        rows,
        may_write: visit.may_write(),
        frame,
    };
    Ok(page(StatusCode::OK, &shown))
}

fn count_of(by_status: &[(String, i64)], status: &str) -> i64 {
    let wanted = by_status.iter().filter(|(known, _)| status.is_empty() || known == status);
    wanted.map(|(_, count)| count).sum()
}

fn empty(card: &ProgramCard, search: &str, narrowed: bool) -> Empty {
    let all = Some(("Show all partners".to_owned(), card.href("partners")));
    match (search, narrowed) {
        ("", false) => Empty {
            icon: "users",
            title: "No partners yet".to_owned(),
            text: "Add one, send the link, and whoever comes by it is counted.".to_owned(),
            action: Some(("Add a partner".to_owned(), card.href("partners/new"))),
        },
        ("", true) => Empty {
            icon: "list-filter",
            title: "No partner is in this state".to_owned(),
            text: "Take the filter off to see the others.".to_owned(),
            action: all,
        },
        (search, _) => Empty {
            icon: "search",
            title: format!("No partner was found for “{search}”"),
            text: "Search by part of a name, a key or an e-mail address.".to_owned(),
            action: all,
        },
    }
}

fn row(line: &Line, currency: &str, card: &ProgramCard, now: i64) -> PartnerRow {
    PartnerRow {
        href: card.href(&format!("partners/{}", encode(&line.partner_id))),
        name: words::partner(&line.partner),
        email: line.email.clone(),
        status: words::person_badge(&line.status),
        joined: Ago { at: line.created_at, now },
        visits: grouped(&line.visits.to_string()),
        customers: grouped(&line.customers.to_string()),
        revenue: words::money(line.revenue, currency),
        earned: words::money(line.earned, currency),
        owed: words::money(line.earned.saturating_sub(line.pending), currency),
    }
}

struct Loaded {
    frame: frame::Frame,
    currencies: Vec<String>,
    currency: String,
    by_status: Vec<(String, i64)>,
    lines: Vec<Line>,
}

struct Load {
    workspace_id: String,
    public_id: String,
    currency: String,
    filter: Filter,
    sort: Sort,
    offset: i64,
}

/// The currency that is asked for if anything is earned in it, else the program's, else the one with most sales.
pub(super) fn choose_currency(asked: &str, own: &str, known: &[String]) -> String {
    let has = |code: &str| known.iter().any(|one| one == code);
    match known.first() {
        _ if has(asked) => asked.to_owned(),
        Some(first) if !has(own) => first.clone(),
        _ => own.to_owned(),
    }
}

impl Unit for Load {
    type Out = Loaded;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Loaded, StoreError> {
        let frame = visit::load(tx, &self.workspace_id, &self.public_id).await?;
        let place = frame.place();
        let balances = overview::balances(tx, &place).await?;
        let currencies: Vec<_> = balances.into_iter().map(|balance| balance.currency).collect();
        let currency = choose_currency(&self.currency, &frame.shown.program.currency, &currencies);
        let lines = stored::list(tx, &place, &currency, &self.filter, self.sort, self.offset).await?;
        let by_status = stored::by_status(tx, &place).await?;
        Ok(Loaded { frame, currencies, currency, by_status, lines })
    }
}
