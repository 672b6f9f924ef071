//! The list of transactions.

use super::error::PageError;
use super::transactions_wish::{Asked, STATES, Wish};
use super::visit::{self, Visit};
use super::{paging, words};
use crate::App;
use crate::ui::badge::{Avatar, Badge, Id};
use crate::ui::controls::{Field, Select};
use crate::ui::frame::{Frame, ProgramCard, Section};
use crate::ui::lists::{Chip, Chips, Empty, Order, Pager, Search, SortHead};
use crate::ui::money::Money;
use crate::ui::page::page;
use crate::ui::text::{encode, object_word};
use crate::ui::when::Ago;
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use tributary_store::pages::transactions::{self as stored, Line};
use tributary_store::pages::{Cursor, Direction, frame, overview};
use tributary_store::{StoreError, Tx, Unit};

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "pages/transactions.html")]
pub struct TransactionsPage {
    /// Around it.
    pub frame: Frame,
    /// The filters by state.
    pub filters: Chips,
    /// The search field.
    pub search: Search,
    /// The other filters, in a form.
    pub narrow: Narrow,
    /// The same list as CSV.
    pub csv_href: String,
    /// The head of the first column, which sorts by date.
    pub by_date: SortHead,
    /// The transactions, in the order asked for.
    pub rows: Vec<TransactionRow>,
    /// In place of rows, if there are none.
    pub empty: Option<Empty>,
    /// The pages around this one.
    pub pager: Pager,
}

/// The filters in a form, and those in force with the address that takes each off.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Narrow {
    /// Where the form goes.
    pub action: String,
    /// What the address keeps beside it.
    pub kept: Vec<(&'static str, String)>,
    /// Partner by key, id or e-mail address.
    pub partner: Field,
    /// The currencies.
    pub currency: Select,
    /// The first day.
    pub from: Field,
    /// The last day.
    pub to: Field,
    /// What is in force: words, and the list without it.
    pub chosen: Vec<(String, String)>,
    /// What is wrong with what was typed; empty if nothing is.
    pub problem: String,
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
    let wish = Wish::read(&asked);
    let oldest_first = asked.order.as_deref() == Some("oldest");
    let (before, after) = (paging::cursor(asked.before.as_deref()), paging::cursor(asked.after.as_deref()));
    let (direction, from) = match (before, after) {
        (Some(before), _) => (Direction::Older, Some(before)),
        (None, Some(after)) => (Direction::Newer, Some(after)),
        (None, None) if oldest_first => (Direction::Newer, None),
        (None, None) => (Direction::Older, None),
    };
    let workspace_id = visit.session.workspace_id.clone();
    let load = Load { workspace_id, public_id, wish: wish.clone(), direction, from: from.clone() };
    let loaded = app.db.read(load).await?;
    let frame = visit.frame(&loaded.frame, Section::Transactions, "Transactions");
    if let Some(root) = loaded.found {
        let address = frame.program.href(&format!("transactions/{}", encode(&root)));
        return Ok(Redirect::to(&address).into_response());
    }

    let cut = paging::cut(loaded.lines, stored::PAGE, direction, from.is_some(), oldest_first);
    let path = frame.program.href("transactions");
    let order = if oldest_first { "order=oldest&" } else { "" };
    let kept = wish.query();
    let narrowed = if kept.is_empty() { String::new() } else { format!("{kept}&") };
    let pager =
        paging::pager(&cut, &path, &format!("{narrowed}{order}"), ["transaction", "transactions"], |line| {
            (line.occurred_at, line.root_id.clone())
        });
    let rows: Vec<_> = cut.rows.iter().map(|line| row(line, &frame.program, visit.now)).collect();
    let other = if oldest_first { "" } else { "order=oldest" };
    let csv = frame.program.href("transactions.csv");
    let shown = TransactionsPage {
        filters: filters(&path, &wish),
        search: Search {
            action: path.clone(),
            value: wish.search.clone(),
            label: "Search transactions",
            kept: wish.kept("q"),
        },
        narrow: narrow(&path, &wish, loaded.partner, &loaded.currencies),
        csv_href: if kept.is_empty() { csv } else { format!("{csv}?{kept}") },
        by_date: SortHead {
            label: "Date",
            href: format!("{path}?{narrowed}{other}").trim_end_matches(['?', '&']).to_owned(),
            order: if oldest_first { Order::Ascending } else { Order::Descending },
            figures: false,
        },
        empty: rows.is_empty().then(|| empty(&frame.program, &wish)),
        rows,
        pager,
        frame,
    };
    Ok(page(StatusCode::OK, &shown))
}

fn filters(path: &str, wish: &Wish) -> Chips {
    let chip = |(value, word): &(&'static str, &str)| Chip {
        label: (*word).to_owned(),
        href: Wish { state: value, ..wish.clone() }.address(path),
        chosen: *value == wish.state,
        count: None,
    };
    Chips { label: "Filter by state", chips: STATES.iter().map(chip).collect() }
}

fn narrow(path: &str, wish: &Wish, partner: Option<String>, currencies: &[String]) -> Narrow {
    let field = |name, label, kind, value: &str, help| Field {
        name,
        label,
        kind,
        value: value.to_owned(),
        help,
        autocomplete: "off",
        ..Field::default()
    };
    let mut codes = vec![(String::new(), "All".to_owned())];
    codes.extend(currencies.iter().map(|code| (code.clone(), code.to_ascii_uppercase())));
    let mut chosen = Vec::new();
    if !wish.partner.is_empty() {
        let words = match &partner {
            Some(name) => format!("Partner: {name}"),
            None => format!("Partner: {}, who is not known", wish.partner),
        };
        chosen.push((words, Wish { partner: String::new(), ..wish.clone() }.address(path)));
    }
    if !wish.currency.is_empty() {
        let without = Wish { currency: String::new(), ..wish.clone() };
        chosen.push((wish.currency.to_ascii_uppercase(), without.address(path)));
    }
    if !wish.from.is_empty() || !wish.to.is_empty() {
        let words = match (wish.from.as_str(), wish.to.as_str()) {
            (from, "") => format!("From {from}"),
            ("", to) => format!("To {to}"),
            (from, to) => format!("{from} to {to}"),
        };
        let without = Wish { from: String::new(), to: String::new(), ..wish.clone() };
        chosen.push((words, without.address(path)));
    }
    Narrow {
        action: path.to_owned(),
        kept: vec![("state", wish.state.to_owned()), ("q", wish.search.clone())],
        partner: field("partner", "Partner", "text", &wish.partner, "Key, id or e-mail address"),
        currency: Select {
            name: "currency",
            label: "Currency",
            options: codes,
            value: wish.currency.clone(),
            help: "",
        },
        from: field("from", "From", "date", &wish.from, ""),
        to: field("to", "To", "date", &wish.to, ""),
        chosen,
        problem: wish.problem.clone(),
    }
}

fn empty(program: &ProgramCard, wish: &Wish) -> Empty {
    let all = Some(("Show all transactions".to_owned(), program.href("transactions")));
    let narrowed = Wish { search: String::new(), ..wish.clone() } != Wish::default();
    match (wish.search.as_str(), narrowed) {
        ("", false) => Empty {
            icon: "receipt",
            title: "No transactions yet".to_owned(),
            text: "One appears here when a customer pays through Stripe. What Stripe reported so far is under Events.".to_owned(),
            action: Some(("Look at the events".to_owned(), program.href("events"))),
        },
        ("", _) => Empty {
            icon: "list-filter",
            title: "No transaction is left by this filter".to_owned(),
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
    let shown = ["earns", "fully_refunded", "lost_in_dispute"].contains(&line.outcome.as_str());
    let earns = best.filter(|best| best.target > 0 || shown);
    let gone = words::Gone { refunded: line.refunded, lost: line.lost, disputed: line.disputed };
    TransactionRow {
        href: program.href(&format!("transactions/{}", encode(&line.root_id))),
        at: Ago { at: line.occurred_at, now },
        root: Id::new(object_word(&line.root_id), &line.root_id),
        customer: words::buyer(&line.customer, &line.buyer_id),
        status: words::sale_badge(&line.state, line.unfinished, line.paid, gone),
        partner: best.map(|best| words::partner(&best.partner)),
        paid: words::money(line.paid, &line.currency),
        refunded: (gone.back() > 0).then(|| words::money(gone.back(), &line.currency)),
        earns: earns.map(|best| words::money(best.target, &best.currency)),
        nothing: words::nothing(&line.outcome).to_owned(),
    }
}

struct Loaded {
    frame: frame::Frame,
    found: Option<String>,
    partner: Option<String>,
    currencies: Vec<String>,
    lines: Vec<Line>,
}

struct Load {
    workspace_id: String,
    public_id: String,
    wish: Wish,
    direction: Direction,
    from: Option<Cursor>,
}

impl Unit for Load {
    type Out = Loaded;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let frame = visit::load(tx, &self.workspace_id, &self.public_id).await?;
        let place = frame.place();
        let mut loaded =
            Loaded { frame, found: None, partner: None, currencies: Vec::new(), lines: Vec::new() };
        if !self.wish.search.is_empty() {
            loaded.found = stored::root_of(tx, &place, &self.wish.search).await?;
            if loaded.found.is_some() {
                return Ok(loaded);
            }
        }
        let (filter, partner) = self.wish.filter(tx, &place).await?;
        loaded.partner = partner;
        let balances = overview::balances(tx, &place).await?;
        loaded.currencies = balances.into_iter().map(|balance| balance.currency).collect();
        loaded.lines = stored::list(tx, &place, &filter, self.direction, self.from.as_ref()).await?;
        Ok(loaded)
    }
}
