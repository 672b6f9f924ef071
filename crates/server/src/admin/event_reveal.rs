//! The owner asks to see a payload as it came. That it was shown, to whom and when, is written to the log.

use super::error::PageError;
use super::visit::Visit;
use super::{event, forms};
use crate::App;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use serde::Deserialize;

/// What the form sends.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sent {
    form_token: String,
}

/// `POST /p/{program}/events/{connection}/{event}/reveal`
pub async fn post(
    State(app): State<App>,
    visit: Visit,
    Path(path): Path<(String, String, String)>,
    forms::Posted(sent): forms::Posted<Sent>,
) -> Response {
    let result = reveal(&app, &visit, path, &sent).await;
    visit.answer(result)
}

async fn reveal(
    app: &App,
    visit: &Visit,
    path: (String, String, String),
    sent: &Sent,
) -> Result<Response, PageError> {
    crate::auth::session::check_form(&visit.session, &sent.form_token)?;
    if visit.session.role != "owner" {
        return Err(PageError::NotAllowed);
    }
    let (_, connection, event_id) = path.clone();
    let mut answer = event::show(app, visit, path, true).await?;
    answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    tracing::info!(
        workspace = visit.session.workspace_id,
        user = visit.session.user_id,
        connection,
        event = event_id,
        "a payload was shown as it came"
    );
    Ok(answer)
}
