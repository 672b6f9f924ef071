//! The shop's own accounts, and who is signed in.

use std::collections::BTreeMap;

use axum::http::{HeaderMap, header};

/// Accounts that the shop keeps; further sign-ups are refused.
const MAX_ACCOUNTS: usize = 10_000;
/// The cookie of who is signed in.
pub const COOKIE: &str = "acme_session";

/// Somebody who signed up.
#[derive(Debug, Clone)]
pub struct Account {
    /// The shop's own id: what Tributary knows as the customer's key.
    pub key: String,
    /// Name as typed.
    pub name: String,
    /// E-mail as typed.
    pub email: String,
    /// True until a page told Tributary of the sign-up in the browser.
    pub untold: bool,
    /// What the shop's server heard from Tributary, for the curious.
    pub heard: Option<String>,
    /// `cus_…`, once there was a checkout.
    pub customer: Option<String>,
    /// `cs_…`, the newest last.
    pub orders: Vec<String>,
}

/// All accounts.
#[derive(Debug, Default)]
pub struct Accounts {
    by_key: BTreeMap<String, Account>,
    sessions: BTreeMap<String, String>,
}

impl Accounts {
    /// Keeps a new account and returns the value of its cookie.
    ///
    /// # Errors
    /// A sentence for the person who signs up.
    pub fn add(&mut self, name: &str, email: &str) -> Result<(Account, String), String> {
        if self.by_key.len() >= MAX_ACCOUNTS {
            return Err("The demo shop is full. Start it again to empty it.".to_owned());
        }
        if self.by_key.values().any(|a| a.email.eq_ignore_ascii_case(email)) {
            return Err("There is an account with this e-mail already. Use another one.".to_owned());
        }
        let unlucky = || "No random number could be had. Try again.".to_owned();
        let (key, token) = (random(6).ok_or_else(unlucky)?, random(16).ok_or_else(unlucky)?);
        let account = Account {
            key: format!("acme_{key}"),
            name: name.to_owned(),
            email: email.to_owned(),
            untold: true,
            heard: None,
            customer: None,
            orders: Vec::new(),
        };
        self.by_key.insert(account.key.clone(), account.clone());
        self.sessions.insert(token.clone(), account.key.clone());
        Ok((account, token))
    }

    /// The account of a request, by its cookie.
    pub fn of(&mut self, headers: &HeaderMap) -> Option<&mut Account> {
        let key = self.sessions.get(&cookie(headers, COOKIE)?)?;
        self.by_key.get_mut(key)
    }

    /// An account by its key.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Account> {
        self.by_key.get_mut(key)
    }

    /// Forgets who is signed in.
    pub fn sign_out(&mut self, headers: &HeaderMap) {
        if let Some(token) = cookie(headers, COOKIE) {
            self.sessions.remove(&token);
        }
    }
}

fn random(bytes: usize) -> Option<String> {
    let mut buffer = [0u8; 16];
    let part = buffer.get_mut(..bytes)?;
    getrandom::fill(part).ok()?;
    Some(hex::encode(part))
}

/// The value of a cookie.
pub fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(';'))
        .find_map(|pair| {
            let (found, value) = pair.trim().split_once('=')?;
            (found == name).then(|| value.to_owned())
        })
}
