//! The shop's pages, one file each.

mod account;
mod handbook;
mod landing;
mod order;
mod pricing;
mod settings;
mod signup;
mod thanks;
mod welcome;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::limit::RequestBodyLimitLayer;

use super::Front;
use super::frame;
use crate::error::ApiError;

/// Bytes of a form.
const MAX_FORM: usize = 64 * 1024;

/// All pages.
pub fn router(front: Front) -> Router {
    Router::new()
        .route("/", get(landing::page))
        .route("/pricing", get(pricing::page))
        .route("/handbook", get(handbook::page))
        .route("/signup", get(signup::page).post(signup::submit))
        .route("/welcome", get(welcome::page))
        .route("/checkout", post(welcome::checkout))
        .route("/account", get(account::page))
        .route("/logout", post(account::log_out))
        .route("/thanks", get(thanks::page))
        .route("/orders/{id}", get(order::page))
        .route("/orders/{id}/renew", post(order::renew))
        .route("/orders/{id}/refund", post(order::refund))
        .route("/settings", get(settings::page).post(settings::save))
        .route(
            "/assets/shop.css",
            get(|| async { asset("text/css", include_str!("../../../assets/shop.css")) }),
        )
        .route(
            "/assets/shop.js",
            get(|| async { asset("text/javascript", include_str!("../../../assets/shop.js")) }),
        )
        .route(
            "/assets/acme.svg",
            get(|| async { asset("image/svg+xml", include_str!("../../../assets/acme.svg")) }),
        )
        .fallback(missing)
        .layer(middleware::from_fn_with_state(front.clone(), own_forms))
        .layer(RequestBodyLimitLayer::new(MAX_FORM))
        .layer(CatchPanicLayer::new())
        .with_state(front)
}

fn asset(kind: &'static str, text: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, text).into_response()
}

async fn missing(State(front): State<Front>, headers: HeaderMap, uri: Uri) -> Response {
    let error = ApiError::bad(format!("There is no page {} here.", uri.path())).with_status(404);
    frame::sorry(&front, &headers, &error)
}

/// Forms are taken from the shop's own pages only.
async fn own_forms(State(front): State<Front>, request: Request, next: Next) -> Response {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    if !reads && foreign(&front, request.headers()) {
        let error = ApiError::bad("This form was sent by a page of another site.").with_status(403);
        return frame::sorry(&front, request.headers(), &error);
    }
    next.run(request).await
}

fn foreign(front: &Front, headers: &HeaderMap) -> bool {
    let text = |name: header::HeaderName| headers.get(name).and_then(|v| v.to_str().ok());
    let home = text(header::HOST).map(|host| format!("http://{host}"));
    text(header::ORIGIN).is_some_and(|origin| !front.shop.owns(origin) && home.as_deref() != Some(origin))
}

/// Sends the browser to another page.
fn go(to: &str) -> Response {
    Redirect::to(to).into_response()
}

/// A field's error with a status that says so.
const REFUSED: StatusCode = StatusCode::UNPROCESSABLE_ENTITY;
