//! Starting and stopping.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::any;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tower_http::catch_panic::CatchPanicLayer;

use crate::config::Config;
use crate::error::Error;
use crate::shared::{Shared, Violation};
use crate::{control, deliver, http, pages};

/// A sandbox that serves.
#[derive(Debug)]
pub struct Running {
    /// Where it listens.
    pub addr: SocketAddr,
    shared: Arc<Shared>,
    server: Option<JoinHandle<std::io::Result<()>>>,
    deliveries: Option<JoinHandle<()>>,
}

impl Running {
    /// Asks the sandbox to stop; [`Running::join`] waits until it has.
    pub fn shutdown(&self) {
        self.shared.stop();
    }

    /// Waits until the sandbox has stopped.
    ///
    /// # Errors
    /// [`Error::Serve`] or [`Error::Died`] if it stopped by itself.
    pub async fn join(&mut self) -> Result<(), Error> {
        if let Some(server) = self.server.take() {
            server.await.map_err(|e| Error::Died(e.to_string()))?.map_err(Error::Serve)?;
        }
        if let Some(deliveries) = self.deliveries.take() {
            deliveries.await.map_err(|e| Error::Died(e.to_string()))?;
        }
        Ok(())
    }

    /// What broke Stripe's document so far, at most [`crate::config::MAX_VIOLATIONS`].
    pub fn violations(&self) -> Vec<Violation> {
        self.shared.violations().0
    }

    /// `http://ADDR`
    pub fn base_url(&self) -> &str {
        &self.shared.base_url
    }
}

/// Starts a sandbox; it serves when this returns.
///
/// # Errors
/// [`Error::NotLoopback`], [`Error::Listen`] or [`Error::Client`].
pub async fn start(config: Config) -> Result<Running, Error> {
    if !config.listen.ip().is_loopback() {
        return Err(Error::NotLoopback(config.listen));
    }
    let failed = |source| Error::Listen { addr: config.listen, source };
    let listener = TcpListener::bind(config.listen).await.map_err(failed)?;
    let addr = listener.local_addr().map_err(failed)?;
    let shared = Arc::new(Shared::new(config, format!("http://{addr}"), client()?));
    let router = router(Arc::clone(&shared));
    let mut stop = shared.stopped();
    let server = tokio::spawn(async move {
        axum::serve(listener, router)
            .with_graceful_shutdown(async move {
                // An error means that the sandbox itself is gone, which is a reason to stop, too.
                let _gone = stop.wait_for(|stopped| *stopped).await;
            })
            .await
    });
    let deliveries = tokio::spawn(deliver::send::run(Arc::clone(&shared)));
    Ok(Running { addr, shared, server: Some(server), deliveries: Some(deliveries) })
}

/// Serves until Ctrl-C, and returns the violations: none means that all was well. `started` is called once it serves.
///
/// # Errors
/// As [`start`] and [`Running::join`].
pub async fn run(config: Config, started: impl FnOnce(&Running)) -> Result<Vec<Violation>, Error> {
    let mut running = start(config).await?;
    started(&running);
    tokio::signal::ctrl_c().await.map_err(Error::Serve)?;
    running.shutdown();
    running.join().await?;
    Ok(running.violations())
}

fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/v1/{*path}", any(http::stripe))
        .merge(pages::router())
        .merge(control::router())
        .layer(CatchPanicLayer::new())
        .with_state(shared)
}

/// No proxy, no redirects: deliveries and stories stay on this machine.
pub(crate) fn client() -> Result<reqwest::Client, Error> {
    // The process may have chosen a provider already; then that one serves as well.
    let _chosen = rustls::crypto::ring::default_provider().install_default();
    Ok(reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(Duration::from_secs(2))
        .timeout(Duration::from_secs(30))
        .build()?)
}
