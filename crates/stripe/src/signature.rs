//! The `Stripe-Signature` header: `t=<unix seconds>,v1=<hex>[,v1=<hex>…]`, where `v1` is the HMAC-SHA256 of
//! `<t>.<raw body>` under the whole secret text, its `whsec_` included.
//!
//! The bytes are verified as they came, before anything is parsed. Without a secret everything is refused.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// The longest header that is looked at, in bytes.
pub const MAX_HEADER: usize = 4 * 1024;
/// The most comma-separated parts that are looked at.
pub const MAX_PARTS: usize = 16;
/// How far the signing time may lie from now by default, in seconds, both ways.
pub const TOLERANCE_S: i64 = 300;

/// A signing secret as Stripe gave it, `whsec_` included. Never printed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Secret<'a>(&'a str);

impl<'a> Secret<'a> {
    /// Wraps the secret's text.
    #[must_use]
    pub const fn new(text: &'a str) -> Self {
        Self(text)
    }
}

impl std::fmt::Debug for Secret<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Why a signature was refused. The text is safe to show and to log: it holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// No usable secret is known for this address.
    #[error(
        "No signing secret is stored for this endpoint, so every event is refused. Connect Stripe or paste the secret that begins with whsec_."
    )]
    NoSecret,
    /// The header was empty.
    #[error("The Stripe-Signature header is missing or empty.")]
    Empty,
    /// The header was longer than [`MAX_HEADER`].
    #[error("The Stripe-Signature header has {len} bytes; at most {MAX_HEADER} are read.")]
    HeaderTooLong {
        /// The header's length in bytes.
        len: usize,
    },
    /// The header had more than [`MAX_PARTS`] parts.
    #[error("The Stripe-Signature header has more than {MAX_PARTS} parts.")]
    TooManyParts,
    /// No `t=` part.
    #[error("The Stripe-Signature header has no timestamp (t=…).")]
    NoTimestamp,
    /// More than one `t=` part.
    #[error("The Stripe-Signature header has more than one timestamp (t=…).")]
    TwoTimestamps,
    /// The `t=` part is not a whole number of seconds.
    #[error("The timestamp in the Stripe-Signature header is not a whole number of seconds.")]
    BadTimestamp,
    /// Only `v0` signatures, which are not to be trusted.
    #[error("The Stripe-Signature header has only a v0 signature; v1 is needed.")]
    OnlyV0,
    /// No `v1=` part.
    #[error("The Stripe-Signature header has no v1 signature.")]
    NoV1,
    /// No `v1` signature fits any known secret.
    #[error(
        "No signature in the Stripe-Signature header matches. The body was changed on its way, or it was signed with the secret of another endpoint or mode."
    )]
    NoMatch,
    /// The signature is right, its time is not.
    #[error(
        "The signature is right, but it was made {} s {} this server's time ({tolerance_s} s are allowed). Check the server's clock.",
        skew_s.unsigned_abs(),
        if *skew_s > 0 { "before" } else { "after" }
    )]
    OutsideTolerance {
        /// This server's time minus the signing time, in seconds.
        skew_s: i64,
        /// The allowed difference, in seconds.
        tolerance_s: i64,
    },
}

/// What a header says, before it is believed.
#[derive(Debug, PartialEq, Eq)]
struct Parts<'h> {
    timestamp: &'h str,
    seconds: i64,
    v1: Vec<&'h str>,
}

/// Verifies a webhook's signature over its raw body.
///
/// `now_s` and the header's time are Unix seconds; they may differ by `tolerance_s` at most, both ways. Any of
/// several `v1` signatures may match any of `secrets`; the index of the secret that matched is returned.
///
/// # Errors
/// A [`SignatureError`] that says what is wrong. An empty list of secrets refuses everything.
pub fn verify(
    header: &str,
    body: &[u8],
    secrets: &[Secret<'_>],
    now_s: i64,
    tolerance_s: i64,
) -> Result<usize, SignatureError> {
    if secrets.iter().all(|secret| secret.0.is_empty()) {
        return Err(SignatureError::NoSecret);
    }
    let parts = parse(header)?;
    let index = matching_secret(&parts, body, secrets).ok_or(SignatureError::NoMatch)?;
    let skew_s = now_s.saturating_sub(parts.seconds);
    if skew_s.unsigned_abs() > tolerance_s.unsigned_abs() {
        return Err(SignatureError::OutsideTolerance { skew_s, tolerance_s });
    }
    Ok(index)
}

/// How far the header's time lies from `now_s`, in seconds (positive: signed in the past), if it can be read.
///
/// For the clock warning only: the header is not verified here.
#[must_use]
pub fn skew_s(header: &str, now_s: i64) -> Option<i64> {
    parse(header).ok().map(|parts| now_s.saturating_sub(parts.seconds))
}

/// Makes the header's value for a body, as Stripe does at `timestamp_s` (Unix seconds).
#[must_use]
pub fn sign(body: &[u8], secret: Secret<'_>, timestamp_s: i64) -> String {
    let timestamp = timestamp_s.to_string();
    format!("t={timestamp},v1={}", signature(&timestamp, body, secret))
}

fn parse(header: &str) -> Result<Parts<'_>, SignatureError> {
    if header.is_empty() {
        return Err(SignatureError::Empty);
    }
    if header.len() > MAX_HEADER {
        return Err(SignatureError::HeaderTooLong { len: header.len() });
    }
    let (mut timestamp, mut v1, mut v0) = (None, Vec::new(), false);
    for (at, part) in header.split(',').enumerate() {
        if at >= MAX_PARTS {
            return Err(SignatureError::TooManyParts);
        }
        match part.split_once('=') {
            Some(("t", _)) if timestamp.is_some() => return Err(SignatureError::TwoTimestamps),
            Some(("t", value)) => timestamp = Some(value),
            Some(("v1", value)) => v1.push(value),
            Some(("v0", _)) => v0 = true,
            _ => {}
        }
    }
    let timestamp = timestamp.ok_or(SignatureError::NoTimestamp)?;
    let seconds = seconds_of(timestamp).ok_or(SignatureError::BadTimestamp)?;
    match (v1.is_empty(), v0) {
        (true, true) => Err(SignatureError::OnlyV0),
        (true, false) => Err(SignatureError::NoV1),
        _ => Ok(Parts { timestamp, seconds, v1 }),
    }
}

/// Digits only: no sign, no blanks, at most 15 of them.
fn seconds_of(text: &str) -> Option<i64> {
    let digits = !text.is_empty() && text.len() <= 15 && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

/// Every pair is compared, whatever was found before, so that the time taken tells nothing.
fn matching_secret(parts: &Parts<'_>, body: &[u8], secrets: &[Secret<'_>]) -> Option<usize> {
    let mut found = None;
    for (index, secret) in secrets.iter().enumerate().filter(|(_, secret)| !secret.0.is_empty()) {
        let expected = signature(parts.timestamp, body, *secret);
        let equal = parts.v1.iter().fold(subtle::Choice::from(0), |equal, given| {
            equal | expected.as_bytes().ct_eq(given.as_bytes())
        });
        if bool::from(equal) && found.is_none() {
            found = Some(index);
        }
    }
    found
}

fn signature(timestamp: &str, body: &[u8], secret: Secret<'_>) -> String {
    let Ok(mut mac) = <Hmac<Sha256> as KeyInit>::new_from_slice(secret.0.as_bytes()) else {
        return String::new(); // an HMAC takes a key of any length; an empty text matches no signature
    };
    mac.update(timestamp.as_bytes());
    mac.update(b".");
    mac.update(body);
    hex::encode(mac.finalize().into_bytes())
}
