//! A product with a buy button, as Stripe's element shows one.

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use crate::error::ApiError;
use crate::shop::frame::{Frame, answer, frame, sorry};
use crate::shop::{Front, Item};

#[derive(Template)]
#[template(path = "shop/handbook.html")]
struct Page {
    frame: Frame,
    item: Item,
    key: String,
}

/// `GET /handbook`
pub async fn page(State(front): State<Front>, headers: HeaderMap) -> Response {
    let found = front.shop.catalog().and_then(|catalog| {
        let item = catalog.item("handbook").cloned().ok_or_else(|| ApiError::internal("no handbook"))?;
        Ok((item, catalog.publishable_key.clone()))
    });
    match found {
        Ok((item, key)) => {
            let frame = frame(&front, &headers, "The workshop handbook");
            answer(&front, StatusCode::OK, &Page { frame, item, key })
        }
        Err(error) => sorry(&front, &headers, &error),
    }
}
