//! At most 20 requests a second and 4 at a time for one connection: a fifth of what Stripe allows in live mode.
//! Requests that somebody waits for go first: work beside them has three of the four places, and takes no turn while
//! one of them waits for its own.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::{Mutex, Notify, Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep_until};

/// Requests in flight at most.
pub(super) const IN_FLIGHT: usize = 4;
/// The pace: one request each 50 ms …
const SPACING: Duration = Duration::from_millis(50);
/// … of which this many may come at once after a pause.
const BURST: u32 = 10;

/// Who waits for a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lane {
    /// Somebody does: a page, a command, a sale that lacks one answer.
    #[default]
    Waited,
    /// Nobody does: import, backfill, reconciliation.
    Beside,
}

/// A place among the requests in flight, held while one runs.
pub(super) struct Turn<'l> {
    _place: SemaphorePermit<'l>,
    _beside: Option<SemaphorePermit<'l>>,
}

/// A connection's limits.
pub(super) struct Limiter {
    in_flight: Semaphore,
    /// Places that work beside may take.
    beside: Semaphore,
    /// Requests that are waited for and have no turn yet.
    waiting: AtomicUsize,
    /// Told when there are none any more.
    calm: Notify,
    /// When the request after the last one would be due at the steady pace.
    due: Mutex<Option<Instant>>,
}

impl Default for Limiter {
    fn default() -> Self {
        Self {
            in_flight: Semaphore::new(IN_FLIGHT),
            beside: Semaphore::new(IN_FLIGHT - 1),
            waiting: AtomicUsize::new(0),
            calm: Notify::new(),
            due: Mutex::new(None),
        }
    }
}

impl Limiter {
    /// Waits for its turn. It is held while the request runs; `None` once the limiter is closed.
    pub(super) async fn turn(&self, lane: Lane) -> Option<Turn<'_>> {
        let (beside, waited) = match lane {
            Lane::Waited => (None, Some(Waited::new(self))),
            Lane::Beside => (Some(self.beside.acquire().await.ok()?), None),
        };
        if lane == Lane::Beside {
            self.calm().await;
        }
        let place = self.in_flight.acquire().await.ok()?;
        let start = self.reserve(Instant::now()).await;
        drop(waited);
        sleep_until(start).await;
        Some(Turn { _place: place, _beside: beside })
    }

    /// Waits until no request that is waited for is without its turn.
    async fn calm(&self) {
        loop {
            let told = self.calm.notified();
            if self.waiting.load(Ordering::Acquire) == 0 {
                return;
            }
            told.await;
        }
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

/// A request that is waited for and has no turn yet; given up with its future.
struct Waited<'l>(&'l Limiter);

impl<'l> Waited<'l> {
    fn new(limiter: &'l Limiter) -> Self {
        limiter.waiting.fetch_add(1, Ordering::AcqRel);
        Self(limiter)
    }
}

impl Drop for Waited<'_> {
    fn drop(&mut self) {
        if self.0.waiting.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.calm.notify_waiters();
        }
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
            drop(limiter.turn(Lane::Waited).await);
        }
        assert!(begin.elapsed() < SPACING);
        for _ in 0..20 {
            drop(limiter.turn(Lane::Waited).await);
        }
        let elapsed = begin.elapsed();
        assert!(elapsed >= SPACING * 20 && elapsed < SPACING * 22, "{elapsed:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_than_four_run_at_once() {
        let limiter = Limiter::default();
        let mut held = Vec::new();
        for _ in 0..IN_FLIGHT {
            held.push(limiter.turn(Lane::Waited).await);
        }
        assert!(tokio::time::timeout(Duration::from_secs(1), limiter.turn(Lane::Waited)).await.is_err());
        held.pop();
        assert!(tokio::time::timeout(Duration::from_secs(1), limiter.turn(Lane::Waited)).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn work_beside_leaves_a_place_free_and_lets_others_go_first() {
        let limiter = Limiter::default();
        let mut held = Vec::new();
        for _ in 0..IN_FLIGHT - 1 {
            held.push(limiter.turn(Lane::Beside).await);
        }
        let second = Duration::from_secs(1);
        assert!(
            tokio::time::timeout(second, limiter.turn(Lane::Beside)).await.is_err(),
            "three are all it has"
        );
        let waited = tokio::time::timeout(second, limiter.turn(Lane::Waited)).await.expect("a place is free");
        // All four are taken. Of the three that come now, those that are waited for go first, also the last one.
        let order = std::sync::Mutex::new(Vec::new());
        let take = |lane| {
            let (limiter, order) = (&limiter, &order);
            async move {
                let turn = limiter.turn(lane).await;
                order.lock().expect("unpoisoned").push(lane);
                drop(turn);
            }
        };
        held.pop();
        let blocker = limiter.in_flight.acquire().await;
        let release = async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            drop(blocker);
        };
        tokio::join!(take(Lane::Waited), take(Lane::Beside), take(Lane::Waited), release);
        drop((waited, held));
        assert_eq!(order.into_inner().expect("unpoisoned"), [Lane::Waited, Lane::Waited, Lane::Beside]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_is_given_up_holds_nobody_back() {
        let limiter = Limiter::default();
        let mut held = Vec::new();
        for _ in 0..IN_FLIGHT {
            held.push(limiter.turn(Lane::Waited).await);
        }
        let brief = Duration::from_millis(5);
        assert!(tokio::time::timeout(brief, limiter.turn(Lane::Waited)).await.is_err());
        held.clear();
        assert!(tokio::time::timeout(Duration::from_secs(2), limiter.turn(Lane::Beside)).await.is_ok());
    }
}
