//! Payment links: each visitor gets a session of their own.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::{find, sorry};
use crate::error::ApiError;
use crate::flows::checkout;
use crate::params;
use crate::shared::Shared;

/// Parameters of a payment link's address, as Stripe reads them.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Given {
    client_reference_id: Option<String>,
    prefilled_email: Option<String>,
    prefilled_promo_code: Option<String>,
}

/// `GET /pay/{slug}`
pub async fn open(
    State(shared): State<Arc<Shared>>,
    Path(slug): Path<String>,
    Query(given): Query<Given>,
) -> Response {
    let ending = format!("/pay/{slug}");
    let found = find(&shared, |world| {
        world
            .newest("payment_link")
            .find(|l| params::text(l, "url").is_some_and(|u| u.ends_with(&ending)))
            .and_then(|l| params::owned(l, "id"))
    });
    let Some((key, link)) = found else {
        return sorry(&ApiError::missing("payment_link", &slug, "link"));
    };
    let session = shared.with(&key, |world| {
        let (reference, email) = (given.client_reference_id.as_deref(), given.prefilled_email.as_deref());
        let code = given.prefilled_promo_code.as_deref().filter(|c| !c.is_empty());
        checkout::open_link(world, &link, reference, email.filter(|e| !e.is_empty()), code)
    });
    match session {
        Some(Ok(session)) => Redirect::to(&format!("/checkout/{session}")).into_response(),
        Some(Err(error)) => sorry(&error),
        None => sorry(&ApiError::internal("the account is gone")),
    }
}
