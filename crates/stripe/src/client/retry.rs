//! Which failures are repeated, and after what pause.

use std::time::Duration;

/// The first pause.
const BASE: Duration = Duration::from_millis(500);
/// The longest pause of our own choice.
const CAP: Duration = Duration::from_secs(5);

/// How one attempt ended, as far as repeating goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attempt {
    /// An HTTP answer.
    Status {
        /// Its status.
        status: u16,
        /// `Stripe-Should-Retry`, if sent.
        should_retry: Option<bool>,
        /// `Retry-After` in seconds, if sent.
        retry_after_s: Option<u64>,
    },
    /// No connection, a time-out, or an answer that broke off.
    Broken,
}

/// The pause before the next attempt; `None` if there must be none. `tried` counts the attempts made, from 1.
///
/// `Stripe-Should-Retry` decides where it is sent; else 409, 5xx and broken attempts are repeated, and a 429 that says
/// by `Retry-After` when. The pause is
/// 0.5 s × 2^n up to 5 s, of which `jitter` (0 to 1000) takes away up to a half, and at least `Retry-After`.
pub(super) fn pause(attempt: Attempt, tried: u32, retries: u32, jitter: u32) -> Option<Duration> {
    let (repeat, at_least) = match attempt {
        Attempt::Broken => (true, None),
        Attempt::Status { status, should_retry, retry_after_s } => {
            let told_when = status == 429 && retry_after_s.is_some();
            (should_retry.unwrap_or(status == 409 || status >= 500 || told_when), retry_after_s)
        }
    };
    if !repeat || tried > retries {
        return None;
    }
    let doubled = BASE.saturating_mul(1 << tried.saturating_sub(1).min(10)).min(CAP);
    let jittered = doubled.saturating_mul(2000 - jitter.min(1000)) / 2000;
    Some(jittered.max(Duration::from_secs(at_least.unwrap_or(0))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(status: u16, should_retry: Option<bool>, retry_after_s: Option<u64>) -> Attempt {
        Attempt::Status { status, should_retry, retry_after_s }
    }

    #[test]
    fn stripes_word_wins() {
        assert!(pause(status(429, Some(true), None), 1, 3, 0).is_some());
        assert!(pause(status(429, None, None), 1, 3, 0).is_none());
        assert!(pause(status(500, Some(false), None), 1, 3, 0).is_none());
        assert!(pause(status(400, Some(true), None), 1, 3, 0).is_some());
    }

    #[test]
    fn without_it_conflicts_server_errors_and_broken_attempts_are_repeated() {
        for code in [409, 500, 502, 503] {
            assert!(pause(status(code, None, None), 1, 3, 0).is_some(), "{code}");
        }
        for code in [400, 401, 403, 404, 402] {
            assert!(pause(status(code, None, None), 1, 3, 0).is_none(), "{code}");
        }
        assert!(pause(Attempt::Broken, 3, 3, 0).is_some());
        assert!(pause(Attempt::Broken, 4, 3, 0).is_none());
    }

    #[test]
    fn pauses_double_up_to_a_cap_and_keep_to_retry_after() {
        let pauses: Vec<_> = (1..=6).filter_map(|n| pause(Attempt::Broken, n, 9, 0)).collect();
        assert_eq!(
            pauses.iter().map(Duration::as_millis).collect::<Vec<_>>(),
            [500, 1000, 2000, 4000, 5000, 5000]
        );
        assert_eq!(pause(Attempt::Broken, 1, 9, 1000), Some(Duration::from_millis(250)));
        assert_eq!(pause(status(503, None, Some(7)), 1, 9, 1000), Some(Duration::from_secs(7)));
    }
}
