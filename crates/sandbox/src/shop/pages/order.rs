//! One order, and what can be done to it: bill the next period, give half or all of a payment back.

use askama::Template;
use axum::extract::{Form, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Deserialize;

use super::go;
use crate::error::{ApiError, Res};
use crate::shop::frame::{Frame, answer, frame, sorry};
use crate::shop::order::{self, Order, Share};
use crate::shop::{Front, world};

#[derive(Template)]
#[template(path = "shop/order_page.html")]
struct Page {
    frame: Frame,
    order: Order,
}

fn find(front: &Front, id: &str) -> Res<Order> {
    front
        .shared
        .with(&world(), |w| order::read(w, id))
        .flatten()
        .ok_or_else(|| ApiError::bad("There is no such order.").with_status(404))
}

/// `GET /orders/{id}`
pub async fn page(State(front): State<Front>, headers: HeaderMap, Path(id): Path<String>) -> Response {
    match find(&front, &id) {
        Ok(order) => {
            let frame = frame(&front, &headers, "Your order");
            answer(&front, StatusCode::OK, &Page { frame, order })
        }
        Err(error) => sorry(&front, &headers, &error),
    }
}

/// `POST /orders/{id}/renew`
pub async fn renew(State(front): State<Front>, headers: HeaderMap, Path(id): Path<String>) -> Response {
    let done = find(&front, &id).and_then(|order| order::renew(&front.shared, &order));
    after(&front, &headers, &id, done)
}

/// Which payment, and how much of it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Refund {
    charge: String,
    share: String,
}

/// `POST /orders/{id}/refund`
pub async fn refund(
    State(front): State<Front>,
    headers: HeaderMap,
    Path(id): Path<String>,
    Form(wanted): Form<Refund>,
) -> Response {
    let share = match wanted.share.as_str() {
        "half" => Ok(Share::Half),
        "rest" => Ok(Share::Rest),
        _ => Err(ApiError::bad("Half or the rest of a payment can be given back.")),
    };
    let done = share.and_then(|share| {
        let order = find(&front, &id)?;
        order::refund(&front.shared, &order, &wanted.charge, share).map(|_| ())
    });
    after(&front, &headers, &id, done)
}

fn after(front: &Front, headers: &HeaderMap, id: &str, done: Res<()>) -> Response {
    match done {
        Ok(()) => go(&format!("/orders/{id}")),
        Err(error) => sorry(front, headers, &error),
    }
}
