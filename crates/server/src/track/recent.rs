//! Visits whose ids were given out before their commit: the same visitor gets the same id again.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, PoisonError};
use tributary_store::track::REPEAT_MS;

/// Most that are remembered, some 100 bytes each; beyond it the older half is forgotten.
const KEYS: usize = 50_000;

/// Remembers them, in this process.
#[derive(Debug, Default)]
pub struct Recent {
    hasher: RandomState,
    visits: Mutex<HashMap<u64, (String, i64)>>,
}

impl Recent {
    /// The id of this visitor's visit by this link in the last half hour, or `fresh`, which is remembered then.
    /// The flag says whether it is `fresh`.
    pub fn id(&self, link_id: &str, visitor: &str, fresh: String, now: i64) -> (String, bool) {
        let key = self.hasher.hash_one((link_id, visitor));
        let mut visits = self.visits.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((id, at)) = visits.get(&key)
            && now.saturating_sub(*at) < REPEAT_MS
        {
            return (id.clone(), false);
        }
        visits.insert(key, (fresh.clone(), now));
        if visits.len() > KEYS {
            let mut times: Vec<i64> = visits.values().map(|(_, at)| *at).collect();
            let middle = times.len() / 2;
            let (_, middle, _) = times.select_nth_unstable(middle);
            let middle = *middle;
            visits.retain(|_, (_, at)| *at > middle);
        }
        (fresh, true)
    }
}
