//! Codes, tokens and who agreed to what.

use std::collections::{BTreeMap, VecDeque};

use crate::error::ApiError;

/// Codes and grants that are kept; the oldest go first.
const MAX_KEPT: usize = 10_000;
/// A code is good so long, seconds.
const CODE_SECONDS: i64 = 300;

/// What an account agreed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreed {
    /// `app` or `connect`.
    pub flow: &'static str,
    /// `ca_…`
    pub client_id: String,
    /// The account's name in the sandbox.
    pub account: String,
    /// Live or test.
    pub livemode: bool,
}

#[derive(Debug)]
struct Code {
    text: String,
    agreed: Agreed,
    until: i64,
    used: bool,
}

/// A grant: its refresh token, the one before it, and its access tokens.
#[derive(Debug)]
pub struct Grant {
    /// What was agreed to.
    pub agreed: Agreed,
    /// The account (by name) whose key exchanged the code: the platform or the App's owner.
    pub owner: String,
    refresh: String,
    /// Good until the newest token or its access token was used: an answer may get lost.
    before: Option<String>,
    /// Access tokens with their last second.
    access: BTreeMap<String, i64>,
    newest: String,
}

/// Everything that was agreed to in one sandbox.
#[derive(Debug)]
pub struct Grants {
    codes: VecDeque<Code>,
    grants: Vec<Grant>,
    /// Seconds that an access token is good.
    pub access_seconds: i64,
    /// Codes and tokens are told apart by this; they are no objects and need not be the same twice.
    next: u64,
}

impl Default for Grants {
    fn default() -> Self {
        Self { codes: VecDeque::new(), grants: Vec::new(), access_seconds: 3_600, next: 1 }
    }
}

/// A refusal of OAuth: `error` and `error_description`.
#[derive(Debug, PartialEq, Eq)]
pub struct Refusal(pub &'static str, pub String);

fn invalid(words: impl Into<String>) -> Refusal {
    Refusal("invalid_grant", words.into())
}

impl Grants {
    fn fresh(&mut self, prefix: &str) -> Result<String, ApiError> {
        let mut bytes = [0u8; 16];
        getrandom::fill(&mut bytes).map_err(|e| ApiError::internal(e.to_string()))?;
        self.next += 1;
        Ok(format!("{prefix}{}{:04x}", hex::encode(bytes), self.next & 0xffff))
    }

    /// The account agrees: a code for the App or platform.
    ///
    /// # Errors
    /// 500 without randomness.
    pub fn agree(&mut self, agreed: Agreed, now: i64) -> Result<String, ApiError> {
        let text = self.fresh("ac_")?;
        if self.codes.len() >= MAX_KEPT {
            self.codes.pop_front();
        }
        self.codes.push_back(Code { text: text.clone(), agreed, until: now + CODE_SECONDS, used: false });
        Ok(text)
    }

    /// Exchanges a code. A code that comes twice ends what the first one brought, as OAuth asks for.
    ///
    /// # Errors
    /// `invalid_grant` in words, or 500 without randomness.
    pub fn exchange(
        &mut self,
        flow: &str,
        code: &str,
        owner: &str,
        livemode: bool,
        now: i64,
    ) -> Result<Result<(String, String, Agreed), Refusal>, ApiError> {
        let Some(found) = self.codes.iter_mut().find(|c| c.text == code && c.agreed.flow == flow) else {
            return Ok(Err(invalid("Authorization code does not exist: it is not one of this application.")));
        };
        let agreed = found.agreed.clone();
        if found.used {
            self.grants.retain(|g| g.agreed != agreed);
            return Ok(Err(invalid("This authorization code has already been used.")));
        }
        if now > found.until {
            return Ok(Err(invalid("Authorization code expired.")));
        }
        if agreed.livemode != livemode {
            return Ok(Err(invalid("The authorization code belongs to the other mode than the secret key.")));
        }
        found.used = true;
        self.grants.retain(|g| g.agreed != agreed);
        if self.grants.len() >= MAX_KEPT {
            self.grants.remove(0);
        }
        let refresh = self.fresh("rt_")?;
        let access = self.access_token(&agreed)?;
        self.grants.push(Grant {
            owner: owner.to_owned(),
            refresh: refresh.clone(),
            before: None,
            access: BTreeMap::from([(access.clone(), now.saturating_add(self.access_seconds))]),
            newest: access.clone(),
            agreed: agreed.clone(),
        });
        Ok(Ok((access, refresh, agreed)))
    }

    /// An access token looks like a key of the account, so that everything behind it works as with one.
    fn access_token(&mut self, agreed: &Agreed) -> Result<String, ApiError> {
        let mode = if agreed.livemode { "live" } else { "test" };
        let prefix = format!("sk_{mode}_acct-{}_oat", agreed.account);
        self.fresh(&prefix)
    }

    /// Exchanges a refresh token: it is good once, but the one before the newest stays until the newest was used.
    ///
    /// # Errors
    /// `invalid_grant` in words, or 500 without randomness.
    pub fn renew(
        &mut self,
        flow: &str,
        token: &str,
        now: i64,
    ) -> Result<Result<(String, String, Agreed), Refusal>, ApiError> {
        let fits = |g: &&mut Grant| {
            g.agreed.flow == flow && (g.refresh == token || g.before.as_deref() == Some(token))
        };
        let Some(agreed) = self.grants.iter_mut().find(fits).map(|g| g.agreed.clone()) else {
            return Ok(Err(invalid("This refresh token does not exist or was used already.")));
        };
        let refresh = self.fresh("rt_")?;
        let access = self.access_token(&agreed)?;
        let until = now.saturating_add(self.access_seconds);
        if let Some(grant) = self.grants.iter_mut().find(|g| g.agreed == agreed) {
            grant.before = Some(token.to_owned());
            grant.refresh.clone_from(&refresh);
            grant.access.retain(|_, until| *until >= now);
            grant.access.insert(access.clone(), until);
            grant.newest.clone_from(&access);
        }
        Ok(Ok((access, refresh, agreed)))
    }

    /// Is the text an access token, and is it good? `None` for a text that is a key.
    pub fn admits(&mut self, token: &str, now: i64) -> Option<bool> {
        if !token.contains("_oat") {
            return None;
        }
        let grant = self.grants.iter_mut().find(|g| g.access.contains_key(token));
        Some(grant.is_some_and(|grant| {
            let good = grant.access.get(token).is_some_and(|until| now < *until);
            if good && grant.newest == token {
                grant.before = None;
            }
            good
        }))
    }

    /// May the platform act for the account?
    pub fn is_connected(&self, owner: &str, account: &str, livemode: bool) -> bool {
        self.grants.iter().any(|g| {
            g.agreed.flow == "connect"
                && g.owner == owner
                && g.agreed.account == account
                && g.agreed.livemode == livemode
        })
    }

    /// The platforms that hear of an account, by name.
    pub fn platforms_of(&self, account: &str, livemode: bool) -> Vec<String> {
        let of = self.grants.iter().filter(|g| {
            g.agreed.flow == "connect" && g.agreed.account == account && g.agreed.livemode == livemode
        });
        of.map(|g| g.owner.clone()).collect()
    }

    /// Ends what fits, and says what it was.
    pub fn end(&mut self, fits: impl Fn(&Grant) -> bool) -> Vec<Agreed> {
        let ended = self.grants.iter().filter(|g| fits(g)).map(|g| g.agreed.clone()).collect();
        self.grants.retain(|g| !fits(g));
        ended
    }

    /// All that fits, without ending it.
    pub fn find(&self, fits: impl Fn(&Grant) -> bool) -> Vec<Agreed> {
        self.grants.iter().filter(|g| fits(g)).map(|g| g.agreed.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agreed() -> Agreed {
        Agreed { flow: "app", client_id: "ca_1".into(), account: "default".into(), livemode: false }
    }

    #[test]
    fn a_code_is_good_once_and_its_return_ends_what_it_brought() {
        let mut all = Grants::default();
        let code = all.agree(agreed(), 0).unwrap();
        assert!(all.exchange("connect", &code, "default", false, 1).unwrap().is_err());
        assert!(all.exchange("app", &code, "default", true, 1).unwrap().is_err(), "the other mode's key");
        let (access, ..) = all.exchange("app", &code, "default", false, 1).unwrap().unwrap();
        assert_eq!(all.admits(&access, 2), Some(true));
        assert!(all.exchange("app", &code, "default", false, 2).unwrap().is_err());
        assert_eq!(all.admits(&access, 3), Some(false));
        assert_eq!(all.admits("sk_test_plain", 3), None);
    }

    #[test]
    fn the_token_before_stays_until_the_newest_was_used() {
        let mut all = Grants::default();
        let code = all.agree(agreed(), 0).unwrap();
        let (_, first, _) = all.exchange("app", &code, "default", false, 1).unwrap().unwrap();
        all.renew("app", &first, 2).unwrap().unwrap();
        let (access, second, _) = all.renew("app", &first, 3).unwrap().unwrap();
        assert_eq!(all.admits(&access, 4), Some(true));
        assert!(all.renew("app", &first, 5).unwrap().is_err(), "the newest was used");
        assert!(all.renew("app", &second, 5).unwrap().is_ok());
        assert_eq!(all.admits(&access, 3_700), Some(false), "an hour is over");
    }
}
