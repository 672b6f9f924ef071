//! What stands behind look-alikes of `<stripe-buy-button>` and `<stripe-pricing-table>`: their script, and the items
//! that it asks for.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::shared::Shared;

fn asset(kind: &'static str, text: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, text).into_response()
}

/// `GET /embed/elements.js`
pub async fn script() -> Response {
    asset("text/javascript", include_str!("../../assets/elements.js"))
}

/// `GET /embed/pay.css`
pub async fn style() -> Response {
    asset("text/css", include_str!("../../assets/pay.css"))
}

/// Whose button it is.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Whose {
    key: String,
}

/// `GET /embed/{id}?key=pk_test_…`: what a button or a table shows.
pub async fn items(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    Query(whose): Query<Whose>,
) -> Response {
    let catalog = shared.shop.as_ref().and_then(|shop| shop.catalog().ok());
    let items: Vec<Value> = catalog
        .filter(|catalog| catalog.publishable_key == whose.key)
        .map(|catalog| catalog.embedded(&id))
        .unwrap_or_default()
        .into_iter()
        .map(|i| json!({ "name": i.name, "about": i.about, "price": i.price, "every": i.every, "url": i.link }))
        .collect();
    let status = if items.is_empty() { StatusCode::NOT_FOUND } else { StatusCode::OK };
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (status, headers, json!({ "items": items }).to_string()).into_response()
}
