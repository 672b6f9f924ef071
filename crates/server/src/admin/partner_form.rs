//! Adding a partner, changing one, and moving one to another status: by the same functions as the API.

use super::error::PageError;
use super::partner::{api_place, find};
use super::visit::{self, Visit};
use super::words;
use crate::App;
use crate::api::error::{ApiError, Problems};
use crate::api::partners::target::Target;
use crate::api::partners::{archive, create, update};
use crate::audit::{Note, record};
use crate::ui::controls::Field;
use crate::ui::frame::{Frame, Section};
use crate::ui::page::page;
use crate::ui::text::encode;
use askama::Template;
use axum::Form;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use serde_json::{Map, Value};
use tributary_store::api::By;
use tributary_store::api::partners::Partner;
use tributary_store::pages::frame;
use tributary_store::{StoreError, Tx, Unit};

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "pages/partner_form.html")]
pub struct PartnerFormPage {
    /// Around it.
    pub frame: Frame,
    /// "Add a partner", "Edit Maya Lindqvist".
    pub title: String,
    /// What happens by sending it.
    pub lead: &'static str,
    /// Where it is sent.
    pub action: String,
    /// First and last name, e-mail address, key.
    pub fields: [Field; 4],
    /// What is wrong beside the fields.
    pub problem: String,
    /// The verb.
    pub verb: &'static str,
    /// Where leaving leads.
    pub back: String,
}

/// What is typed.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Typed {
    form_token: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    surname: String,
    #[serde(default)]
    email: String,
    #[serde(default)]
    key: String,
}

/// A wish for another status.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wished {
    form_token: String,
    status: String,
}

impl Typed {
    fn of(partner: &Partner) -> Self {
        Self {
            form_token: String::new(),
            name: partner.name.clone(),
            surname: partner.surname.clone(),
            email: partner.email.clone(),
            key: partner.key.clone(),
        }
    }

    /// The body that the API would be sent: an empty key is none, empty names stay empty.
    fn body(&self) -> Vec<u8> {
        let mut body = Map::new();
        let mut put =
            |name: &str, text: &str| body.insert(name.to_owned(), Value::String(text.trim().to_owned()));
        put("name", &self.name);
        put("surname", &self.surname);
        put("email", &self.email);
        if !self.key.trim().is_empty() {
            put("key", &self.key);
        }
        Value::Object(body).to_string().into_bytes()
    }

    fn fields(&self, problems: &Problems, new: bool) -> [Field; 4] {
        let field = |name: &'static str, label, kind, value: &str, help, required| Field {
            name,
            label,
            kind,
            value: value.to_owned(),
            help,
            error: problems.get(name).map(|sentences| spoken(sentences)).unwrap_or_default(),
            autocomplete: "off",
            required,
            focus: new && name == "name" || problems.keys().next().is_some_and(|first| first == name),
        };
        let key_help = if new {
            "Stands in the link: letters, digits, “-” and “_”. Left empty, one is made."
        } else {
            "Stands in the link. A new key makes a new link; the old one keeps working."
        };
        [
            field("name", "First name", "text", &self.name, "", false),
            field("surname", "Last name", "text", &self.surname, "", false),
            field("email", "E-mail", "email", &self.email, "No two partners of a program share one.", true),
            field("key", "Key", "text", &self.key, key_help, false),
        ]
    }
}

/// The API's sentences as a page says them.
fn spoken(sentences: &[String]) -> String {
    let said: Vec<_> = sentences
        .iter()
        .map(|sentence| {
            sentence.replace("The email", "The e-mail address").replace("The surname", "The last name")
        })
        .collect();
    said.join(" ")
}

/// `GET /p/{program}/partners/new`
pub async fn new(State(app): State<App>, visit: Visit, Path(program): Path<String>) -> Response {
    let result = async {
        let loaded = load(&app, &visit, program).await?;
        Ok(form(&visit, &loaded, None, &Typed::default(), &Problems::new(), StatusCode::OK))
    };
    visit.answer(result.await)
}

/// `POST /p/{program}/partners`
pub async fn add(
    State(app): State<App>,
    visit: Visit,
    Path(program): Path<String>,
    Form(typed): Form<Typed>,
) -> Response {
    let result = async {
        visit.check_write(&typed.form_token)?;
        let loaded = load(&app, &visit, program).await?;
        let place = api_place(&loaded.place());
        let website = loaded.shown.program.website.clone();
        match create::of_body(&app, &place, &website, &typed.body(), visit.now).await {
            Ok(found) => {
                let path = format!("partners/{}", encode(&found.partner.partner_id));
                let frame = visit.frame(&loaded, Section::Partners, "");
                Ok(Redirect::to(&frame.program.href(&path)).into_response())
            }
            Err(ApiError::Invalid(problems)) => {
                Ok(form(&visit, &loaded, None, &typed, &problems, StatusCode::UNPROCESSABLE_ENTITY))
            }
            Err(error) => Err(PageError::from(error)),
        }
    };
    visit.answer(result.await)
}

/// `GET /p/{program}/partners/{partner}/edit`
pub async fn edit(
    State(app): State<App>,
    visit: Visit,
    Path((program, partner)): Path<(String, String)>,
) -> Response {
    let result = async {
        let (loaded, partner) = load_one(&app, &visit, program, partner).await?;
        let typed = Typed::of(&partner);
        Ok(form(&visit, &loaded, Some(&partner), &typed, &Problems::new(), StatusCode::OK))
    };
    visit.answer(result.await)
}

/// `POST /p/{program}/partners/{partner}/edit`
pub async fn change(
    State(app): State<App>,
    visit: Visit,
    Path((program, partner)): Path<(String, String)>,
    Form(typed): Form<Typed>,
) -> Response {
    let result = async {
        visit.check_write(&typed.form_token)?;
        let (loaded, partner) = load_one(&app, &visit, program, partner).await?;
        let place = api_place(&loaded.place());
        let website = loaded.shown.program.website.clone();
        let mut problems = Problems::new();
        // An empty field of a form means "nothing"; to the API it would mean "as before".
        if typed.email.trim().is_empty() {
            problems.insert("email".into(), vec!["The email is required.".into()]);
        }
        if typed.key.trim().is_empty() {
            problems.insert("key".into(), vec!["The key is required.".into()]);
        }
        if problems.is_empty() {
            let target = Target::Field(By::Id, partner.partner_id.clone());
            match update::of_body(&app, &place, &website, target, &typed.body(), visit.now).await {
                Ok(_) => return Ok(to_partner(&visit, &loaded, &partner)),
                Err(ApiError::Invalid(found)) => problems = found,
                Err(error) => return Err(PageError::from(error)),
            }
        }
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        Ok(form(&visit, &loaded, Some(&partner), &typed, &problems, status))
    };
    visit.answer(result.await)
}

/// `POST /p/{program}/partners/{partner}/status`: the status is dated from now on.
pub async fn status(
    State(app): State<App>,
    visit: Visit,
    Path((program, partner)): Path<(String, String)>,
    Form(wished): Form<Wished>,
) -> Response {
    let result = async {
        visit.check_write(&wished.form_token)?;
        let (loaded, partner) = load_one(&app, &visit, program, partner).await?;
        let place = api_place(&loaded.place());
        let target = Target::Field(By::Id, partner.partner_id.clone());
        match (wished.status.as_str(), partner.status.as_str()) {
            ("archived", _) => archive::set(&app, &place, target, true, visit.now).await.map(drop)?,
            ("active", "archived") => archive::set(&app, &place, target, false, visit.now).await.map(drop)?,
            ("active" | "suspended", _) => {
                let body = serde_json::json!({ "status": wished.status }).to_string();
                let website = &loaded.shown.program.website;
                update::of_body(&app, &place, website, target, body.as_bytes(), visit.now).await.map(drop)?;
            }
            _ => return Err(PageError::FormRefused),
        }
        let subject = format!("partner {}", partner.key);
        let line = visit.note(&loaded.shown.program.program_id, "partner", subject, wished.status.as_str());
        record(&app, Note { was: partner.status.clone(), ..line }).await?;
        Ok(to_partner(&visit, &loaded, &partner))
    };
    visit.answer(result.await)
}

fn to_partner(visit: &Visit, loaded: &frame::Frame, partner: &Partner) -> Response {
    let frame = visit.frame(loaded, Section::Partners, "");
    Redirect::to(&frame.program.href(&format!("partners/{}", encode(&partner.partner_id)))).into_response()
}

fn form(
    visit: &Visit,
    loaded: &frame::Frame,
    partner: Option<&Partner>,
    typed: &Typed,
    problems: &Problems,
    status: StatusCode,
) -> Response {
    let name = partner.map(|p| words::partner(&[p.name.clone(), p.surname.clone(), p.key.clone()]));
    let title = name.map_or_else(|| "Add a partner".to_owned(), |name| format!("Edit {name}"));
    let frame = visit.frame(loaded, Section::Partners, &title);
    let list = frame.program.href("partners");
    let own = partner.map(|partner| format!("{list}/{}", encode(&partner.partner_id)));
    let beside =
        problems.iter().filter(|(field, _)| !["name", "surname", "email", "key"].contains(&field.as_str()));
    let shown = PartnerFormPage {
        lead: if partner.is_some() {
            ""
        } else {
            "The partner gets a link at once; nothing is sent to the address."
        },
        action: own.as_ref().map_or_else(|| list.clone(), |own| format!("{own}/edit")),
        fields: typed.fields(problems, partner.is_none()),
        problem: beside.map(|(_, sentences)| spoken(sentences)).collect::<Vec<_>>().join(" "),
        verb: if partner.is_some() { "Save" } else { "Add partner" },
        back: own.unwrap_or(list),
        title,
        frame,
    };
    page(status, &shown)
}

async fn load(app: &App, visit: &Visit, public_id: String) -> Result<frame::Frame, PageError> {
    let workspace_id = visit.session.workspace_id.clone();
    Ok(app.db.read(Load { workspace_id, public_id, partner_id: None }).await?.0)
}

async fn load_one(
    app: &App,
    visit: &Visit,
    public_id: String,
    partner_id: String,
) -> Result<(frame::Frame, Partner), PageError> {
    let workspace_id = visit.session.workspace_id.clone();
    let (frame, partner) =
        app.db.read(Load { workspace_id, public_id, partner_id: Some(partner_id) }).await?;
    Ok((frame, partner.ok_or(PageError::NotFound)?))
}

struct Load {
    workspace_id: String,
    public_id: String,
    partner_id: Option<String>,
}

impl Unit for Load {
    type Out = (frame::Frame, Option<Partner>);
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let frame = visit::load(tx, &self.workspace_id, &self.public_id).await?;
        let partner = match &self.partner_id {
            Some(id) => Some(find(tx, &frame.place(), id).await?),
            None => None,
        };
        Ok((frame, partner))
    }
}
