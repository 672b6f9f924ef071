//! One customer: who brought it and why, what it bought, and what was earned of that.

use super::error::PageError;
use super::partner::api_place;
use super::visit::{self, Visit};
use super::words;
use crate::App;
use crate::api::customers::archive;
use crate::audit::who;
use crate::pipeline::clicks::at_words;
use crate::pipeline::rulings::{self, ruling};
use crate::ui::Tone;
use crate::ui::badge::{Avatar, Badge, Id};
use crate::ui::figures::Kpi;
use crate::ui::frame::{Frame, ProgramCard, Section};
use crate::ui::money::{Money, grouped};
use crate::ui::page::page;
use crate::ui::text::{encode, object_word, sentence_case};
use crate::ui::when::{Ago, Instant};
use askama::Template;
use axum::Form;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use tributary_domain::attribution::Ruling;
use tributary_domain::sale::EvidenceKind;
use tributary_store::api::{self, By};
use tributary_store::pages::customers::{self as stored, Line, Reason, Sale};
use tributary_store::pages::{Place, frame};
use tributary_store::pipeline::decisions::{AS_EVIDENCE_SAYS, Decided};
use tributary_store::pipeline::people;
use tributary_store::{StoreError, Tx, Unit};

/// Decisions shown at most.
const DECISIONS: usize = 20;

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "pages/customer.html")]
pub struct CustomerPage {
    /// Around it.
    pub frame: Frame,
    /// The customer.
    pub name: String,
    /// The merchant's key.
    pub key: Option<Id>,
    /// The e-mail address, if it is not the name.
    pub email: String,
    /// Where the customer stands.
    pub status: Badge,
    /// First seen.
    pub first_seen: Instant,
    /// Who brought it: name and page.
    pub partner: Option<(String, String)>,
    /// Why, in a sentence.
    pub because: String,
    /// What it paid and what was earned, by currency.
    pub figures: Vec<Kpi>,
    /// The sales.
    pub sales: Vec<SaleLine>,
    /// What speaks for it.
    pub reasons: Vec<ReasonLine>,
    /// Where archiving is posted to, and whether it brings back.
    pub archive: (String, bool),
    /// Where the person is erased.
    pub erase_href: String,
    /// May this user change anything?
    pub may_write: bool,
}

/// A sale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaleLine {
    /// The page that explains it.
    pub href: String,
    /// When.
    pub at: Ago,
    /// The root object.
    pub root: Id,
    /// Where it stands.
    pub status: Badge,
    /// Who earns of it.
    pub partner: Option<String>,
    /// What was paid.
    pub paid: Money,
    /// What was given back.
    pub refunded: Option<Money>,
    /// What is earned.
    pub earned: Option<Money>,
    /// Otherwise why nothing.
    pub nothing: String,
}

/// A reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReasonLine {
    /// Its icon.
    pub icon: &'static str,
    /// What it says.
    pub what: String,
    /// The value, the object, when.
    pub value: String,
    /// The object that carries it.
    pub source: Option<Id>,
    /// When it took effect.
    pub at: Instant,
}

impl CustomerPage {
    fn avatar(&self) -> Avatar {
        Avatar { name: self.name.clone(), large: true }
    }
}

/// A wish to archive, or to bring back.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wished {
    form_token: String,
    archived: bool,
}

/// `GET /p/{program}/customers/{customer}`
pub async fn get(
    State(app): State<App>,
    visit: Visit,
    Path((program, customer)): Path<(String, String)>,
) -> Response {
    let result = show(&app, &visit, program, customer).await;
    visit.answer(result)
}

/// `POST /p/{program}/customers/{customer}/archive`
pub async fn post(
    State(app): State<App>,
    visit: Visit,
    Path((program, customer)): Path<(String, String)>,
    Form(wished): Form<Wished>,
) -> Response {
    let result = async {
        visit.check_write(&wished.form_token)?;
        let loaded = load(&app, &visit, program, customer).await?;
        let place = api_place(&loaded.frame.place());
        let id = loaded.line.customer_id.clone();
        archive::set(&app, &place, id, wished.archived, visit.now).await?;
        let frame = visit.frame(&loaded.frame, Section::Customers, "");
        let path = format!("customers/{}", encode(&loaded.line.customer_id));
        Ok(Redirect::to(&frame.program.href(&path)).into_response())
    };
    visit.answer(result.await)
}

async fn load(app: &App, visit: &Visit, public_id: String, customer_id: String) -> Result<Loaded, PageError> {
    let workspace_id = visit.session.workspace_id.clone();
    Ok(app.db.read(Load { workspace_id, public_id, customer_id }).await?)
}

async fn show(
    app: &App,
    visit: &Visit,
    public_id: String,
    customer_id: String,
) -> Result<Response, PageError> {
    let loaded = load(app, visit, public_id, customer_id).await?;
    let line = &loaded.line;
    let name = words::buyer(&line.customer, "");
    let [email, _, _, key] = line.customer.clone();
    let frame = visit.frame(&loaded.frame, Section::Customers, &name);
    let card = frame.program.clone();
    let path = card.href(&format!("customers/{}/archive", encode(&line.customer_id)));
    let to = |id: &str| card.href(&format!("partners/{}", encode(id)));
    let by_evidence = line.partner.as_ref().map(|(id, partner)| (words::partner(partner), to(id)));
    let by_hand = in_force(&loaded.decided, visit.now);
    let (partner, because) = match by_hand {
        Some((ruling, named)) => {
            let partner = ruling.partner_id.as_deref().map(|id| (named.unwrap_or(id).to_owned(), to(id)));
            (partner, format!("By a decision. {}", ruling.words))
        }
        None => {
            let because = because(line, by_evidence.as_ref().map(|(name, _)| name.as_str()));
            (by_evidence, because)
        }
    };
    let shown = CustomerPage {
        erase_href: card.href(&format!("customers/{}/erase", encode(&line.customer_id))),
        key: (key != name).then(|| Id::new("key", key)),
        email: if email == name { String::new() } else { email },
        status: words::person_badge(&line.status),
        first_seen: Instant { at: line.created_at },
        because,
        partner,
        figures: figures(line),
        sales: loaded.sales.iter().map(|sale| sale_line(sale, &card, visit.now)).collect(),
        reasons: reasons(&loaded),
        archive: (path, line.status == "archived"),
        may_write: visit.may_write(),
        name,
        frame,
    };
    Ok(page(StatusCode::OK, &shown))
}

/// What was decided of all sales from an instant in the past on, with the partner's name.
fn in_force(decided: &[(Decided, Option<String>)], now: i64) -> Option<(Ruling, Option<&str>)> {
    let (last, named) = decided.iter().find(|(one, _)| one.from_ms.is_none_or(|from| from <= now))?;
    Some((ruling(last, "the customer")?, named.as_deref()))
}

/// Decisions, each as one of the reasons.
fn decisions(loaded: &Loaded) -> impl Iterator<Item = ReasonLine> {
    loaded.decided.iter().map(|(one, named)| {
        let what = match (one.value.as_str(), named) {
            (AS_EVIDENCE_SAYS, _) => "Decisions were taken back".to_owned(),
            ("", _) => "Taken from everybody".to_owned(),
            (id, named) => format!("Given to {}", named.as_deref().unwrap_or(id)),
        };
        let from = one.from_ms.map(|from| format!(", for sales from {} on", at_words(from)));
        let why = if one.reason.is_empty() { String::new() } else { format!(": “{}”", one.reason) };
        ReasonLine {
            icon: "user-check",
            what: format!("{what} by {}{}{why}", who(&one.actor), from.unwrap_or_default()),
            value: String::new(),
            source: None,
            at: Instant { at: one.created_at },
        }
    })
}

/// Who brought the customer and by what, in a sentence.
pub(crate) fn because(line: &Line, partner: Option<&str>) -> String {
    let Some(partner) = partner else {
        return "Nobody brought this customer: no link, no sign-up and no metadata names a partner."
            .to_owned();
    };
    match (line.origin.as_str(), line.partner_by.as_str()) {
        (_, "browser") => format!("{partner} brought this customer: the browser told so at the sign-up."),
        (_, "user") => format!("{partner} brought this customer: a person decided so."),
        (_, "erased") => format!("{partner} brought this customer. By what is gone: the person was erased."),
        ("purchase", _) => format!("{partner} brought this customer: the purchase itself named the partner."),
        _ => format!("{partner} brought this customer: your server told so at the sign-up."),
    }
}

fn figures(line: &Line) -> Vec<Kpi> {
    let kpi = |label: String, value: String| Kpi { label, value, compared: String::new(), tone: Tone::Plain };
    let sales: i64 = line.sums.iter().map(|sum| sum.sales).sum();
    let mut figures = vec![kpi("Sales".to_owned(), grouped(&sales.to_string()))];
    let several = line.sums.len() > 1;
    for sum in &line.sums {
        let code = sum.currency.to_ascii_uppercase();
        let label = |word: &str| if several { format!("{word}, {code}") } else { word.to_owned() };
        figures.push(kpi(label("Paid"), words::money(sum.paid, &sum.currency).text()));
        figures.push(kpi(label("Earned by partners"), words::money(sum.earned, &sum.currency).text()));
    }
    figures
}

fn sale_line(sale: &Sale, card: &ProgramCard, now: i64) -> SaleLine {
    let earned = sale.earned.as_ref();
    let gone = words::Gone { refunded: sale.refunded, lost: sale.lost, disputed: sale.disputed };
    SaleLine {
        href: card.href(&format!("transactions/{}", encode(&sale.root_id))),
        at: Ago { at: sale.occurred_at, now },
        root: Id::new(object_word(&sale.root_id), &sale.root_id),
        status: words::sale_badge(&sale.state, sale.unfinished, sale.paid, gone),
        partner: earned.map(|(partner, _, _)| words::partner(partner)),
        paid: words::money(sale.paid, &sale.currency),
        refunded: (gone.back() > 0).then(|| words::money(gone.back(), &sale.currency)),
        earned: earned.map(|(_, target, currency)| words::money(*target, currency)),
        nothing: words::nothing(&sale.outcome).to_owned(),
    }
}

pub(crate) fn kind_words(kind: &str) -> String {
    let known = EvidenceKind::ALL.iter().find(|known| known.as_str() == kind);
    known.map_or_else(|| kind.replace('_', " "), |kind| kind.words().to_owned())
}

/// The sign-up, who the buyers are, and what their objects say: the oldest first.
fn reasons(loaded: &Loaded) -> Vec<ReasonLine> {
    let line = &loaded.line;
    let source = |id: &str| (!id.is_empty()).then(|| Id::new(object_word(id), id));
    let mut all: Vec<ReasonLine> = decisions(loaded).collect();
    if line.origin != "purchase" {
        let what = match (&line.partner, line.partner_by.as_str()) {
            (Some((_, partner)), "browser") => {
                format!("Signed up in the browser with the key of {}", words::partner(partner))
            }
            (_, "erased") => "The person was erased; what was earned stays".to_owned(),
            (Some((_, partner)), _) => format!("Signed up with the key of {}", words::partner(partner)),
            (None, _) => "Signed up without a partner".to_owned(),
        };
        let at = Instant { at: line.created_at };
        all.push(ReasonLine { icon: "user-plus", what, value: String::new(), source: None, at });
    }
    all.extend(loaded.buyers.iter().map(|reason| ReasonLine {
        icon: "user",
        what: format!("{} is this customer, by {}", buyer(&reason.buyer_id), kind_words(&reason.kind)),
        value: String::new(),
        source: source(&reason.source),
        at: Instant { at: reason.at },
    }));
    all.extend(loaded.hints.iter().map(|reason| ReasonLine {
        icon: "receipt",
        what: sentence_case(&kind_words(&reason.kind)),
        value: reason.value.clone(),
        source: source(&reason.source),
        at: Instant { at: reason.at },
    }));
    all.sort_by_key(|reason| reason.at.at);
    all
}

fn buyer(buyer_id: &str) -> String {
    if buyer_id.starts_with("cus_") { buyer_id.to_owned() } else { "A guest".to_owned() }
}

struct Loaded {
    frame: frame::Frame,
    line: Line,
    sales: Vec<Sale>,
    buyers: Vec<Reason>,
    hints: Vec<Reason>,
    /// Decisions on the customer, the newest first, with the names of the partners.
    decided: Vec<(Decided, Option<String>)>,
}

struct Load {
    workspace_id: String,
    public_id: String,
    customer_id: String,
}

impl Unit for Load {
    type Out = Loaded;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Loaded, StoreError> {
        let frame = visit::load(tx, &self.workspace_id, &self.public_id).await?;
        let place = frame.place();
        let missing = || StoreError::NotFound(format!("customer {}", self.customer_id));
        let line = stored::find(tx, &place, &self.customer_id).await?.ok_or_else(missing)?;
        let sales = stored::sales(tx, &place, &self.customer_id).await?;
        let (buyers, hints) = stored::reasons(tx, &place, &self.customer_id).await?;
        let decided = decided(tx, &place, &self.customer_id).await?;
        Ok(Loaded { frame, line, sales, buyers, hints, decided })
    }
}

async fn decided(
    tx: &mut Tx<'_>,
    place: &Place,
    customer_id: &str,
) -> Result<Vec<(Decided, Option<String>)>, StoreError> {
    let Some(customer) = people::find_customer(tx, &place.workspace_id, customer_id).await? else {
        return Ok(Vec::new());
    };
    let mut named = Vec::new();
    for one in rulings::on_customer(tx, &place.workspace_id, &customer).await?.into_iter().take(DECISIONS) {
        let partner = api::partners::find(tx, &api_place(place), By::Id, &one.value).await?;
        let name = partner.map(|partner| format!("{} {}", partner.name, partner.surname).trim().to_owned());
        named.push((one, name.filter(|name| !name.is_empty())));
    }
    Ok(named)
}
