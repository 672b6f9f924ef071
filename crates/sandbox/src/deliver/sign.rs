//! `Stripe-Signature`.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The header for a body sent at `t` (real Unix seconds): `t=…,v1=…`. The key is the whole secret, `whsec_` included.
pub fn header(secret: &str, t: i64, body: &[u8]) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
        // HMAC takes keys of every length; an empty signature would be refused by every receiver.
        return format!("t={t},v1=");
    };
    mac.update(t.to_string().as_bytes());
    mac.update(b".");
    mac.update(body);
    format!("t={t},v1={}", hex::encode(mac.finalize().into_bytes()))
}
