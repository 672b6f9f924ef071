//! The subscriptions in a pricing table, as Stripe's element shows one.

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use crate::shop::Front;
use crate::shop::frame::{Frame, answer, frame, sorry};

#[derive(Template)]
#[template(path = "shop/pricing.html")]
struct Page {
    frame: Frame,
    table: String,
    key: String,
    email: String,
}

/// `GET /pricing`
pub async fn page(State(front): State<Front>, headers: HeaderMap) -> Response {
    match front.shop.catalog() {
        Ok(catalog) => {
            let email = front.shop.accounts().of(&headers).map(|a| a.email.clone()).unwrap_or_default();
            let (table, key) = (catalog.table.clone(), catalog.publishable_key.clone());
            answer(
                &front,
                StatusCode::OK,
                &Page { frame: frame(&front, &headers, "Pricing"), table, key, email },
            )
        }
        Err(error) => sorry(&front, &headers, &error),
    }
}
