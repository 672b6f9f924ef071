//! Erasing the person behind a customer: what stays and what goes is said first, and the key is typed to confirm.

use super::error::PageError;
use super::visit::{self, Visit};
use super::words;
use crate::App;
use crate::pipeline::erase::{Who, erase};
use crate::ui::controls::Field;
use crate::ui::frame::{Frame, Section};
use crate::ui::page::page;
use crate::ui::text::encode;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use tributary_store::pages::customers::{self as stored, Line};
use tributary_store::pages::frame;
use tributary_store::{StoreError, Tx, Unit};

use super::forms::Posted;

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "pages/customer_erase.html")]
pub struct ErasePage {
    /// Around it.
    pub frame: Frame,
    /// The customer.
    pub name: String,
    /// What is typed to confirm.
    pub key: String,
    /// Where that is typed.
    pub field: Field,
    /// Where it is sent.
    pub action: String,
    /// The customer's page.
    pub back: String,
}

/// What is typed.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Typed {
    form_token: String,
    confirm: String,
}

/// `GET /p/{program}/customers/{customer}/erase`
pub async fn get(State(app): State<App>, visit: Visit, Path(path): Path<(String, String)>) -> Response {
    let result = async {
        if !visit.may_write() {
            return Err(PageError::NotAllowed);
        }
        let loaded = load(&app, &visit, path).await?;
        Ok(form(&visit, &loaded, String::new(), StatusCode::OK))
    };
    visit.answer(result.await)
}

/// `POST /p/{program}/customers/{customer}/erase`
pub async fn post(
    State(app): State<App>,
    visit: Visit,
    Path(path): Path<(String, String)>,
    Posted(typed): Posted<Typed>,
) -> Response {
    let result = async {
        visit.check_write(&typed.form_token)?;
        let loaded = load(&app, &visit, path).await?;
        let [_, _, _, key] = &loaded.1.customer;
        if typed.confirm.trim() != key {
            let wrong = "This is not the customer's key. Nothing was erased.".to_owned();
            return Ok(form(&visit, &loaded, wrong, StatusCode::UNPROCESSABLE_ENTITY));
        }
        let who = Who::Customer(loaded.1.customer_id.clone());
        erase(&app, &visit.session.workspace_id, &who, &crate::audit::user(&visit.session.email)).await?;
        let frame = visit.frame(&loaded.0, Section::Customers, "");
        let path = format!("customers/{}", encode(&loaded.1.customer_id));
        Ok(Redirect::to(&frame.program.href(&path)).into_response())
    };
    visit.answer(result.await)
}

fn form(visit: &Visit, loaded: &(frame::Frame, Line), error: String, status: StatusCode) -> Response {
    let (frame, line) = loaded;
    let name = words::buyer(&line.customer, "");
    let frame = visit.frame(frame, Section::Customers, "Erase a person");
    let [_, _, _, key] = line.customer.clone();
    let back = frame.program.href(&format!("customers/{}", encode(&line.customer_id)));
    let shown = ErasePage {
        field: Field {
            name: "confirm",
            label: "Type the key to confirm",
            kind: "text",
            help: "Exactly as it stands above.",
            error,
            autocomplete: "off",
            required: true,
            ..Field::default()
        },
        action: format!("{back}/erase"),
        name,
        key,
        back,
        frame,
    };
    page(status, &shown)
}

async fn load(
    app: &App,
    visit: &Visit,
    (public_id, customer_id): (String, String),
) -> Result<(frame::Frame, Line), PageError> {
    let workspace_id = visit.session.workspace_id.clone();
    Ok(app.db.read(Load { workspace_id, public_id, customer_id }).await?)
}

struct Load {
    workspace_id: String,
    public_id: String,
    customer_id: String,
}

impl Unit for Load {
    type Out = (frame::Frame, Line);
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let frame = visit::load(tx, &self.workspace_id, &self.public_id).await?;
        let missing = || StoreError::NotFound(format!("customer {}", self.customer_id));
        let line = stored::find(tx, &frame.place(), &self.customer_id).await?.ok_or_else(missing)?;
        Ok((frame, line))
    }
}
