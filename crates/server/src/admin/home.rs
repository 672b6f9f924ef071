//! The first address: to the first program, or what to do where there is none.

use super::error::{ErrorPage, PageError};
use super::visit::Visit;
use crate::App;
use crate::ui::frame::Head;
use crate::ui::page::page;
use crate::ui::text::encode;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use tributary_store::pages::frame::{Shown, programs};
use tributary_store::{StoreError, Tx, Unit};

/// `GET /`
pub async fn get(State(app): State<App>, visit: Visit) -> Response {
    let result = first(&app, &visit).await;
    visit.answer(result)
}

/// Any other address. Programs that call the API read JSON, people read a page.
pub async fn not_found(uri: Uri, headers: HeaderMap) -> Response {
    if uri.path().starts_with("/v1/") {
        let body = serde_json::json!({ "message": "There is nothing at this address of the API." });
        return (StatusCode::NOT_FOUND, axum::Json(body)).into_response();
    }
    PageError::NotFound.answer(crate::auth::theme::of(&headers))
}

async fn first(app: &App, visit: &Visit) -> Result<Response, PageError> {
    let programs = app.db.read(Programs { workspace_id: visit.session.workspace_id.clone() }).await?;
    // Where nothing was left behind, the set-up goes on: first for want of a program, then until it is left.
    if programs.iter().all(|shown| shown.program.setup_done_at.is_none()) && visit.session.role != "analyst" {
        return Ok(Redirect::to("/setup").into_response());
    }
    if let Some(shown) = programs.first() {
        let address = format!("/p/{}", encode(&shown.program.public_id));
        return Ok(Redirect::to(&address).into_response());
    }
    let nothing = ErrorPage {
        head: Head { title: "No program yet".to_owned(), theme: visit.theme, here: "/".to_owned() },
        code: visit.session.workspace_name.clone(),
        title: "There is no program yet",
        text: "An owner or admin of the workspace can make one. Log in as such, or ask for it.".to_owned(),
        actions: vec![("Look again", "/".to_owned())],
        reference: String::new(),
    };
    Ok(page(StatusCode::OK, &nothing))
}

struct Programs {
    workspace_id: String,
}

impl Unit for Programs {
    type Out = Vec<Shown>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Vec<Shown>, StoreError> {
        programs(tx, &self.workspace_id).await
    }
}
