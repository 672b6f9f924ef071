//! The hosted pages of checkout and payment links, and what stands behind the embedded buttons and tables. In a real
//! shop all of this is Stripe's, on hosts of Stripe's.

mod checkout;
mod embed;
mod link;

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

use crate::error::ApiError;
use crate::shared::{Shared, WorldKey};
use crate::world::World;

/// The routes.
pub fn router() -> Router<Arc<Shared>> {
    Router::new()
        .route("/pay/{slug}", get(link::open))
        .route("/checkout/{id}", get(checkout::page).post(checkout::pay))
        .route("/checkout/{id}/code", post(checkout::code))
        .route("/embed/elements.js", get(embed::script))
        .route("/embed/{id}", get(embed::items))
        .route("/embed/pay.css", get(embed::style))
}

/// Something that cannot be shown, or is over.
#[derive(Template)]
#[template(path = "pay/note.html")]
struct Note {
    title: &'static str,
    text: String,
}

/// A page of the pay host; `after` is the one other site that its form may lead to.
pub(crate) fn answer(status: StatusCode, page: &impl Template, after: Option<&str>) -> Response {
    let html = match page.render() {
        Ok(html) => html,
        Err(error) => {
            tracing::error!(%error, "a pay page cannot be written");
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
    };
    let after = after.and_then(|url| url::Url::parse(url).ok()).map(|u| u.origin().ascii_serialization());
    let policy = format!(
        "default-src 'none'; style-src 'self'; img-src data:; form-action 'self' {}; base-uri 'none'; frame-ancestors 'none'",
        after.unwrap_or_default()
    );
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, policy.as_str()),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (status, headers, html).into_response()
}

pub(crate) fn sorry(error: &ApiError) -> Response {
    let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    answer(status, &Note { title: "This does not work", text: error.message.clone() }, None)
}

/// The first world in which `look` finds something.
fn find<T>(shared: &Shared, look: impl Fn(&World) -> Option<T>) -> Option<(WorldKey, T)> {
    shared.worlds().iter().find_map(|(key, world)| Some((key.clone(), look(world)?)))
}
