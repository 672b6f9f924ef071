//! The one-time token of an installation that nobody has set up yet.
//!
//! `serve` makes it at each start while there is no workspace and prints it; only its hash stays in memory. It opens
//! the set-up, and nothing else, until the first account exists.

use crate::App;
use sha2::{Digest, Sha256};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock};
use subtle::ConstantTimeEq;
use tributary_store::vault::random;
use tributary_store::{StoreError, Tx, Unit, workspaces};

/// Whether there is a workspace, and the token as long as there is none.
#[derive(Debug, Default)]
pub struct FirstRun {
    hash: RwLock<Option<[u8; 32]>>,
    set_up: AtomicBool,
}

impl FirstRun {
    /// Makes a fresh token; the one before is worth nothing from then on. It is 64 hex digits.
    ///
    /// # Errors
    /// No randomness.
    pub fn begin(&self) -> Result<String, StoreError> {
        let token = hex::encode(random::<32>()?);
        *self.hash.write().unwrap_or_else(PoisonError::into_inner) = Some(hash(&token));
        Ok(token)
    }

    /// Is it the token? Takes equally long for every wrong one.
    #[must_use]
    pub fn opens(&self, token: &str) -> bool {
        let known = *self.hash.read().unwrap_or_else(PoisonError::into_inner);
        known.is_some_and(|known| bool::from(known.ct_eq(&hash(token))))
    }

    /// Is there a workspace? Asked of the database until there is one, and never again after that.
    ///
    /// # Errors
    /// The database's.
    pub async fn is_set_up(&self, app: &App) -> Result<bool, StoreError> {
        if self.set_up.load(Ordering::Relaxed) {
            return Ok(true);
        }
        let found = app.db.read(AnyWorkspace).await?;
        if found {
            self.end();
        }
        Ok(found)
    }

    /// The account exists: the token is worth nothing any more.
    pub fn end(&self) {
        *self.hash.write().unwrap_or_else(PoisonError::into_inner) = None;
        self.set_up.store(true, Ordering::Relaxed);
    }
}

fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// What the set-up's first form carries: made of the token, of no use without it.
#[must_use]
pub fn form_token(token: &str) -> String {
    hex::encode(Sha256::digest(format!("tributary set-up form {token}").as_bytes()))
}

struct AnyWorkspace;

impl Unit for AnyWorkspace {
    type Out = bool;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<bool, StoreError> {
        Ok(!workspaces::list_workspaces(tx).await?.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_newest_token_opens_and_only_until_the_end() {
        let run = FirstRun::default();
        assert!(!run.opens("") && !run.opens(&"0".repeat(64)));
        let first = run.begin().unwrap();
        assert!(run.opens(&first) && first.len() == 64);
        for wrong in ["", "x", &first[..63], &format!("{first}0"), &first.to_uppercase().replace('A', "B")] {
            assert!(!run.opens(wrong), "{wrong}");
        }
        let second = run.begin().unwrap();
        assert!(run.opens(&second) && !run.opens(&first));
        assert_ne!(form_token(&second), second);
        run.end();
        assert!(!run.opens(&second));
    }
}
