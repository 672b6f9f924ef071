//! Reading one HTTP answer within its limits.

use bytes::{Bytes, BytesMut};
use std::time::Duration;

/// The largest answer that is read, in bytes.
pub const MAX_BODY: usize = 8 * 1024 * 1024;

/// A good answer (2xx, JSON).
#[derive(Debug, Clone)]
pub struct Reply {
    /// The body, as it came.
    pub body: Bytes,
    /// Stripe's id of the request, for its support.
    pub request_id: Option<String>,
    /// Stripe's clock when it answered, Unix seconds, if it said so.
    pub date_s: Option<i64>,
    /// From sending to the first bytes of the answer.
    pub took: Duration,
}

impl Reply {
    /// A part of an answer, read like one.
    pub(super) const fn of_part(body: Bytes) -> Self {
        Self { body, request_id: None, date_s: None, took: Duration::ZERO }
    }

    /// The time of the snapshot, ms UTC: a moment before which everything is in the answer.
    ///
    /// Taken from Stripe's own clock where it is told, at the beginning of the request: a change made while the
    /// answer was on its way may be missing in it. Events say their time in whole seconds, so the last millisecond of
    /// the second before is given: an event of the same second then counts as newer, as it may be.
    #[must_use]
    pub fn as_of_ms(&self, now_ms: i64) -> i64 {
        let answered = self.date_s.map_or(now_ms, |date| date.saturating_mul(1000));
        let took = i64::try_from(self.took.as_millis()).unwrap_or(0);
        answered.saturating_sub(took).div_euclid(1000).saturating_mul(1000).saturating_sub(1)
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(date_s: Option<i64>, took_ms: u64) -> Reply {
        Reply { body: Bytes::new(), request_id: None, date_s, took: Duration::from_millis(took_ms) }
    }

    #[test]
    fn an_event_of_the_second_in_which_was_asked_counts_as_newer() {
        // Asked at 99.8 s of Stripe's clock, answered at 100.x.
        assert_eq!(reply(Some(100), 200).as_of_ms(5), 98_999);
        assert_eq!(reply(Some(100), 0).as_of_ms(5), 99_999);
        // Stripe says no time: this machine's clock.
        assert_eq!(reply(None, 1_200).as_of_ms(101_700), 99_999);
    }
}
