//! The public tracking surface: the script for merchants' sites, visits, sign-ups by browser, and short links.
//!
//! Everything here answers from memory where it can, so that links redirect and the script is served while the
//! database is away. Nothing here sets a cookie, and no address is kept.

pub mod bots;
pub mod cache;
pub mod hosts;
pub mod limits;
pub mod queue;
pub mod recent;
pub mod redirect;
pub mod script;
pub mod signup;
pub mod visit;
pub mod visitor;
pub mod wire;

#[cfg(test)]
mod tests;

use crate::App;
use crate::jobs::{payloads, visits};
use axum::http::HeaderName;
use axum::routing::{get, post};
use axum::{Router, middleware};
use std::future::Future;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// What the tracking surface holds in memory.
#[derive(Debug, Default)]
pub struct Track {
    /// Programs and links.
    pub cache: Arc<cache::Cache>,
    /// Arrivals on their way into the database.
    pub queue: queue::Queue,
    /// How often one network may be counted.
    pub limits: limits::Limits,
    /// Visits whose ids were given out before their commit.
    pub recent: recent::Recent,
    /// Sign-ups on their way into the database.
    pub signups: signup::Signups,
    address_header: OnceLock<HeaderName>,
}

impl Track {
    /// The installation stands behind a proxy that names the visitor's address in this header, as the last one in it.
    /// Set once, before the server serves.
    pub fn trust(&self, header: HeaderName) {
        if self.address_header.set(header).is_err() {
            tracing::debug!("the header of the visitor's address was set before");
        }
    }

    /// Starts what writes. Called for every router; only the first call does anything.
    fn start(&self, app: &App) {
        let (db, clock, wake) = (app.db.clone(), Arc::clone(&app.clock), Arc::clone(&app.wake));
        self.signups.start(&db, &wake);
        self.queue.start(queue::Writer { db, clock, wake });
    }

    /// Waits until what was taken is written, for a while.
    pub async fn drain(&self, limit: Duration) {
        let both = async { tokio::join!(self.queue.flush(), self.signups.flush()) };
        if tokio::time::timeout(limit, both).await.is_err() {
            tracing::warn!("some visits or sign-ups were not written before the end");
        }
    }
}

/// Keeps the memory of programs and links current, and makes room for visits and raw payloads, until `stop`.
pub async fn run(app: &App, stop: impl Future<Output = ()> + Send) {
    tokio::select! {
        () = cache::keep(app) => {}
        () = visits::run(app) => {}
        () = payloads::run(app) => {}
        () = stop => {}
    }
}

/// The routes under `/t` and `/r`.
pub fn routes(app: &App) -> Router<App> {
    app.track.start(app);
    Router::new()
        .route("/t/{program}/visit", post(visit::post).options(wire::preflight))
        .route("/t/{program}/signup", post(signup::post).options(wire::preflight))
        .route("/t/{program}", get(script::get))
        .layer(middleware::map_response(wire::open))
        .route("/r/{first}", get(redirect::by_slug))
        .route("/r/{first}/{key}", get(redirect::by_key))
}
