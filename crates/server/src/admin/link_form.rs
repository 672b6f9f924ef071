//! A further link for a partner, and archiving one.

use super::error::PageError;
use super::link_urls::destination;
use super::partner::api_place;
use super::visit::{self, Visit};
use crate::App;
use crate::api::fields::is_link_key;
use crate::api::partners::target::Target;
use crate::pipeline::key_taken;
use crate::state::new_id;
use crate::ui::controls::Field;
use crate::ui::frame::{Frame, Section};
use crate::ui::page::page;
use crate::ui::text::{encode, sentence_case};
use askama::Template;
use axum::Form;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use tributary_domain::ids::IdKind;
use tributary_store::api::By;
use tributary_store::api::partners;
use tributary_store::pages::frame;
use tributary_store::pipeline::objects;
use tributary_store::vault::random;
use tributary_store::{StoreError, Tx, Unit, links};

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "pages/link_form.html")]
pub struct LinkFormPage {
    /// Around it.
    pub frame: Frame,
    /// Where it is sent.
    pub action: String,
    /// Partner, destination, key.
    pub fields: [Field; 3],
    /// Where leaving leads.
    pub back: String,
}

/// What is typed.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Typed {
    #[serde(default)]
    form_token: String,
    #[serde(default)]
    partner: String,
    #[serde(default)]
    destination: String,
    #[serde(default)]
    key: String,
}

/// For whom the form opens.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    partner: Option<String>,
}

/// A wish to archive, or to bring back.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wished {
    form_token: String,
    archived: bool,
}

/// What is wrong: with the partner, the destination, the key. Empty if nothing is.
type Wrong = [String; 3];

/// `GET /p/{program}/links/new`
pub async fn new(
    State(app): State<App>,
    visit: Visit,
    Path(program): Path<String>,
    Query(asked): Query<Asked>,
) -> Response {
    let result = async {
        let loaded = load(&app, &visit, program).await?;
        let destination = loaded.shown.program.website.clone();
        let partner = asked.partner.unwrap_or_default().chars().take(255).collect();
        let typed = Typed { partner, destination, ..Typed::default() };
        Ok(form(&visit, &loaded, &typed, Wrong::default(), StatusCode::OK))
    };
    visit.answer(result.await)
}

/// `POST /p/{program}/links`
pub async fn add(
    State(app): State<App>,
    visit: Visit,
    Path(program): Path<String>,
    Form(typed): Form<Typed>,
) -> Response {
    let result = async {
        visit.check_write(&typed.form_token)?;
        let loaded = load(&app, &visit, program).await?;
        let mut wrong = Wrong::default();
        let leads_to = destination(&typed.destination).unwrap_or_else(|problem| {
            wrong[1] = problem;
            String::new()
        });
        let key = typed.key.trim().to_owned();
        if !key.is_empty() && !is_link_key(&key) {
            "A key has only letters, digits, “-” and “_”, at most 64 of them.".clone_into(&mut wrong[2]);
        }
        if typed.partner.trim().is_empty() {
            "Whose link is it? Type a key, an id or an e-mail address.".clone_into(&mut wrong[0]);
        }
        if wrong == Wrong::default() {
            let add = Add {
                place: api_place(&loaded.place()),
                partner: typed.partner.trim().to_owned(),
                destination: leads_to,
                key,
                tail: hex::encode(random::<3>()?),
                link_id: new_id(IdKind::Link)?,
                now: visit.now,
            };
            let mut made = app.db.write(add.clone()).await;
            if matches!(made, Err(StoreError::Conflict(_))) {
                // Somebody else was faster; the second look sees it.
                made = app.db.write(add).await;
            }
            match made? {
                Ok(partner_id) => {
                    let frame = visit.frame(&loaded, Section::Links, "");
                    let path = format!("partners/{}?tab=links", encode(&partner_id));
                    return Ok(Redirect::to(&frame.program.href(&path)).into_response());
                }
                Err(found) => wrong = found,
            }
        }
        Ok(form(&visit, &loaded, &typed, wrong, StatusCode::UNPROCESSABLE_ENTITY))
    };
    visit.answer(result.await)
}

/// `POST /p/{program}/links/{link}/archive`
pub async fn archive(
    State(app): State<App>,
    visit: Visit,
    Path((program, link_id)): Path<(String, String)>,
    Form(wished): Form<Wished>,
) -> Response {
    let result = async {
        visit.check_write(&wished.form_token)?;
        let loaded = load(&app, &visit, program).await?;
        let (place, archived, now) = (loaded.place(), wished.archived, visit.now);
        match app.db.write(Archive { place, link_id, archived, now }).await {
            // No page offers that for a default link.
            Err(StoreError::Conflict(_)) => return Err(PageError::FormRefused),
            other => other?,
        }
        let frame = visit.frame(&loaded, Section::Links, "");
        Ok(Redirect::to(&frame.program.href("links")).into_response())
    };
    visit.answer(result.await)
}

fn form(visit: &Visit, loaded: &frame::Frame, typed: &Typed, wrong: Wrong, status: StatusCode) -> Response {
    let frame = visit.frame(loaded, Section::Links, "Add a link");
    let [partner, destination, key] = wrong;
    let field = |name, label, kind, value: &str, help, error: String, required| Field {
        name,
        label,
        kind,
        value: value.to_owned(),
        help,
        error,
        autocomplete: "off",
        required,
        focus: false,
    };
    let list = frame.program.href("links");
    let shown = LinkFormPage {
        fields: [
            field("partner", "Partner", "text", &typed.partner, "Key, id or e-mail address.", partner, true),
            field(
                "destination",
                "Destination",
                "url",
                &typed.destination,
                "The page that the link leads to, with https://.",
                destination,
                true,
            ),
            field(
                "key",
                "Key",
                "text",
                &typed.key,
                "Stands in the link and never changes. Left empty, one is made of the partner's key.",
                key,
                false,
            ),
        ],
        action: list.clone(),
        back: list,
        frame,
    };
    page(status, &shown)
}

async fn load(app: &App, visit: &Visit, public_id: String) -> Result<frame::Frame, PageError> {
    let workspace_id = visit.session.workspace_id.clone();
    Ok(app.db.read(Load { workspace_id, public_id }).await?)
}

struct Load {
    workspace_id: String,
    public_id: String,
}

impl Unit for Load {
    type Out = frame::Frame;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        visit::load(tx, &self.workspace_id, &self.public_id).await
    }
}

#[derive(Clone)]
struct Add {
    place: tributary_store::api::Place,
    partner: String,
    destination: String,
    key: String,
    tail: String,
    link_id: String,
    now: i64,
}

impl Unit for Add {
    /// The partner's id, or what is wrong.
    type Out = Result<String, Wrong>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let place = &self.place;
        // Before it is looked whether the key is free, and before purchases are looked for that named it.
        objects::lock_program(tx, &place.workspace_id, &place.program_id).await?;
        let Some(partner) = Target::Path(self.partner.clone()).find(tx, place).await? else {
            return Ok(Err([
                "No partner has this key, id or e-mail address.".into(),
                String::new(),
                String::new(),
            ]));
        };
        let key = if self.key.is_empty() {
            let start: String = partner.key.chars().take(57).collect();
            format!("{start}-{}", self.tail)
        } else {
            self.key.clone()
        };
        if partners::is_taken(tx, place, By::Key, &key).await? {
            return Ok(Err([String::new(), String::new(), "This key has already been taken.".into()]));
        }
        let new = links::NewLink {
            workspace_id: &place.workspace_id,
            program_id: &place.program_id,
            partner_id: &partner.partner_id,
            link_id: &self.link_id,
            key: &key,
            name: "",
            destination: &self.destination,
            is_default: false,
            now: self.now,
        };
        match links::create(tx, &new).await {
            Ok(_) => key_taken(tx, (&place.workspace_id, &place.program_id), &key, self.now).await?,
            Err(StoreError::Conflict(why)) => {
                return Ok(Err([format!("{}.", sentence_case(&why)), String::new(), String::new()]));
            }
            Err(error) => return Err(error),
        }
        Ok(Ok(partner.partner_id))
    }
}

struct Archive {
    place: tributary_store::pages::Place,
    link_id: String,
    archived: bool,
    now: i64,
}

impl Unit for Archive {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let place = &self.place;
        let ids = (&place.workspace_id, &place.program_id);
        links::archive(tx, ids.0, ids.1, &self.link_id, self.archived, self.now).await
    }
}
