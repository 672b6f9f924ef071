//! What an API call answers when it cannot do what was asked.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use std::collections::BTreeMap;
use tributary_store::StoreError;
use tributary_store::vault::random;

/// Sentences by field; dots lead into objects (`partner.key`).
pub type Problems = BTreeMap<String, Vec<String>>;

/// A refusal.
#[derive(Debug, Clone)]
pub enum ApiError {
    /// 400: the request cannot be read at all.
    Unreadable(String),
    /// 401: no key, or not one that opens anything.
    Unauthenticated(String),
    /// 404.
    NotFound(String),
    /// 409: it exists with other content.
    Exists(String),
    /// 413.
    TooLarge(String),
    /// 422: a field is wrong.
    Invalid(Problems),
    /// 429: too much at once.
    TooMany(String),
    /// The store failed.
    Store(StoreError),
}

impl ApiError {
    /// One wrong field.
    #[must_use]
    pub fn field(name: &str, sentence: impl Into<String>) -> Self {
        Self::Invalid(BTreeMap::from([(name.to_owned(), vec![sentence.into()])]))
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// The body of every refusal.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Refusal {
    /// One sentence.
    pub message: String,
    /// On 422: sentences by field.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub errors: Problems,
}

/// A JSON answer with any status.
pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Response {
    match serde_json::to_vec(body) {
        Ok(bytes) => (status, [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], bytes)
            .into_response(),
        Err(error) => {
            tracing::error!(%error, "an API answer could not be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let plain = |status, message: String| json(status, &Refusal { message, errors: Problems::new() });
        match self {
            Self::Unreadable(message) => plain(StatusCode::BAD_REQUEST, message),
            Self::Unauthenticated(message) => {
                let mut answer = plain(StatusCode::UNAUTHORIZED, message);
                answer.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
                answer
            }
            Self::NotFound(message) => plain(StatusCode::NOT_FOUND, message),
            Self::Exists(message) => plain(StatusCode::CONFLICT, message),
            Self::TooLarge(message) => {
                let mut answer = plain(StatusCode::PAYLOAD_TOO_LARGE, message);
                // What is left of the body is not read: the connection cannot be used again.
                answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
                answer
            }
            Self::TooMany(message) => {
                let mut answer = plain(StatusCode::TOO_MANY_REQUESTS, message);
                answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("10"));
                answer
            }
            Self::Invalid(errors) => {
                json(StatusCode::UNPROCESSABLE_ENTITY, &Refusal { message: summary(&errors), errors })
            }
            Self::Store(error) => failed(&error),
        }
    }
}

/// The first sentence, and how many more there are.
fn summary(errors: &Problems) -> String {
    let mut all = errors.values().flatten();
    let first = all.next().cloned().unwrap_or_else(|| "The request is not valid.".to_owned());
    match all.count() {
        0 => first,
        1 => format!("{first} (and 1 more error)"),
        more => format!("{first} (and {more} more errors)"),
    }
}

/// The store's failure: logged once, here, and never shown.
fn failed(error: &StoreError) -> Response {
    if error.is_unavailable() {
        tracing::warn!(%error, "an API call found the database unavailable");
        let message = "The database is not available; nothing was kept. Try again shortly.".to_owned();
        let mut answer = json(StatusCode::SERVICE_UNAVAILABLE, &Refusal { message, errors: Problems::new() });
        answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("2"));
        return answer;
    }
    let request = random::<8>().map(hex::encode).unwrap_or_else(|_| "unknown".to_owned());
    tracing::error!(%error, request, "an API call failed");
    let message = format!(
        "The request failed on the server's side; nothing was kept. It is in the log as request {request}."
    );
    let mut answer = json(StatusCode::INTERNAL_SERVER_ERROR, &Refusal { message, errors: Problems::new() });
    if let Ok(value) = HeaderValue::from_str(&request) {
        answer.headers_mut().insert("x-request-id", value);
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_is_the_first_sentence_and_counts_the_rest() {
        let mut errors = Problems::new();
        errors.insert("email".into(), vec!["The email is required.".into()]);
        assert_eq!(summary(&errors), "The email is required.");
        errors.insert("name".into(), vec!["Too long.".into(), "Odd.".into()]);
        assert_eq!(summary(&errors), "The email is required. (and 2 more errors)");
    }

    #[test]
    fn an_unavailable_database_asks_to_come_back_and_a_failure_names_a_request() {
        let answer = ApiError::Store(StoreError::Busy).into_response();
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(answer.headers().contains_key(header::RETRY_AFTER));
        let answer = ApiError::Store(StoreError::Driver("secret detail".into())).into_response();
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert!(answer.headers().contains_key("x-request-id"));
    }
}
