//! The first page: what the shop sells, with a payment link under each price.

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use crate::shop::frame::{Frame, answer, frame, sorry};
use crate::shop::{Front, Item};

#[derive(Template)]
#[template(path = "shop/landing.html")]
struct Page {
    frame: Frame,
    items: Vec<Item>,
}

/// `GET /`
pub async fn page(State(front): State<Front>, headers: HeaderMap) -> Response {
    match front.shop.catalog() {
        Ok(catalog) => {
            let frame = frame(&front, &headers, "Job boards for small workshops");
            answer(&front, StatusCode::OK, &Page { frame, items: catalog.items.clone() })
        }
        Err(error) => sorry(&front, &headers, &error),
    }
}
