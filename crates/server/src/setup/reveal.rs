//! Secrets that are shown once: kept in memory from the press of a button to the page that follows it.

use secrecy::SecretString;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use tributary_store::StoreError;
use tributary_store::vault::random;

/// Kept at the same time.
const KEPT: usize = 200;
/// Kept so long, ms.
const LIFE_MS: i64 = 120_000;

struct Entry {
    user_id: String,
    until: i64,
    secret: SecretString,
}

/// All secrets that wait for their page.
#[derive(Default)]
pub struct Reveals {
    entries: Mutex<HashMap<String, Entry>>,
}

impl Reveals {
    /// Keeps a secret for the next page of one user; the answer names it.
    ///
    /// # Errors
    /// No randomness.
    pub fn keep(&self, user_id: &str, secret: SecretString, now: i64) -> Result<String, StoreError> {
        let id = hex::encode(random::<16>()?);
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.retain(|_, entry| entry.until > now);
        if entries.len() >= KEPT {
            entries.clear();
        }
        let entry = Entry { user_id: user_id.to_owned(), until: now.saturating_add(LIFE_MS), secret };
        entries.insert(id.clone(), entry);
        Ok(id)
    }

    /// Gives a secret to its user, once.
    pub fn take(&self, user_id: &str, id: &str, now: i64) -> Option<SecretString> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.get(id).filter(|entry| entry.user_id == user_id)?;
        entries.remove(id).filter(|entry| entry.until > now).map(|entry| entry.secret)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    #[test]
    fn a_secret_is_shown_once_to_its_user_for_a_while() {
        let reveals = Reveals::default();
        let id = reveals.keep("usr_a", SecretString::from("trb_x"), 0).unwrap();
        assert!(reveals.take("usr_b", &id, 1).is_none(), "another user");
        assert_eq!(reveals.take("usr_a", &id, 1).unwrap().expose_secret(), "trb_x");
        assert!(reveals.take("usr_a", &id, 2).is_none(), "twice");
        let id = reveals.keep("usr_a", SecretString::from("trb_y"), 0).unwrap();
        assert!(reveals.take("usr_a", &id, LIFE_MS).is_none(), "too late");
    }
}
