//! The sandbox's own account of what was sold and earned.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Serialize;
use serde_json::json;

use super::{Which, on_world, read, reply};
use crate::books::{self, Terms};
use crate::shared::Shared;

#[derive(Debug, Default, Serialize)]
struct Sums {
    sales: u64,
    paid: i64,
    tax: i64,
    shipping: i64,
    refunded: i64,
    dispute_lost: i64,
    out_of_band: i64,
    kept: i64,
}

/// `GET /_sandbox/books`
pub async fn get(State(shared): State<Arc<Shared>>, Query(which): Query<Which>) -> Response {
    on_world(&shared, &which, |world| {
        let sales = books::sales(world);
        let mut currencies: BTreeMap<String, Sums> = BTreeMap::new();
        for sale in &sales {
            let sums = currencies.entry(sale.currency.clone()).or_default();
            sums.sales += 1;
            sums.paid += sale.captured;
            sums.tax += sale.tax;
            sums.shipping += sale.shipping;
            sums.refunded += sale.refunded;
            sums.dispute_lost += sale.dispute_lost;
            sums.out_of_band += sale.out_of_band;
            sums.kept += sale.kept();
        }
        Ok(json!({ "currencies": currencies, "sales": sales }))
    })
}

/// `POST /_sandbox/books/expected`: what partners must have earned under given terms.
pub async fn expected(
    State(shared): State<Arc<Shared>>,
    Query(which): Query<Which>,
    body: Bytes,
) -> Response {
    match read::<Terms>(&body) {
        Ok(terms) => on_world(&shared, &which, |world| books::owed(world, &terms)),
        Err(error) => reply(Err(error)),
    }
}
