//! One partner: the link first, then the figures, then everything that belongs to it, by tab.

use super::error::PageError;
use super::link_urls::LinkUrls;
use super::partner_codes::{CodesPanel, Typed};
use super::partners::choose_currency;
use super::visit::{self, Visit};
use super::words;
use crate::App;
use crate::ui::Tone;
use crate::ui::badge::{Avatar, Badge, Id};
use crate::ui::controls::{CopyField, Segmented, Tabs};
use crate::ui::figures::Kpi;
use crate::ui::frame::{Frame, ProgramCard, Section};
use crate::ui::money::{Money, grouped};
use crate::ui::page::page;
use crate::ui::text::{encode, object_word, query};
use crate::ui::when::{Ago, Instant, day};
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use tributary_domain::terms::TermsVersion;
use tributary_store::api::By;
use tributary_store::api::partners::{self as api, Partner};
use tributary_store::pages::partners::{self as stored, Brought, Commission};
use tributary_store::pages::{Direction, Place, customers, frame, links};
use tributary_store::pipeline::codes::{self, PartnerCode};
use tributary_store::{StoreError, Tx, Unit, workspaces};

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "pages/partner.html")]
pub struct PartnerPage {
    /// Around it.
    pub frame: Frame,
    /// The partner's name, else key.
    pub name: String,
    /// The e-mail address.
    pub email: String,
    /// The public key.
    pub key: Id,
    /// Where the partner stands.
    pub status: Badge,
    /// Since when.
    pub joined: String,
    /// The default link with its parameter, and the short form.
    pub link: Option<(CopyField, CopyField)>,
    /// The currencies, if there are several.
    pub currencies: Option<Segmented>,
    /// The figures.
    pub figures: Vec<Kpi>,
    /// The tabs.
    pub tabs: Tabs,
    /// What is under the chosen tab.
    pub panel: Panel,
    /// The page that changes the partner.
    pub edit_href: String,
    /// Where a change of status is posted to.
    pub status_href: String,
    /// Status and words of what can be done.
    pub moves: Vec<(&'static str, &'static str, &'static str)>,
    /// May this user change anything?
    pub may_write: bool,
}

/// What is under a tab.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Panel {
    /// The newest customers, and where all are.
    Customers(Vec<CustomerLine>, Option<String>),
    /// The newest commissions, and where all are.
    Commissions(Vec<CommissionLine>, Option<String>),
    /// All links.
    Links(Vec<LinkLine>),
    /// Promotion codes: the form, and all that the partner has or had.
    Codes(Box<CodesPanel>),
    /// The terms in force and what they were.
    Terms(Vec<(String, String, bool)>),
    /// What happened: icon, words, when.
    Timeline(Vec<(&'static str, String, Instant)>),
}

/// A customer in a partner's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerLine {
    /// The customer's page.
    pub href: String,
    /// The customer.
    pub name: String,
    /// First seen.
    pub at: Ago,
    /// Sales in words.
    pub sales: String,
    /// What was paid, by currency.
    pub paid: Vec<Money>,
}

/// A commission in a partner's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommissionLine {
    /// The page that explains it.
    pub href: String,
    /// When the sale was.
    pub at: Ago,
    /// The root object.
    pub root: Id,
    /// Who bought.
    pub customer: String,
    /// Where it stands.
    pub status: Badge,
    /// More about that.
    pub note: String,
    /// What was sold.
    pub revenue: Money,
    /// What is earned.
    pub earned: Money,
}

/// A link in a partner's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkLine {
    /// Its name, else key.
    pub name: String,
    /// Its forms.
    pub query: CopyField,
    /// The short form.
    pub short: CopyField,
    /// "Default", "Archived", or nothing.
    pub badge: Option<Badge>,
    /// Visits.
    pub visits: String,
    /// What does not count, in words.
    pub apart: String,
}

impl PartnerPage {
    fn avatar(&self) -> Avatar {
        Avatar { name: self.name.clone(), large: true }
    }
}

/// What the address may ask for.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    tab: Option<String>,
    currency: Option<String>,
}

const TABS: [(&str, &str); 6] = [
    ("", "Customers"),
    ("commissions", "Commissions"),
    ("links", "Links"),
    ("codes", "Codes"),
    ("terms", "Terms"),
    ("timeline", "Timeline"),
];

/// `GET /p/{program}/partners/{partner}`
pub async fn get(
    State(app): State<App>,
    visit: Visit,
    Path((program, partner)): Path<(String, String)>,
    Query(asked): Query<Asked>,
) -> Response {
    let result = show(&app, &visit, program, partner, asked).await;
    visit.answer(result)
}

async fn show(
    app: &App,
    visit: &Visit,
    public_id: String,
    partner_id: String,
    asked: Asked,
) -> Result<Response, PageError> {
    let place = (public_id, partner_id);
    let shown = compose(app, visit, place, asked).await?;
    Ok(page(StatusCode::OK, &shown))
}

/// The page with its codes and what was typed of a further one that cannot be taken.
pub(super) async fn with_codes(
    app: &App,
    visit: &Visit,
    place: (String, String),
    typed: &Typed,
) -> Result<Response, PageError> {
    let asked = Asked { tab: Some("codes".to_owned()), currency: None };
    let mut shown = compose(app, visit, place, asked).await?;
    if let Panel::Codes(panel) = &mut shown.panel {
        panel.refuse(typed);
    }
    Ok(page(StatusCode::UNPROCESSABLE_ENTITY, &shown))
}

async fn compose(
    app: &App,
    visit: &Visit,
    (public_id, partner_id): (String, String),
    asked: Asked,
) -> Result<PartnerPage, PageError> {
    let tab = asked.tab.unwrap_or_default();
    let tab = TABS.iter().find(|(value, _)| *value == tab).map_or("", |(value, _)| *value);
    let workspace_id = visit.session.workspace_id.clone();
    let loaded = app.db.read(Load { workspace_id, public_id, partner_id, tab, now: visit.now }).await?;
    let partner = &loaded.partner;
    let name = words::partner(&[partner.name.clone(), partner.surname.clone(), partner.key.clone()]);
    let frame = visit.frame(&loaded.frame, Section::Partners, &name);
    let card = frame.program.clone();
    let path = card.href(&format!("partners/{}", encode(&partner.partner_id)));
    let known: Vec<_> = loaded.brought.iter().map(|one| one.currency.clone()).collect();
    let asked_code = asked.currency.unwrap_or_default().to_lowercase();
    let currency = choose_currency(&asked_code, &card.currency, &known);
    let code = if known.len() > 1 { currency.as_str() } else { "" };
    let to = |tab: &str, code: &str| {
        let query = query(&[("tab", tab), ("currency", code)]);
        if query.is_empty() { path.clone() } else { format!("{path}?{query}") }
    };
    let parameter = &loaded.frame.shown.program.parameter;
    let urls = |line: &links::Line| LinkUrls::of(line, &app.settings.public_url, &card.public_id, parameter);
    let link = loaded.links.iter().find(|line| line.is_default).or(loaded.links.first()).map(|line| {
        let urls = urls(line);
        (CopyField { what: "link", value: urls.query }, CopyField { what: "short link", value: urls.short })
    });
    let shown = PartnerPage {
        email: partner.email.clone(),
        key: Id::new("key", &partner.key),
        status: words::person_badge(&partner.status),
        joined: day(partner.created_at),
        link,
        currencies: (known.len() > 1).then(|| Segmented {
            label: "Currency",
            choices: known
                .iter()
                .map(|code| (code.to_ascii_uppercase(), to(tab, code), *code == currency))
                .collect(),
        }),
        figures: figures(&loaded, &currency),
        tabs: Tabs {
            label: "Parts of this partner",
            tabs: TABS
                .iter()
                .map(|(value, word)| ((*word).to_owned(), to(value, code), *value == tab))
                .collect(),
        },
        panel: if tab == "codes" {
            Panel::Codes(Box::new(CodesPanel::new(&loaded.codes, &path, &Typed::default())))
        } else {
            panel(&loaded, tab, &card, visit.now, urls)
        },
        edit_href: format!("{path}/edit"),
        status_href: format!("{path}/status"),
        moves: moves(&partner.status),
        may_write: visit.may_write(),
        name,
        frame,
    };
    Ok(shown)
}

/// What can be done with a partner in a status: the status after it, its icon, its verb.
fn moves(status: &str) -> Vec<(&'static str, &'static str, &'static str)> {
    const SUSPEND: (&str, &str, &str) = ("suspended", "pause", "Suspend");
    const ARCHIVE: (&str, &str, &str) = ("archived", "archive", "Archive");
    match status {
        "active" => vec![SUSPEND, ARCHIVE],
        "pending" => vec![("active", "check", "Approve"), ARCHIVE],
        "suspended" => vec![("active", "play", "Activate"), ARCHIVE],
        _ => vec![("active", "undo-2", "Bring back")],
    }
}

fn figures(loaded: &Loaded, currency: &str) -> Vec<Kpi> {
    let brought = loaded.brought.iter().find(|one| one.currency == currency);
    let (sales, revenue, earned, pending) =
        brought.map_or((0, 0, 0, 0), |one| (one.sales, one.revenue, one.earned, one.pending));
    let count = |count: i64| grouped(&count.to_string());
    let money = |minor| words::money(minor, currency).text();
    let kpi = |label: &str, value: String, compared: String| Kpi {
        label: label.to_owned(),
        value,
        compared,
        tone: Tone::Plain,
    };
    let hold = if pending == 0 { String::new() } else { format!("{} more in hold", money(pending)) };
    vec![
        kpi("Visits", count(loaded.visits), String::new()),
        kpi("Customers", count(loaded.customers), String::new()),
        kpi("Sales", count(sales), String::new()),
        kpi("Revenue", money(revenue), String::new()),
        kpi("Earned", money(earned), String::new()),
        kpi("Owed now", money(earned.saturating_sub(pending)), hold),
    ]
}

fn panel(
    loaded: &Loaded,
    tab: &str,
    card: &ProgramCard,
    now: i64,
    urls: impl Fn(&links::Line) -> LinkUrls,
) -> Panel {
    let size = usize::try_from(stored::PAGE).unwrap_or(50);
    let whole = |path: &str, full: bool| {
        full.then(|| card.href(&format!("{path}?partner={}", encode(&loaded.partner.partner_id))))
    };
    match tab {
        "commissions" => {
            let lines = loaded.commissions.iter().map(|line| commission(line, card, now)).collect();
            Panel::Commissions(lines, whole("transactions", loaded.commissions.len() >= size))
        }
        "links" => Panel::Links(loaded.links.iter().map(|line| link_line(line, &urls(line))).collect()),
        "terms" => Panel::Terms(terms(&loaded.terms, now)),
        "timeline" => Panel::Timeline(timeline(loaded)),
        _ => {
            let lines = loaded.people.iter().take(size).map(|line| customer(line, card, now)).collect();
            Panel::Customers(lines, whole("customers", loaded.people.len() > size))
        }
    }
}

fn customer(line: &customers::Line, card: &ProgramCard, now: i64) -> CustomerLine {
    let sales: i64 = line.sums.iter().map(|sum| sum.sales).sum();
    CustomerLine {
        href: card.href(&format!("customers/{}", encode(&line.customer_id))),
        name: words::buyer(&line.customer, ""),
        at: Ago { at: line.created_at, now },
        sales: match sales {
            0 => "no sale yet".to_owned(),
            1 => "1 sale".to_owned(),
            some => format!("{} sales", grouped(&some.to_string())),
        },
        paid: line.sums.iter().map(|sum| words::money(sum.paid, &sum.currency)).collect(),
    }
}

fn commission(line: &Commission, card: &ProgramCard, now: i64) -> CommissionLine {
    let (status, note) = words::commission_badge(
        &line.outcome,
        line.target,
        line.matured_at.is_some(),
        line.payable_at,
        line.held,
    );
    CommissionLine {
        href: card.href(&format!("transactions/{}", encode(&line.root_id))),
        at: Ago { at: line.occurred_at, now },
        root: Id::new(object_word(&line.root_id), &line.root_id),
        customer: words::buyer(&line.customer, ""),
        status,
        note,
        revenue: words::money(line.revenue, &line.currency),
        earned: words::money(line.target, &line.currency),
    }
}

fn link_line(line: &links::Line, urls: &LinkUrls) -> LinkLine {
    let badge = match (line.archived_at, line.is_default) {
        (Some(_), _) => Some(Badge::with(Tone::Plain, "archive", "Archived")),
        (None, true) => Some(Badge::new(Tone::Accent, "Default")),
        (None, false) => None,
    };
    LinkLine {
        name: if line.name.is_empty() { line.key.clone() } else { line.name.clone() },
        query: CopyField { what: "link", value: urls.query.clone() },
        short: CopyField { what: "short link", value: urls.short.clone() },
        badge,
        visits: grouped(&line.came.visits.to_string()),
        apart: super::links::apart(line.came),
    }
}

/// The versions of the terms, the newest first: the sentence, since when, in force.
pub(super) fn terms(versions: &[TermsVersion], now: i64) -> Vec<(String, String, bool)> {
    let current = tributary_domain::terms::in_force(versions, now).map(|version| version.version);
    let told = versions.iter().rev().map(|version| {
        let since =
            version.from_ms.map_or_else(|| "from the start".to_owned(), |at| format!("from {}", day(at)));
        (version.terms.sentence(), since, Some(version.version) == current)
    });
    told.collect()
}

fn timeline(loaded: &Loaded) -> Vec<(&'static str, String, Instant)> {
    let status = |(n, (at, status)): (usize, &(i64, String))| {
        let (icon, words) = match (n, status.as_str()) {
            (0, "active") => ("user-plus", "Joined"),
            (0, "pending") => ("user-plus", "Applied"),
            (_, "active") => ("check", "Active again"),
            (_, "pending") => ("hourglass", "Set to pending"),
            (_, "suspended") => ("pause", "Suspended: sales from here on earn nothing"),
            (_, "archived") => ("archive", "Archived"),
            _ => ("x", "Deleted"),
        };
        (icon, words.to_owned(), Instant { at: *at })
    };
    let link = |line: &links::Line| {
        (
            "link",
            format!("Link with the key {} to {}", line.key, line.destination),
            Instant { at: line.created_at },
        )
    };
    let mut all: Vec<_> = loaded.statuses.iter().enumerate().map(status).collect();
    all.extend(loaded.links.iter().map(link));
    all.sort_by_key(|(_, _, instant)| std::cmp::Reverse(instant.at));
    all
}

struct Loaded {
    frame: frame::Frame,
    partner: Partner,
    brought: Vec<Brought>,
    visits: i64,
    customers: i64,
    links: Vec<links::Line>,
    people: Vec<customers::Line>,
    commissions: Vec<Commission>,
    terms: Vec<TermsVersion>,
    statuses: Vec<(i64, String)>,
    codes: Vec<PartnerCode>,
}

struct Load {
    workspace_id: String,
    public_id: String,
    partner_id: String,
    tab: &'static str,
    now: i64,
}

/// The API's name for where a page looks.
pub(super) fn api_place(place: &Place) -> tributary_store::api::Place {
    tributary_store::api::Place {
        workspace_id: place.workspace_id.clone(),
        program_id: place.program_id.clone(),
        mode: place.mode.clone(),
    }
}

/// The partner with one of its ids; deleted ones are not found.
pub(super) async fn find(tx: &mut Tx<'_>, place: &Place, partner_id: &str) -> Result<Partner, StoreError> {
    let found = api::find(tx, &api_place(place), By::Id, partner_id).await?;
    found.ok_or_else(|| StoreError::NotFound(format!("partner {partner_id}")))
}

impl Unit for Load {
    type Out = Loaded;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Loaded, StoreError> {
        let frame = visit::load(tx, &self.workspace_id, &self.public_id).await?;
        let place = frame.place();
        let partner = find(tx, &place, &self.partner_id).await?;
        let id = &partner.partner_id;
        let (brought, visits, customers) = stored::brought(tx, &place, id).await?;
        let mut loaded = Loaded {
            brought,
            visits,
            customers,
            links: links::of_partner(tx, &place, id).await?,
            people: Vec::new(),
            commissions: Vec::new(),
            terms: Vec::new(),
            statuses: Vec::new(),
            codes: Vec::new(),
            frame,
            partner,
        };
        let id = &loaded.partner.partner_id;
        match self.tab {
            "commissions" => loaded.commissions = stored::commissions(tx, &place, id).await?,
            "terms" => {
                loaded.terms = workspaces::list_terms(tx, &self.workspace_id, &place.program_id).await?
            }
            "timeline" => loaded.statuses = stored::statuses(tx, &self.workspace_id, id).await?,
            "links" => {}
            "codes" => loaded.codes = codes::of_partner(tx, &self.workspace_id, id).await?,
            _ => {
                let filter = customers::Filter { partner_id: id.clone(), ..customers::Filter::default() };
                loaded.people =
                    customers::list(tx, &place, &filter, Direction::Older, None, self.now).await?;
            }
        }
        Ok(loaded)
    }
}
