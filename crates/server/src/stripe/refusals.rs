//! Webhooks whose signature was refused: counted, so that one address cannot flood, and so that a person is told when
//! nothing else arrives any more. Only counters are kept, in this process.

use crate::track::limits::{Limits, Rate};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use tributary_stripe::signature::SignatureError;

/// Wrong signatures of one address. Good ones cost nothing, so Stripe itself is never held up by them.
const WRONG: Rate = Rate { burst: 120, per_minute: 120 };
/// Programs that an address over its limit may have looked up.
const LOOK_UPS: Rate = Rate { burst: 10, per_minute: 300 };
/// Programs and addresses that are remembered.
const KEPT: usize = 20_000;
/// An address that is out of tries is let in again after this time, ms.
const SHUT_MS: i64 = 10_000;
/// So long back is told of, ms.
const WINDOW_MS: i64 = 300_000;

/// What was refused for a program lately.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lately {
    /// Refused since the last event that was taken, in the last five minutes.
    pub count: u64,
    /// When the last one was, ms UTC.
    pub at: i64,
    /// Why, in words.
    pub reason: String,
}

/// What was refused, by program and by address.
#[derive(Debug, Default)]
pub struct Refusals {
    limits: Limits,
    shut: Mutex<HashMap<IpAddr, i64>>,
    programs: Mutex<HashMap<String, Lately>>,
}

impl Refusals {
    /// Did this address send many wrong signatures a moment ago? Then the next wrong one costs nothing more than the
    /// check itself. A right one is taken whatever came before it: behind a proxy all may have one address.
    pub fn over(&self, from: Option<IpAddr>, now: i64) -> bool {
        let Some(from) = from else { return false };
        let shut = self.shut.lock().unwrap_or_else(PoisonError::into_inner);
        shut.get(&from).is_some_and(|until| *until > now)
    }

    /// May a program be looked up that is not remembered, for an address that is over its limit? Now and then.
    pub fn may_look_up(&self, from: Option<IpAddr>, now: i64) -> bool {
        self.limits.take("look-up", "", from, LOOK_UPS, now)
    }

    /// Counts a refusal. A program that does not exist is counted against the address alone.
    pub fn count(&self, program: Option<&str>, from: Option<IpAddr>, error: &SignatureError, now: i64) {
        if let Some(from) = from
            && !self.limits.take("signature", "", Some(from), WRONG, now)
        {
            let mut shut = self.shut.lock().unwrap_or_else(PoisonError::into_inner);
            if shut.len() >= KEPT {
                shut.retain(|_, until| *until > now);
            }
            if shut.len() < KEPT {
                shut.insert(from, now.saturating_add(SHUT_MS));
            }
        }
        let Some(program) = program else { return };
        let mut programs = self.programs.lock().unwrap_or_else(PoisonError::into_inner);
        if programs.len() >= KEPT && !programs.contains_key(program) {
            programs.retain(|_, lately| now.saturating_sub(lately.at) < WINDOW_MS);
        }
        let lately = programs.entry(program.to_owned()).or_default();
        if now.saturating_sub(lately.at) >= WINDOW_MS {
            lately.count = 0;
        }
        lately.count = lately.count.saturating_add(1);
        lately.at = now;
        lately.reason = error.to_string();
    }

    /// An event of the program was taken: its secret is right, whatever else comes.
    pub fn took(&self, program: &str, now: i64) {
        let mut programs = self.programs.lock().unwrap_or_else(PoisonError::into_inner);
        if programs.get(program).is_some_and(|lately| lately.at <= now) {
            programs.remove(program);
        }
    }

    /// What was refused for a program since its last good event, if that was lately.
    #[must_use]
    pub fn lately(&self, program: &str, now: i64) -> Option<Lately> {
        let programs = self.programs.lock().unwrap_or_else(PoisonError::into_inner);
        programs.get(program).filter(|lately| now.saturating_sub(lately.at) < WINDOW_MS).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_sends_wrong_signatures_is_held_up() {
        let refusals = Refusals::default();
        let (bad, good) = (Some("203.0.113.9".parse().unwrap()), Some("203.0.113.10".parse().unwrap()));
        for _ in 0..500 {
            refusals.count(Some("P"), bad, &SignatureError::NoMatch, 1_000);
        }
        assert!(refusals.over(bad, 1_000) && !refusals.over(good, 1_000) && !refusals.over(None, 1_000));
        assert!(!refusals.over(bad, 1_000 + SHUT_MS), "for a while only");
        let looked = (0..100).filter(|_| refusals.may_look_up(bad, 1_000)).count();
        assert_eq!(looked, 10, "look-ups are few, and not none");
        assert_eq!(refusals.lately("P", 2_000).unwrap().count, 500);
        assert_eq!(refusals.lately("P", 1_000 + WINDOW_MS), None);
        refusals.took("P", 3_000);
        assert_eq!(refusals.lately("P", 3_000), None, "a good event shows that the secret is right");
    }
}
