//! Where a buyer comes back to after paying.

use askama::Template;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Deserialize;

use crate::shop::frame::{Frame, answer, frame};
use crate::shop::order::{self, Order};
use crate::shop::{Front, world};

#[derive(Template)]
#[template(path = "shop/thanks.html")]
struct Page {
    frame: Frame,
    order: Option<Order>,
}

/// Which order.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Which {
    order: String,
}

/// `GET /thanks?order=cs_…`
pub async fn page(State(front): State<Front>, headers: HeaderMap, Query(which): Query<Which>) -> Response {
    let order = front.shared.with(&world(), |w| order::read(w, &which.order)).flatten();
    answer(&front, StatusCode::OK, &Page { frame: frame(&front, &headers, "Thank you"), order })
}
