//! Reading one HTTP answer within its limits.

use bytes::{Bytes, BytesMut};

/// The largest answer that is read, in bytes.
pub const MAX_BODY: usize = 8 * 1024 * 1024;

/// A good answer (2xx, JSON).
#[derive(Debug, Clone)]
pub struct Reply {
    /// The body, as it came.
    pub body: Bytes,
    /// Stripe's id of the request, for its support.
    pub request_id: Option<String>,
}

/// Why a body could not be read.
pub(super) enum BodyError {
    TooLarge,
    Broken(String),
}

/// Reads the whole body, but never more than [`MAX_BODY`].
pub(super) async fn read(mut response: reqwest::Response) -> Result<Bytes, BodyError> {
    let announced = response.content_length().unwrap_or(0);
    if announced > MAX_BODY as u64 {
        return Err(BodyError::TooLarge);
    }
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(|e| BodyError::Broken(words(&e)))? {
        if body.len().saturating_add(chunk.len()) > MAX_BODY {
            return Err(BodyError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// An error's words without the URL, which would repeat ids.
pub(super) fn words(error: &reqwest::Error) -> String {
    use std::error::Error;
    let mut source: &dyn Error = error;
    while let Some(inner) = source.source() {
        source = inner;
    }
    let what = if error.is_connect() {
        "no connection"
    } else if error.is_timeout() {
        "time-out"
    } else {
        "the connection broke off"
    };
    format!("{what} ({source})")
}

/// Unix seconds of a `Date` header.
pub(super) fn date_s(headers: &reqwest::header::HeaderMap) -> Option<i64> {
    let text = headers.get(reqwest::header::DATE)?.to_str().ok()?;
    let zoned = jiff::fmt::rfc2822::parse(text).ok()?;
    Some(zoned.timestamp().as_second())
}
