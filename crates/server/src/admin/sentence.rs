//! The sentence of terms that are being typed: words are made here alone, the script only asks for them.

use super::visit::Visit;
use crate::setup::reward::{TermsInput, sentences};
use axum::extract::Query;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

/// What the form holds just now; the rest of its fields is not looked at.
#[derive(Debug, Deserialize)]
pub struct Asked {
    #[serde(default)]
    currency: String,
    #[serde(default)]
    reward: String,
    #[serde(default)]
    value: String,
    #[serde(default)]
    span: String,
    #[serde(default)]
    count: String,
    #[serde(default)]
    hold_days: String,
}

/// `GET /terms/sentence`: 200 with the sentence, 422 with what is wrong.
pub async fn get(_visit: Visit, Query(asked): Query<Asked>) -> Response {
    let Asked { currency, reward, value, span, count, hold_days } = asked;
    match (TermsInput { reward, value, span, count, hold_days, base: None }).read(&currency, None) {
        Ok(terms) => sentences(&terms).into_response(),
        Err(wrong) => (StatusCode::UNPROCESSABLE_ENTITY, wrong.words).into_response(),
    }
}
