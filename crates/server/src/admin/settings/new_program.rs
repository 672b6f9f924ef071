//! Another program in the same workspace; its set-up goes on where the first one's did.

use crate::App;
use crate::admin::error::PageError;
use crate::admin::forms::{Posted, may_change};
use crate::admin::setup::program::{ProgramFields, ProgramForm, create};
use crate::admin::visit::Visit;
use crate::ui::frame::Head;
use crate::ui::page::page;
use crate::ui::text::encode;
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "pages/new_program.html")]
pub struct NewProgramPage {
    head: Head,
    form_token: String,
    fields: ProgramFields,
}

fn render(visit: &Visit, form: &ProgramForm, status: StatusCode) -> Response {
    let head = Head { title: "New program".to_owned(), theme: visit.theme, here: "/programs/new".to_owned() };
    page(status, &NewProgramPage { head, form_token: visit.form_token.clone(), fields: form.fields() })
}

/// `GET /programs/new`
pub async fn get(visit: Visit) -> Response {
    if visit.session.role == "analyst" {
        return PageError::NotAllowed.answer(visit.theme);
    }
    render(&visit, &ProgramForm::default(), StatusCode::OK)
}

/// `POST /programs/new`
pub async fn post(State(app): State<App>, visit: Visit, Posted(form): Posted<ProgramForm>) -> Response {
    let result = make(&app, &visit, form).await;
    visit.answer(result)
}

async fn make(app: &App, visit: &Visit, form: ProgramForm) -> Result<Response, PageError> {
    may_change(visit, form.token())?;
    if form.is_preview() {
        return Ok(render(visit, &form, StatusCode::OK));
    }
    match create(app, visit, &form).await? {
        Ok(public_id) => Ok(Redirect::to(&format!("/setup?program={}", encode(&public_id))).into_response()),
        Err(wrong) => Ok(render(visit, &form.with(wrong), StatusCode::UNPROCESSABLE_ENTITY)),
    }
}
