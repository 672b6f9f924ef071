//! The list of customers: who brought each, and what each paid.

use super::error::PageError;
use super::visit::{self, Visit};
use super::{paging, words};
use crate::App;
use crate::ui::badge::{Avatar, Badge};
use crate::ui::frame::{Frame, ProgramCard, Section};
use crate::ui::lists::{Chip, Chips, Empty, Pager, Search};
use crate::ui::money::{Money, grouped};
use crate::ui::page::page;
use crate::ui::text::{encode, query};
use crate::ui::when::Ago;
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use tributary_store::pages::customers::{self as stored, Filter, Line};
use tributary_store::pages::{Cursor, Direction, frame};
use tributary_store::{StoreError, Tx, Unit};

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "pages/customers.html")]
pub struct CustomersPage {
    /// Around it.
    pub frame: Frame,
    /// The filters by state.
    pub filters: Chips,
    /// The search field.
    pub search: Search,
    /// The customers.
    pub rows: Vec<CustomerRow>,
    /// In place of rows, if there are none.
    pub empty: Option<Empty>,
    /// The pages around this one.
    pub pager: Pager,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerRow {
    /// The customer's page.
    pub href: String,
    /// The customer.
    pub name: String,
    /// The merchant's key.
    pub key: String,
    /// Who brought it.
    pub partner: Option<String>,
    /// First seen.
    pub at: Ago,
    /// Sales.
    pub sales: String,
    /// What was paid, by currency.
    pub paid: Vec<Money>,
    /// What partners earn of it, by currency.
    pub earned: Vec<Money>,
    /// Where the customer stands, if that is not "active".
    pub status: Option<Badge>,
}

impl CustomersPage {
    fn avatar(&self, name: &str) -> Avatar {
        Avatar::of(name)
    }
}

/// What the address may ask for.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    state: Option<String>,
    partner: Option<String>,
    q: Option<String>,
    before: Option<String>,
    after: Option<String>,
}

const STATES: [(&str, &str); 4] =
    [("", "All"), ("referred", "Referred"), ("nobody", "Brought by nobody"), ("archived", "Archived")];

/// `GET /p/{program}/customers`
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
    let state = asked.state.unwrap_or_default();
    let state = STATES.iter().find(|(value, _)| *value == state).map_or("", |(value, _)| *value);
    let search: String = asked.q.unwrap_or_default().trim().chars().take(200).collect();
    let partner: String = asked.partner.unwrap_or_default().chars().take(100).collect();
    let (before, after) = (paging::cursor(asked.before.as_deref()), paging::cursor(asked.after.as_deref()));
    let (direction, from) = match (before, after) {
        (None, Some(after)) => (Direction::Newer, Some(after)),
        (before, _) => (Direction::Older, before),
    };
    let load = Load {
        workspace_id: visit.session.workspace_id.clone(),
        public_id,
        filter: Filter { state: state.to_owned(), partner_id: partner.clone(), search: search.clone() },
        direction,
        from: from.clone(),
        now: visit.now,
    };
    let (loaded, lines) = app.db.read(load).await?;
    let frame = visit.frame(&loaded, Section::Customers, "Customers");
    let card = frame.program.clone();
    let path = card.href("customers");
    let cut = paging::cut(lines, stored::PAGE, direction, from.is_some(), false);
    let kept = query(&[("state", state), ("partner", &partner), ("q", &search)]);
    let kept = if kept.is_empty() { kept } else { format!("{kept}&") };
    let pager = paging::pager(&cut, &path, &kept, ["customer", "customers"], |line| {
        (line.created_at, line.customer_id.clone())
    });
    let chip = |(value, word): &(&str, &str)| {
        let query = query(&[("state", value), ("partner", &partner), ("q", &search)]);
        Chip {
            label: (*word).to_owned(),
            href: if query.is_empty() { path.clone() } else { format!("{path}?{query}") },
            chosen: *value == state,
            count: None,
        }
    };
    let rows: Vec<_> = cut.rows.iter().map(|line| row(line, &card, visit.now)).collect();
    let shown = CustomersPage {
        filters: Chips { label: "Filter by state", chips: STATES.iter().map(chip).collect() },
        search: Search {
            action: path.clone(),
            value: search.clone(),
            label: "Search customers",
            kept: vec![("state", state.to_owned()), ("partner", partner.clone())],
        },
        empty: rows.is_empty().then(|| empty(&card, &search, !(state.is_empty() && partner.is_empty()))),
        rows,
        pager,
        frame,
    };
    Ok(page(StatusCode::OK, &shown))
}

fn empty(card: &ProgramCard, search: &str, narrowed: bool) -> Empty {
    let all = Some(("Show all customers".to_owned(), card.href("customers")));
    match (search, narrowed) {
        ("", false) => Empty {
            icon: "user",
            title: "No customers yet".to_owned(),
            text: "One appears here when somebody who came by a referral link signs up or pays.".to_owned(),
            action: Some(("Look at the links".to_owned(), card.href("links"))),
        },
        ("", true) => Empty {
            icon: "list-filter",
            title: "No customer is left by this filter".to_owned(),
            text: "Take the filter off to see the others.".to_owned(),
            action: all,
        },
        (search, _) => Empty {
            icon: "search",
            title: format!("No customer was found for “{search}”"),
            text: "Search by part of a name, a key or an e-mail address.".to_owned(),
            action: all,
        },
    }
}

fn row(line: &Line, card: &ProgramCard, now: i64) -> CustomerRow {
    let sales: i64 = line.sums.iter().map(|sum| sum.sales).sum();
    let name = words::buyer(&line.customer, "");
    let key = line.customer[3].clone();
    CustomerRow {
        href: card.href(&format!("customers/{}", encode(&line.customer_id))),
        key: if key == name { String::new() } else { key },
        name,
        partner: line.partner.as_ref().map(|(_, partner)| words::partner(partner)),
        at: Ago { at: line.created_at, now },
        sales: grouped(&sales.to_string()),
        paid: line.sums.iter().map(|sum| words::money(sum.paid, &sum.currency)).collect(),
        earned: line.sums.iter().map(|sum| words::money(sum.earned, &sum.currency)).collect(),
        status: (line.status != "active").then(|| words::person_badge(&line.status)),
    }
}

struct Load {
    workspace_id: String,
    public_id: String,
    filter: Filter,
    direction: Direction,
    from: Option<Cursor>,
    now: i64,
}

impl Unit for Load {
    type Out = (frame::Frame, Vec<Line>);
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let frame = visit::load(tx, &self.workspace_id, &self.public_id).await?;
        let place = frame.place();
        let lines =
            stored::list(tx, &place, &self.filter, self.direction, self.from.as_ref(), self.now).await?;
        Ok((frame, lines))
    }
}
