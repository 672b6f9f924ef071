//! Integration: what connects the site and Stripe to the program, and whether it works. Green on evidence alone.

pub mod api;
pub mod guide;
pub mod snippets;
pub mod stripe;

use super::settings::Asked;
use super::settings::stripe::ConnectionCard;
use super::setup::steps::{script_proof, visit_proof};
use super::visit::{self, Visit};
use crate::App;
use crate::ui::codes::Codes;
use crate::ui::controls::Tabs;
use crate::ui::frame::{Frame, Section};
use crate::ui::lists::Bar;
use crate::ui::page::page;
use crate::ui::proof::{Proof, place};
use crate::ui::when::Ago;
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use guide::Guide;
use snippets::Own;
use tributary_store::connections::{self, Connection};
use tributary_store::health::{self, Arrivals};
use tributary_store::pages::frame as stored;
use tributary_store::pages::onboarding::{self, FirstPartner, Newest, Sighting};
use tributary_store::{StoreError, Tx, Unit};

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "integration/guides.html")]
pub struct GuidesPage {
    frame: Frame,
    tabs: Tabs,
    notice: Option<Bar>,
    script: Codes,
    proofs: Vec<Proof>,
    guides: Vec<Guide>,
    connections: Vec<ConnectionCard>,
}

impl GuidesPage {
    fn proven(&self) -> String {
        let proven = self.proofs.iter().filter(|proof| proof.is_proven()).count();
        format!("{proven} of {} proven", self.proofs.len())
    }
}

/// The two tabs.
fn tabs(frame: &Frame, api: bool) -> Tabs {
    let tab = |words: &str, path, chosen| (words.to_owned(), frame.program.href(path), chosen);
    Tabs {
        label: "Integration",
        tabs: vec![tab("Guides", "integration", !api), tab("API", "integration/api", api)],
    }
}

/// `GET /p/{program}/integration`
pub async fn get(
    State(app): State<App>,
    visit: Visit,
    Path(public_id): Path<String>,
    Query(asked): Query<Asked>,
) -> Response {
    let shown = async {
        let facts = app.db.read(Load::new(&visit, &public_id)).await?;
        let frame = visit.frame(&facts.loaded, Section::Integration, "Integration");
        let program = &facts.loaded.shown.program;
        let own = Own {
            public_url: &app.settings.public_url,
            public_id: &program.public_id,
            website: &program.website,
        };
        let proofs = proofs(&frame, &facts, visit.now);
        let connections = facts
            .connections
            .iter()
            .filter(|(one, _)| one.status != "disconnected")
            .map(|(one, arrivals)| ConnectionCard::of(&frame, one, arrivals, visit.now));
        let shown = GuidesPage {
            tabs: tabs(&frame, false),
            notice: super::settings::notice(&asked.notice),
            script: own.script("script"),
            guides: guide::all(&own, &frame, &facts, visit.now),
            connections: connections.collect(),
            proofs,
            frame,
        };
        Ok(page(StatusCode::OK, &shown))
    };
    visit.answer(shown.await)
}

/// What is to be proven, in the order in which it happens.
fn proofs(frame: &Frame, facts: &Facts, now: i64) -> Vec<Proof> {
    let seen = |kind: &str| facts.sightings.iter().find(|one| one.kind == kind);
    let script = match script_proof(seen("script"), now) {
        proof if proof.is_proven() => proof,
        proof => Proof { title: "Script not seen yet".to_owned(), ..proof },
    };
    vec![script, visit_proof(seen("visit"), now), customer_proof(facts, now), stripe_proof(frame, facts, now)]
}

fn customer_proof(facts: &Facts, now: i64) -> Proof {
    let by_script = facts.sightings.iter().find(|one| one.kind == "signup").map(|one| one.at);
    let proven = |title: &str, detail: &str, at| Proof {
        title: title.to_owned(),
        detail: detail.to_owned(),
        seen: Some(Ago { at, now }),
        action: None,
    };
    match (facts.newest.by_purchase, facts.newest.by_signup.max(by_script)) {
        (Some(bought), signed) if signed.is_none_or(|signed| signed < bought) => {
            proven("A purchase made a customer", "through a referral link", bought)
        }
        (_, Some(signed)) => proven("A sign-up arrived", "", signed),
        _ => Proof {
            title: "No referred customer yet".to_owned(),
            detail: "The first sign-up or purchase by a referral link shows here.".to_owned(),
            seen: None,
            action: None,
        },
    }
}

fn stripe_proof(frame: &Frame, facts: &Facts, now: i64) -> Proof {
    let alive = || facts.connections.iter().filter(|(one, _)| one.status != "disconnected");
    let last = alive().filter_map(|(_, arrivals)| arrivals.last_received_at).max();
    match last {
        Some(at) => Proof {
            title: "Stripe reports".to_owned(),
            detail: "last event".to_owned(),
            seen: Some(Ago { at, now }),
            action: None,
        },
        None if alive().next().is_some() => Proof {
            title: "Stripe is connected, no event yet".to_owned(),
            detail: "The next payment of the account shows here.".to_owned(),
            seen: None,
            action: None,
        },
        None => Proof {
            title: "Stripe is not connected".to_owned(),
            detail: "Without it no payment arrives.".to_owned(),
            seen: None,
            action: Some(("Authorize".to_owned(), frame.program.href("integration/stripe"))),
        },
    }
}

/// What the pages of the integration read.
pub(crate) struct Facts {
    pub(crate) loaded: stored::Frame,
    pub(crate) sightings: Vec<Sighting>,
    pub(crate) newest: Newest,
    pub(crate) connections: Vec<(Connection, Arrivals)>,
    pub(crate) partner: Option<FirstPartner>,
}

impl Facts {
    /// Where something was seen: "seen on acme.com/pricing".
    pub(crate) fn seen(&self, kind: &str) -> Option<(String, i64)> {
        let found = self.sightings.iter().find(|one| one.kind == kind)?;
        Some((place(&found.url), found.at))
    }
}

pub(crate) struct Load {
    workspace_id: String,
    public_id: String,
}

impl Load {
    pub(crate) fn new(visit: &Visit, public_id: &str) -> Self {
        Self { workspace_id: visit.session.workspace_id.clone(), public_id: public_id.to_owned() }
    }
}

impl Unit for Load {
    type Out = Facts;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Facts, StoreError> {
        let loaded = visit::load(tx, &self.workspace_id, &self.public_id).await?;
        let (ws, id) = (&self.workspace_id, &loaded.shown.program.program_id);
        let mut found = Vec::new();
        for one in connections::list_of_program(tx, ws, id).await? {
            let arrivals = health::arrivals(tx, ws, &one.connection_id).await?;
            found.push((one, arrivals));
        }
        Ok(Facts {
            sightings: onboarding::sightings(tx, ws, id).await?,
            newest: onboarding::newest_customers(tx, ws, id, &loaded.shown.mode).await?,
            partner: onboarding::first_partner(tx, ws, id).await?,
            connections: found,
            loaded,
        })
    }
}
