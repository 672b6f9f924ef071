//! How often one network may be counted: buckets in memory, by a hash that only this process can make.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

/// Most buckets that are remembered, 24 bytes each; beyond it the longest unused half is forgotten.
const KEYS: usize = 50_000;
/// One, in parts so small that a refill of a millisecond is whole: a rate a minute gains its number in each.
const WHOLE: i64 = 60_000;

/// A bucket holds `burst` and gains `per_minute`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// What one may do at once.
    pub burst: i64,
    /// What one may do for long.
    pub per_minute: i64,
}

/// Visits of one network (an IPv4 address or an IPv6 /64) to one program: a campus behind one address passes.
pub const VISITS: Rate = Rate { burst: 300, per_minute: 600 };
/// Sign-ups of one network in one program.
pub const SIGNUPS: Rate = Rate { burst: 20, per_minute: 10 };
/// Sign-ups of all networks in one program.
pub const SIGNUPS_ALL: Rate = Rate { burst: 2_000, per_minute: 1_200 };
/// Short links that nobody has, asked for by one network: each costs a look-up.
pub const UNKNOWN: Rate = Rate { burst: 60, per_minute: 60 };

#[derive(Debug, Clone, Copy)]
struct Bucket {
    level: i64,
    at: i64,
}

/// Remembers who did how much, in this process. No address is kept, only a hash under a key of this process.
#[derive(Debug, Default)]
pub struct Limits {
    hasher: RandomState,
    buckets: Mutex<HashMap<u64, Bucket>>,
}

impl Limits {
    /// Takes one from the bucket of `who` for `what`; false where it is empty.
    pub fn take(&self, what: &str, program: &str, who: Option<IpAddr>, rate: Rate, now: i64) -> bool {
        let key = self.hasher.hash_one((what, program, network(who)));
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let full = rate.burst.saturating_mul(WHOLE);
        let bucket = buckets.entry(key).or_insert(Bucket { level: full, at: now });
        let gained = now.saturating_sub(bucket.at).max(0).saturating_mul(rate.per_minute);
        bucket.level = bucket.level.saturating_add(gained).min(full);
        bucket.at = now;
        let granted = bucket.level >= WHOLE;
        if granted {
            bucket.level -= WHOLE;
        }
        if buckets.len() > KEYS {
            let mut times: Vec<i64> = buckets.values().map(|bucket| bucket.at).collect();
            let middle = times.len() / 2;
            let (_, middle, _) = times.select_nth_unstable(middle);
            let middle = *middle;
            buckets.retain(|_, bucket| bucket.at > middle);
        }
        granted
    }
}

/// The network of an address: IPv4 whole, IPv6 by its first 64 bits, which is one household or host.
#[must_use]
pub fn network(ip: Option<IpAddr>) -> [u8; 9] {
    let mut out = [0; 9];
    match ip.map(|ip| ip.to_canonical()) {
        None => {}
        Some(IpAddr::V4(ip)) => {
            out[0] = 4;
            out[1..5].copy_from_slice(&ip.octets());
        }
        Some(IpAddr::V6(ip)) => {
            out[0] = 6;
            out[1..9].copy_from_slice(&ip.octets()[..8]);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_empties_and_fills_again_and_memory_is_bounded() {
        let limits = Limits::default();
        let who = |n: u32| Some(IpAddr::from(n.to_be_bytes()));
        let passed = (0..1_000).filter(|_| limits.take("v", "p", who(1), SIGNUPS, 0)).count();
        assert_eq!(passed, 20);
        assert!(limits.take("v", "q", who(1), SIGNUPS, 0), "another program");
        assert!(limits.take("v", "p", who(2), SIGNUPS, 0), "another network");
        assert!(!limits.take("v", "p", who(1), SIGNUPS, 5_999));
        assert!(limits.take("v", "p", who(1), SIGNUPS, 6_000));
        for n in 0..200_000 {
            limits.take("v", "p", who(n), VISITS, i64::from(n));
        }
        assert!(limits.buckets.lock().unwrap().len() <= KEYS + 1);
        let a: IpAddr = "2001:db8::1".parse().unwrap();
        let b: IpAddr = "2001:db8::ffff:2".parse().unwrap();
        assert_eq!(network(Some(a)), network(Some(b)));
        let mapped: IpAddr = "::ffff:10.0.0.1".parse().unwrap();
        assert_eq!(network(Some(mapped)), network(Some("10.0.0.1".parse().unwrap())));
    }
}
