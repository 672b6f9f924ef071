//! At most 20 requests a second and 4 at a time for one connection: a fifth of what Stripe allows in live mode.

use std::time::Duration;
use tokio::sync::{Mutex, Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep_until};

/// Requests in flight at most.
pub(super) const IN_FLIGHT: usize = 4;
/// The pace: one request each 50 ms …
const SPACING: Duration = Duration::from_millis(50);
/// … of which this many may come at once after a pause.
const BURST: u32 = 10;

/// A connection's limits.
pub(super) struct Limiter {
    in_flight: Semaphore,
    /// When the request after the last one would be due at the steady pace.
    due: Mutex<Option<Instant>>,
}

impl Default for Limiter {
    fn default() -> Self {
        Self { in_flight: Semaphore::new(IN_FLIGHT), due: Mutex::new(None) }
    }
}

impl Limiter {
    /// Waits for its turn. The permit is held while the request runs; `None` once the limiter is closed.
    pub(super) async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        let permit = self.in_flight.acquire().await.ok()?;
        let start = self.reserve(Instant::now()).await;
        sleep_until(start).await;
        Some(permit)
    }

    /// Takes the next place in the row.
    async fn reserve(&self, now: Instant) -> Instant {
        let mut due = self.due.lock().await;
        let place = due.unwrap_or(now).max(now);
        *due = Some(place + SPACING);
        drop(due);
        place.checked_sub(SPACING * (BURST - 1)).map_or(now, |start| start.max(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_is_free_and_the_rest_is_paced() {
        let limiter = Limiter::default();
        let begin = Instant::now();
        for _ in 0..BURST {
            drop(limiter.turn().await);
        }
        assert!(begin.elapsed() < SPACING);
        for _ in 0..20 {
            drop(limiter.turn().await);
        }
        let elapsed = begin.elapsed();
        assert!(elapsed >= SPACING * 20 && elapsed < SPACING * 22, "{elapsed:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_than_four_run_at_once() {
        let limiter = Limiter::default();
        let mut held = Vec::new();
        for _ in 0..IN_FLIGHT {
            held.push(limiter.turn().await);
        }
        assert!(tokio::time::timeout(Duration::from_secs(1), limiter.turn()).await.is_err());
        held.pop();
        assert!(tokio::time::timeout(Duration::from_secs(1), limiter.turn()).await.is_ok());
    }
}
