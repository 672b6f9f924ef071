//! Paying sessions and payment links.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use serde::Deserialize;

use super::{Which, on_world, read, reply};
use crate::flows::checkout::{self, Payer};
use crate::shared::Shared;

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Pay {
    email: Option<String>,
    name: Option<String>,
    client_reference_id: Option<String>,
    promotion_code: Option<String>,
    #[serde(rename = "async")]
    later: bool,
    presentment: Option<Presentment>,
}

/// What the page showed instead of the merchant's own price.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Presentment {
    amount: i64,
    currency: String,
}

impl Pay {
    fn payer(&self) -> Payer {
        let presentment = self.presentment.as_ref().map(|p| (p.amount, p.currency.clone()));
        Payer { email: self.email.clone(), name: self.name.clone(), presentment }
    }
}

/// `POST /_sandbox/checkout/sessions/{id}/pay`
pub async fn pay_session(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    Query(which): Query<Which>,
    body: Bytes,
) -> Response {
    match read::<Pay>(&body) {
        Ok(pay) => on_world(&shared, &which, |world| checkout::pay(world, &id, &pay.payer(), pay.later)),
        Err(error) => reply(Err(error)),
    }
}

/// `POST /_sandbox/payment_links/{id}/pay`
pub async fn pay_link(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    Query(which): Query<Which>,
    body: Bytes,
) -> Response {
    let pay = match read::<Pay>(&body) {
        Ok(pay) => pay,
        Err(error) => return reply(Err(error)),
    };
    on_world(&shared, &which, |world| {
        let reference = pay.client_reference_id.as_deref();
        let code = pay.promotion_code.as_deref();
        let session = checkout::open_link(world, &id, reference, pay.email.as_deref(), code)?;
        checkout::pay(world, &session, &pay.payer(), pay.later)
    })
}

/// `POST /_sandbox/checkout/sessions/{id}/async_succeed`
pub async fn async_succeed(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    Query(which): Query<Which>,
) -> Response {
    on_world(&shared, &which, |world| checkout::answer_late(world, &id, true))
}

/// `POST /_sandbox/checkout/sessions/{id}/async_fail`
pub async fn async_fail(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    Query(which): Query<Which>,
) -> Response {
    on_world(&shared, &which, |world| checkout::answer_late(world, &id, false))
}
