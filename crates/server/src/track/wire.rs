//! What the answers to merchants' pages have in common.

use crate::body::{BodyError, read_whole};
use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;

/// The largest body, bytes.
pub const BODY_MAX: usize = 4 * 1024;
/// The longest name of a visitor.
pub const VISITOR_MAX: usize = 64;

/// Any page may read the answers, and none gets credentials: nothing of a tenant is in them.
pub async fn open(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("cross-origin"),
    );
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// `OPTIONS`: what a page asks before it sends JSON.
pub async fn preflight() -> Response {
    let allowed = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "POST"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "content-type"),
        (header::ACCESS_CONTROL_MAX_AGE, "86400"),
    ];
    (StatusCode::NO_CONTENT, allowed).into_response()
}

/// Why a body cannot be taken.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// It is larger than [`BODY_MAX`].
    #[error("The body is larger than 4 KiB.")]
    TooLarge,
    /// It did not arrive whole.
    #[error("The body did not arrive whole.")]
    Broken,
    /// No JSON object with the fields of this call.
    #[error("The body is no JSON object of this call: {0}")]
    NoJson(String),
    /// A field is wrong.
    #[error("{0}")]
    Field(String),
    /// No such program.
    #[error("There is no program with this id.")]
    NoProgram,
    /// Too much at once; nothing was kept.
    #[error("This cannot be kept right now; send it again.")]
    Full,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = match self {
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Broken | Self::NoJson(_) => StatusCode::BAD_REQUEST,
            Self::Field(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::NoProgram => StatusCode::NOT_FOUND,
            Self::Full => StatusCode::SERVICE_UNAVAILABLE,
        };
        let mut response = (status, self.to_string()).into_response();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        }
        response
    }
}

/// Reads a small JSON body, whatever type it says it has: pages send text/plain, which asks for no preflight.
///
/// # Errors
/// Why it cannot be taken.
pub async fn read<T: DeserializeOwned>(body: Body) -> Result<T, Refusal> {
    let bytes = read_whole(body, BODY_MAX).await.map_err(|error| match error {
        BodyError::TooLarge => Refusal::TooLarge,
        BodyError::Broken => Refusal::Broken,
    })?;
    serde_json::from_slice(&bytes).map_err(|error| Refusal::NoJson(error.to_string()))
}

/// A header as text; empty where it is absent or no text.
#[must_use]
pub fn text(headers: &HeaderMap, name: HeaderName) -> &str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
}
