//! What time, banks and settings do to objects.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;

use super::{Which, on_world, read, reply};
use crate::error::ApiError;
use crate::flows::{dispute as disputes, refund, subscription};
use crate::money::Settings;
use crate::shared::Shared;

/// Renewals that one request may ask for.
const MAX_RENEWALS: u32 = 1_000;

#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Renew {
    count: u32,
    at_period_end: bool,
}

impl Default for Renew {
    fn default() -> Self {
        Self { count: 1, at_period_end: false }
    }
}

/// `POST /_sandbox/subscriptions/{id}/renew`
pub async fn renew(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    Query(which): Query<Which>,
    body: Bytes,
) -> Response {
    let wanted = match read::<Renew>(&body) {
        Ok(wanted) if wanted.count <= MAX_RENEWALS => wanted,
        Ok(_) => return reply(Err(ApiError::bad(format!("At most {MAX_RENEWALS} renewals at once.")))),
        Err(error) => return reply(Err(error)),
    };
    on_world(&shared, &which, |world| {
        let mut invoices = Vec::new();
        for _ in 0..wanted.count {
            invoices.push(subscription::renew(world, &id, wanted.at_period_end)?);
        }
        Ok(json!({ "subscription": id, "invoices": invoices }))
    })
}

/// `POST /_sandbox/refunds/{id}/fail`
pub async fn fail_refund(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    Query(which): Query<Which>,
) -> Response {
    on_world(&shared, &which, |world| refund::fail(world, &id))
}

/// `POST /_sandbox/refunds/{id}/succeed`: the bank confirms a pending refund.
pub async fn confirm_refund(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    Query(which): Query<Which>,
) -> Response {
    on_world(&shared, &which, |world| refund::confirm(world, &id))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Refund {
    amount: Option<i64>,
    pending: bool,
}

/// `POST /_sandbox/charges/{id}/refund`: as a payment method whose bank confirms later would.
pub async fn refund_charge(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    Query(which): Query<Which>,
    body: Bytes,
) -> Response {
    match read::<Refund>(&body) {
        Ok(wanted) => on_world(&shared, &which, |world| {
            let asked = refund::Wanted {
                amount: wanted.amount,
                pending: wanted.pending,
                ..refund::Wanted::default()
            };
            let id = refund::create(world, &id, &asked)?;
            world.live("refund", &id, "id")
        }),
        Err(error) => reply(Err(error)),
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Dispute {
    amount: Option<i64>,
    reason: Option<String>,
    inquiry: bool,
}

/// `POST /_sandbox/charges/{id}/dispute`
pub async fn dispute(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    Query(which): Query<Which>,
    body: Bytes,
) -> Response {
    match read::<Dispute>(&body) {
        Ok(wanted) => on_world(&shared, &which, |world| {
            let reason = wanted.reason.as_deref().unwrap_or("fraudulent");
            disputes::open(world, &id, wanted.amount, reason, wanted.inquiry)
        }),
        Err(error) => reply(Err(error)),
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Close {
    status: String,
}

/// `POST /_sandbox/disputes/{id}/close`
pub async fn close_dispute(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    Query(which): Query<Which>,
    body: Bytes,
) -> Response {
    match read::<Close>(&body) {
        Ok(wanted) => on_world(&shared, &which, |world| disputes::close(world, &id, &wanted.status)),
        Err(error) => reply(Err(error)),
    }
}

/// `POST /_sandbox/disputes/{id}/answer`: the merchant's evidence is with the bank.
pub async fn answer_dispute(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    Query(which): Query<Which>,
) -> Response {
    on_world(&shared, &which, |world| disputes::answer(world, &id))
}

/// `POST /_sandbox/disputes/{id}/escalate`: an inquiry becomes a dispute.
pub async fn escalate_dispute(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    Query(which): Query<Which>,
) -> Response {
    on_world(&shared, &which, |world| disputes::escalate(world, &id))
}

/// `POST /_sandbox/settings`
pub async fn settings(
    State(shared): State<Arc<Shared>>,
    Query(which): Query<Which>,
    body: Bytes,
) -> Response {
    match read::<Settings>(&body) {
        Ok(settings) if settings.tax_ppm <= 1_000_000 => on_world(&shared, &which, |world| {
            world.settings = settings;
            Ok(json!(world.settings))
        }),
        Ok(_) => reply(Err(ApiError::bad("tax_ppm is in parts per million and at most 1,000,000."))),
        Err(error) => reply(Err(error)),
    }
}
