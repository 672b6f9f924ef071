//! API keys as the merchant sees them: `trb_`, 43 letters of randomness, 6 of checksum. App tokens begin with `tra_`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use tributary_domain::ids::base32;
use tributary_store::StoreError;
use tributary_store::vault::random;

const PREFIX: &str = "trb_";
const APP_PREFIX: &str = "tra_";
const SECRET: usize = 43;
const CHECK: usize = 6;

fn checksum(text: &str) -> String {
    base32(&Sha256::digest(text.as_bytes())[..4]).chars().take(CHECK).collect()
}

/// A fresh API key. It is shown once; only its SHA-256 is kept.
///
/// # Errors
/// No randomness.
pub fn new_api_token() -> Result<String, StoreError> {
    fresh(PREFIX)
}

/// A fresh token for the app in Stripe's Dashboard. It is shown once; only its SHA-256 is kept.
///
/// # Errors
/// No randomness.
pub fn new_app_token() -> Result<String, StoreError> {
    fresh(APP_PREFIX)
}

fn fresh(prefix: &str) -> Result<String, StoreError> {
    let text = format!("{prefix}{}", URL_SAFE_NO_PAD.encode(random::<32>()?));
    Ok(format!("{text}{}", checksum(&text)))
}

/// What is wrong with the looks of a key, if anything: a typing mistake is told apart from a wrong key.
pub(crate) fn mistake(token: &str) -> Option<&'static str> {
    if token.starts_with(APP_PREFIX) {
        return Some("This is an app token: it opens only what the app in Stripe's Dashboard shows.");
    }
    if !token.starts_with(PREFIX) {
        return Some("An API key of Tributary begins with trb_.");
    }
    misspelt(token)
}

/// The same for an app token.
pub(crate) fn app_mistake(token: &str) -> Option<&'static str> {
    if token.starts_with(PREFIX) {
        return Some("This is an API key of a program. The app needs an app token, which begins with tra_.");
    }
    if !token.starts_with(APP_PREFIX) {
        return Some("An app token of Tributary begins with tra_.");
    }
    misspelt(token)
}

/// Both prefixes have one length.
fn misspelt(token: &str) -> Option<&'static str> {
    if token.len() != PREFIX.len() + SECRET + CHECK || !token.is_ascii() {
        return Some("The key is incomplete or has letters too many: it has 53 letters.");
    }
    let (text, check) = token.split_at(PREFIX.len() + SECRET);
    (checksum(text) != check).then_some("The key has a typing mistake: its checksum does not fit.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fresh_key_is_well_formed_and_every_changed_letter_is_noticed() {
        let token = new_api_token().unwrap();
        assert_eq!(token.len(), 53);
        assert_eq!(mistake(&token), None);
        assert_ne!(token, new_api_token().unwrap());
        for at in 0..token.len() {
            let mut changed = token.clone().into_bytes();
            changed[at] = if changed[at] == b'x' { b'y' } else { b'x' };
            assert!(mistake(&String::from_utf8(changed).unwrap()).is_some(), "letter {at}");
        }
        let app = new_app_token().unwrap();
        assert_eq!((app.len(), app_mistake(&app)), (53, None));
        assert!(
            mistake(&app).unwrap().contains("app token") && app_mistake(&token).unwrap().contains("tra_")
        );
        assert!(app_mistake(&app[..52]).is_some() && app_mistake("").is_some());
        assert!(mistake("").is_some());
        assert!(mistake(&token[..52]).is_some());
        assert!(mistake(&format!("trb_{}", "é".repeat(24))).is_some());
    }
}
