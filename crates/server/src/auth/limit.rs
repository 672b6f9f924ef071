//! How often a log-in may be tried: by account, by network, and in all.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

/// Most keys that are remembered; beyond it the fullest buckets are forgotten, which are those that nobody used.
const KEYS: usize = 20_000;
/// One try in thousandths, so that slow refills need no fractions.
const WHOLE: i64 = 1_000;

/// A bucket holds `burst` tries and gains `per_hour`.
#[derive(Debug, Clone, Copy)]
struct Rate {
    burst: i64,
    per_hour: i64,
}

const ACCOUNT: Rate = Rate { burst: 10, per_hour: 60 };
const DEVICE: Rate = Rate { burst: 10, per_hour: 30 };
const NETWORK: Rate = Rate { burst: 40, per_hour: 400 };
const ALL: Rate = Rate { burst: 600, per_hour: 36_000 };

#[derive(Debug, Clone, Copy)]
struct Bucket {
    /// Thousandths of a try.
    level: i64,
    /// ms UTC.
    at: i64,
}

/// Remembers who tried how often, in this process.
#[derive(Debug, Default)]
pub struct Limits {
    buckets: Mutex<HashMap<String, Bucket>>,
}

impl Limits {
    /// May this try be made? Takes from every bucket that it falls into, or, where one is empty, says how many
    /// seconds to wait and takes from none. A browser that logged in to the account before has a bucket of its
    /// own and no other, so that strangers who guess, also from the same network, do not lock the owner out.
    ///
    /// # Errors
    /// The seconds to wait.
    pub fn take(&self, account: &str, known_device: bool, ip: Option<IpAddr>, now: i64) -> Result<(), i64> {
        let wanted = if known_device {
            vec![(format!("d:{account}"), DEVICE)]
        } else {
            vec![
                (format!("a:{account}"), ACCOUNT),
                (format!("n:{}", network(ip)), NETWORK),
                ("all".to_owned(), ALL),
            ]
        };
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let mut wait = 0;
        for (key, rate) in &wanted {
            let level = buckets.get(key).map_or(rate.burst * WHOLE, |bucket| refilled(*bucket, *rate, now));
            if level < WHOLE {
                wait = wait.max((WHOLE - level).saturating_mul(3_600) / (rate.per_hour * WHOLE) + 1);
            }
        }
        if wait > 0 {
            return Err(wait);
        }
        for (key, rate) in wanted {
            let bucket = buckets.entry(key).or_insert(Bucket { level: rate.burst * WHOLE, at: now });
            *bucket = Bucket { level: refilled(*bucket, rate, now) - WHOLE, at: now };
        }
        if buckets.len() > KEYS {
            let mut levels: Vec<i64> = buckets.values().map(|bucket| bucket.at).collect();
            let middle = levels.len() / 2;
            let (_, middle, _) = levels.select_nth_unstable(middle);
            let middle = *middle;
            buckets.retain(|key, bucket| key == "all" || bucket.at > middle);
        }
        Ok(())
    }

    /// Gives the account's tries back after it was opened with the right password.
    pub fn forgive(&self, account: &str) {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        buckets.remove(&format!("d:{account}"));
    }
}

fn refilled(bucket: Bucket, rate: Rate, now: i64) -> i64 {
    let gained = now.saturating_sub(bucket.at).max(0).saturating_mul(rate.per_hour) / 3_600;
    bucket.level.saturating_add(gained).min(rate.burst * WHOLE)
}

/// An IPv4 address, or the /64 of an IPv6 address, which is one household or host.
fn network(ip: Option<IpAddr>) -> String {
    match ip {
        None => "unknown".to_owned(),
        Some(IpAddr::V4(ip)) => ip.to_string(),
        Some(IpAddr::V6(ip)) => match ip.to_ipv4_mapped() {
            Some(ip) => ip.to_string(),
            None => {
                let [a, b, c, d, ..] = ip.segments();
                format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    /// 100,000 guesses from 1,000 addresses within an hour reach the hash check at most 100 times.
    #[test]
    fn an_account_is_tried_a_hundred_times_an_hour_at_most() {
        let limits = Limits::default();
        let passed = (0..100_000_i64)
            .filter(|i| limits.take("ada", false, ip(&format!("10.0.{}.{}", i % 4, i % 250)), i * 36).is_ok())
            .count();
        assert!((60..=100).contains(&passed), "{passed}");
        assert!(
            limits.take("ada", true, ip("10.9.9.9"), 3_600_000).is_ok(),
            "the owner's own browser still may"
        );
    }

    #[test]
    fn a_network_is_limited_over_all_accounts_and_64_bits_are_one_network() {
        let limits = Limits::default();
        let passed = (0..1_000)
            .filter(|i| limits.take(&i.to_string(), false, ip(&format!("2001:db8::{i:x}")), 0).is_ok());
        assert_eq!(passed.count(), 40);
        assert!(limits.take("x", false, ip("2001:db8:0:1::1"), 0).is_ok());
        assert!(
            limits.take("0", true, ip("2001:db8::1"), 0).is_ok(),
            "a browser that is known is not held up"
        );
        let wait = limits.take("y", false, ip("2001:db8::1"), 0).unwrap_err();
        assert!((1..=11).contains(&wait), "{wait}");
        assert!(limits.take("y", false, ip("2001:db8::1"), wait * 1_000).is_ok());
    }

    #[test]
    fn memory_is_bounded_and_the_clock_may_jump() {
        let limits = Limits::default();
        for i in 0..60_000_i64 {
            let _ = limits.take(
                &i.to_string(),
                false,
                ip(&format!("10.{}.{}.{}", i / 65_536, i / 256 % 256, i % 256)),
                i * 1_000,
            );
        }
        assert!(limits.buckets.lock().unwrap().len() <= KEYS + 3);
        assert!(limits.take("z", false, None, i64::MAX).is_ok());
        assert!(limits.take("z", false, None, i64::MIN).is_ok());
    }
}
