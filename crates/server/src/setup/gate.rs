//! As long as there is no workspace, every page leads to the set-up.

use crate::App;
use crate::admin::error::PageError;
use crate::auth::theme;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};

/// Leads to `/setup` while nothing is set up; what belongs to the set-up itself goes through.
pub async fn guard(State(app): State<App>, request: Request, next: Next) -> Response {
    let theme = theme::of(request.headers());
    match app.first_run.is_set_up(&app).await {
        Ok(true) => next.run(request).await,
        Ok(false) if matches!(request.uri().path(), "/setup" | "/setup/account" | "/theme") => {
            next.run(request).await
        }
        Ok(false) if request.headers().contains_key("hx-request") => {
            (StatusCode::UNAUTHORIZED, [("hx-redirect", HeaderValue::from_static("/setup"))]).into_response()
        }
        Ok(false) => Redirect::to("/setup").into_response(),
        Err(error) => PageError::from(error).answer(theme),
    }
}
