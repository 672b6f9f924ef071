//! One search over everything: what is named exactly is shown at once, else what was found is listed.

use super::error::PageError;
use super::visit::{self, Visit};
use super::words;
use crate::App;
use crate::ui::badge::Avatar;
use crate::ui::frame::{Frame, ProgramCard, Section};
use crate::ui::lists::Empty;
use crate::ui::money::Money;
use crate::ui::page::page;
use crate::ui::text::{encode, shorten_id};
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use tributary_store::pages::search::{self as stored, Exact, FEW, Found};
use tributary_store::pages::transactions::{self, Filter, Line};
use tributary_store::pages::{Direction, frame};
use tributary_store::{StoreError, Tx, Unit};

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "pages/search.html")]
pub struct SearchPage {
    /// Around it.
    pub frame: Frame,
    /// What was searched for.
    pub asked: String,
    /// What was found, by kind: the kind, where all of it is, the hits.
    pub groups: Vec<(&'static str, String, Vec<Hit>)>,
    /// In place of groups, if there are none.
    pub empty: Option<Empty>,
}

/// Something that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// Its page.
    pub href: String,
    /// Its name.
    pub name: String,
    /// More about it.
    pub detail: String,
    /// An amount that belongs to it.
    pub amount: Option<Money>,
    /// Is it a person?
    pub person: bool,
}

impl SearchPage {
    fn avatar(&self, name: &str) -> Avatar {
        Avatar::of(name)
    }
}

/// What the address asks for.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    q: Option<String>,
}

/// `GET /p/{program}/search`
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
    let text: String =
        asked.q.unwrap_or_default().trim().chars().filter(|letter| !letter.is_control()).take(200).collect();
    let workspace_id = visit.session.workspace_id.clone();
    let (loaded, found, sales) = app.db.read(Load { workspace_id, public_id, text: text.clone() }).await?;
    let mut frame = visit.frame(&loaded, Section::Search, "Search");
    frame.search.clone_from(&text);
    let card = frame.program.clone();
    if let Some(exact) = &found.exact {
        return Ok(Redirect::to(&address(exact, &card)).into_response());
    }
    let groups = groups(&found, &sales, &card, &text);
    let empty = groups.is_empty().then(|| Empty {
        icon: "search",
        title: if text.is_empty() {
            "What are you looking for?".to_owned()
        } else {
            format!("Nothing was found for “{text}”")
        },
        text: "Type a whole Stripe id, or part of a name, a key or an e-mail address.".to_owned(),
        action: None,
    });
    Ok(page(StatusCode::OK, &SearchPage { frame, asked: text, groups, empty }))
}

fn address(exact: &Exact, card: &ProgramCard) -> String {
    match exact {
        Exact::Sale(root) => card.href(&format!("transactions/{}", encode(root))),
        Exact::Event(connection, event) => {
            card.href(&format!("events/{}/{}", encode(connection), encode(event)))
        }
        Exact::Partner(id) => card.href(&format!("partners/{}", encode(id))),
        Exact::Customer(id) => card.href(&format!("customers/{}", encode(id))),
    }
}

fn groups(
    found: &Found,
    sales: &[Line],
    card: &ProgramCard,
    text: &str,
) -> Vec<(&'static str, String, Vec<Hit>)> {
    let hit = |path: &str, name: String, detail: String, amount, person| Hit {
        href: card.href(path),
        name,
        detail,
        amount,
        person,
    };
    let partners: Vec<_> = found
        .partners
        .iter()
        .map(|(id, names, email)| {
            hit(&format!("partners/{}", encode(id)), words::partner(names), email.clone(), None, true)
        })
        .collect();
    let customers: Vec<_> = found
        .customers
        .iter()
        .map(|(id, customer)| {
            let detail = customer[3].clone();
            hit(&format!("customers/{}", encode(id)), words::buyer(customer, ""), detail, None, true)
        })
        .collect();
    let sales: Vec<_> = sales
        .iter()
        .take(usize::try_from(FEW).unwrap_or(10))
        .map(|line| {
            let path = format!("transactions/{}", encode(&line.root_id));
            let paid = words::money(line.paid, &line.currency);
            hit(
                &path,
                words::buyer(&line.customer, &line.buyer_id),
                shorten_id(&line.root_id),
                Some(paid),
                false,
            )
        })
        .collect();
    let links: Vec<_> = found
        .links
        .iter()
        .map(|(_, key, destination, partner)| {
            let path = format!("partners/{}?tab=links", encode(partner));
            hit(&path, key.clone(), destination.clone(), None, false)
        })
        .collect();
    let all = |path: &str| card.href(&format!("{path}?q={}", encode(text)));
    [
        ("Partners", all("partners"), partners),
        ("Customers", all("customers"), customers),
        ("Transactions", all("transactions"), sales),
        ("Links", all("links"), links),
    ]
    .into_iter()
    .filter(|(_, _, hits)| !hits.is_empty())
    .collect()
}

struct Load {
    workspace_id: String,
    public_id: String,
    text: String,
}

impl Unit for Load {
    type Out = (frame::Frame, Found, Vec<Line>);
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let frame = visit::load(tx, &self.workspace_id, &self.public_id).await?;
        if self.text.is_empty() {
            return Ok((frame, Found::default(), Vec::new()));
        }
        let place = frame.place();
        let found = stored::find(tx, &place, &self.text).await?;
        if found.exact.is_some() {
            return Ok((frame, found, Vec::new()));
        }
        let filter = Filter { search: self.text.clone(), ..Filter::default() };
        let sales = transactions::list(tx, &place, &filter, Direction::Older, None).await?;
        Ok((frame, found, sales))
    }
}
