//! The list of transactions.

use super::error::PageError;
use super::visit::{self, Visit};
use super::{paging, words};
use crate::App;
use crate::ui::badge::{Avatar, Badge, Id};
use crate::ui::frame::{Frame, ProgramCard, Section};
use crate::ui::lists::{Chip, Chips, Empty, Order, Pager, SortHead};
use crate::ui::money::Money;
use crate::ui::page::page;
use crate::ui::text::{encode, object_word};
use crate::ui::when::Ago;
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use tributary_store::pages::transactions::{self as stored, Filter, Line};
use tributary_store::pages::{Cursor, Direction, frame};
use tributary_store::{StoreError, Tx, Unit};

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "pages/transactions.html")]
pub struct TransactionsPage {
    /// Around it.
    pub frame: Frame,
    /// The filters by state.
    pub filters: Chips,
    /// The head of the first column, which sorts by date.
    pub by_date: SortHead,
    /// The transactions, in the order asked for.
    pub rows: Vec<TransactionRow>,
    /// In place of rows, if there are none.
    pub empty: Option<Empty>,
    /// The pages around this one.
    pub pager: Pager,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransactionRow {
    /// The page that explains it.
    pub href: String,
    /// When the money came.
    pub at: Ago,
    /// The root object.
    pub root: Id,
    /// Who paid, as far as is known.
    pub customer: String,
    /// Where it stands.
    pub status: Badge,
    /// The partner's name, if somebody brought it.
    pub partner: Option<String>,
    /// What was paid.
    pub paid: Money,
    /// What was given back, if anything.
    pub refunded: Option<Money>,
    /// What it earns now, if it earns.
    pub earns: Option<Money>,
    /// Otherwise why not, in a word or two.
    pub nothing: String,
}

impl TransactionsPage {
    fn avatar(&self, name: &str) -> Avatar {
        Avatar::of(name)
    }
}

/// What the address may ask for.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    state: Option<String>,
    q: Option<String>,
    order: Option<String>,
    before: Option<String>,
    after: Option<String>,
}

/// The filters: value in the address, word on the chip.
const STATES: [(&str, &str); 5] = [
    ("", "All"),
    ("earning", "Earning"),
    ("refunded", "Refunded"),
    ("unattributed", "Unattributed"),
    ("waiting", "Waiting"),
];

/// `GET /p/{program}/transactions`
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
    let oldest_first = asked.order.as_deref() == Some("oldest");
    let (before, after) = (paging::cursor(asked.before.as_deref()), paging::cursor(asked.after.as_deref()));
    let (direction, from) = match (before, after) {
        (Some(before), _) => (Direction::Older, Some(before)),
        (None, Some(after)) => (Direction::Newer, Some(after)),
        (None, None) if oldest_first => (Direction::Newer, None),
        (None, None) => (Direction::Older, None),
    };
    let filter = Filter { state: state.to_owned(), search: search.clone() };
    let workspace_id = visit.session.workspace_id.clone();
    let load = Load { workspace_id, public_id, filter, direction, from: from.clone() };
    let (loaded, found, lines) = app.db.read(load).await?;
    let mut frame = visit.frame(&loaded, Section::Transactions, "Transactions");
    if let Some(root) = found {
        let address = frame.program.href(&format!("transactions/{}", encode(&root)));
        return Ok(Redirect::to(&address).into_response());
    }
    frame.search.clone_from(&search);

    let cut = paging::cut(lines, stored::PAGE, direction, from.is_some(), oldest_first);
    let path = frame.program.href("transactions");
    let order = if oldest_first { "order=oldest&" } else { "" };
    let narrowed = format!("{}{}", part("state", state), part("q", &search));
    let pager =
        paging::pager(&cut, &path, &format!("{narrowed}{order}"), ["transaction", "transactions"], |line| {
            (line.occurred_at, line.root_id.clone())
        });
    let rows: Vec<_> = cut.rows.iter().map(|line| row(line, &frame.program, visit.now)).collect();
    let other = if oldest_first { "" } else { "order=oldest" };
    let shown = TransactionsPage {
        filters: filters(&path, state, &search),
        by_date: SortHead {
            label: "Date",
            href: format!("{path}?{narrowed}{other}"),
            order: if oldest_first { Order::Ascending } else { Order::Descending },
            figures: false,
        },
        empty: rows.is_empty().then(|| empty(&frame.program, state, &search)),
        rows,
        pager,
        frame,
    };
    Ok(page(StatusCode::OK, &shown))
}

fn part(name: &str, value: &str) -> String {
    if value.is_empty() { String::new() } else { format!("{name}={}&", encode(value)) }
}

fn filters(path: &str, state: &str, search: &str) -> Chips {
    let chip = |(value, word): &(&str, &str)| Chip {
        label: (*word).to_owned(),
        href: format!("{path}?{}{}", part("state", value), part("q", search))
            .trim_end_matches(['?', '&'])
            .to_owned(),
        chosen: *value == state,
        count: None,
    };
    Chips { label: "Filter by state", chips: STATES.iter().map(chip).collect() }
}

fn empty(program: &ProgramCard, state: &str, search: &str) -> Empty {
    let all = Some(("Show all transactions".to_owned(), program.href("transactions")));
    match (search, state) {
        ("", "") => Empty {
            icon: "receipt",
            title: "No transactions yet".to_owned(),
            text: "One appears here when a customer pays through Stripe. What Stripe reported so far is under Events.".to_owned(),
            action: Some(("Look at the events".to_owned(), program.href("events"))),
        },
        ("", _) => Empty {
            icon: "list-filter",
            title: "No transaction is in this state".to_owned(),
            text: "Take the filter off to see the others.".to_owned(),
            action: all,
        },
        (search, _) => Empty {
            icon: "search",
            title: format!("Nothing was found for “{search}”"),
            text: "Search by a whole Stripe id, or by part of a name, a key or an e-mail address.".to_owned(),
            action: all,
        },
    }
}

fn row(line: &Line, program: &ProgramCard, now: i64) -> TransactionRow {
    let best = line.commissions.first();
    let earns =
        best.filter(|best| best.target > 0 || line.outcome == "earns" || line.outcome == "fully_refunded");
    TransactionRow {
        href: program.href(&format!("transactions/{}", encode(&line.root_id))),
        at: Ago { at: line.occurred_at, now },
        root: Id::new(object_word(&line.root_id), &line.root_id),
        customer: words::buyer(&line.customer, &line.buyer_id),
        status: words::sale_badge(&line.state, line.unfinished, line.paid, line.refunded),
        partner: best.map(|best| words::partner(&best.partner)),
        paid: words::money(line.paid, &line.currency),
        refunded: (line.refunded > 0).then(|| words::money(line.refunded, &line.currency)),
        earns: earns.map(|best| words::money(best.target, &best.currency)),
        nothing: words::nothing(&line.outcome).to_owned(),
    }
}

struct Load {
    workspace_id: String,
    public_id: String,
    filter: Filter,
    direction: Direction,
    from: Option<Cursor>,
}

impl Unit for Load {
    type Out = (frame::Frame, Option<String>, Vec<Line>);
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let loaded = visit::load(tx, &self.workspace_id, &self.public_id).await?;
        let place = loaded.place();
        if !self.filter.search.is_empty()
            && let Some(root) = stored::root_of(tx, &place, &self.filter.search).await?
        {
            return Ok((loaded, Some(root), Vec::new()));
        }
        let lines = stored::list(tx, &place, &self.filter, self.direction, self.from.as_ref()).await?;
        Ok((loaded, None, lines))
    }
}
