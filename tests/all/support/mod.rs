//! What every test stands on: a server of its own, a database of its own, and ways to look at both.

pub mod books;
pub mod browser;
pub mod database;
pub mod fake_stripe;
pub mod postgres;
pub mod process;
pub mod rest;
pub mod sandbox;
pub mod story;
pub mod tools;
pub mod webhook;
pub mod world;

pub use database::Engine;
pub use fake_stripe::FakeStripe;
pub use rest::Answer;
pub use world::World;

use std::future::Future;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// No single test may take longer.
pub const LIMIT: Duration = Duration::from_secs(300);

/// Runs each named function, `async fn(Engine)`, as a test on SQLite and as one on PostgreSQL.
macro_rules! both_engines {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                $crate::support::within_limit(super::$name($crate::support::Engine::Sqlite)).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                $crate::support::within_limit(super::$name($crate::support::Engine::Postgres)).await;
            })+
        }
    };
}
pub(crate) use both_engines;

/// Ends a test that hangs.
pub async fn within_limit<T>(test: impl Future<Output = T>) -> T {
    tokio::time::timeout(LIMIT, test).await.expect("the test took too long")
}

/// The folder of the whole repository.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the repository").to_path_buf()
}

/// Now, Unix seconds.
#[expect(clippy::disallowed_methods, reason = "tests sign with the time of the machine, as Stripe does")]
pub fn now_s() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    i64::try_from(since.as_secs()).expect("in range")
}

/// Asks again and again until an answer comes; fails with `what` after `limit`.
pub async fn eventually<T, F>(what: &str, limit: Duration, mut ask: impl FnMut() -> F) -> T
where
    F: Future<Output = Option<T>>,
{
    let end = tokio::time::Instant::now() + limit;
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(tokio::time::Instant::now() < end, "waited {limit:?} in vain: {what}");
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
}

/// A small generator of repeatable numbers (xorshift), so that a failing run can be told by its seed.
#[derive(Debug, Clone)]
pub struct Numbers(u64);

impl Numbers {
    /// The numbers of a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// A number from 0 up to `below`, which is not reached.
    pub fn below(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(below).expect("fits")).expect("fits")
    }

    /// Puts a list into another order.
    pub fn shuffle<T>(&mut self, list: &mut [T]) {
        for at in (1..list.len()).rev() {
            list.swap(at, self.below(at + 1));
        }
    }
}

/// Events in order for the seed 0; for any other one all of them twice, shuffled by it.
pub fn mixed<T: Clone>(events: &[T], seed: u64) -> Vec<T> {
    if seed == 0 {
        return events.to_vec();
    }
    let mut mixed = [events, events].concat();
    Numbers::new(seed).shuffle(&mut mixed);
    mixed
}
