//! Starting and stopping.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::any;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tower_http::catch_panic::CatchPanicLayer;

use crate::config::{Config, ShopConfig};
use crate::error::Error;
use crate::shared::{Shared, Violation};
use crate::shop::{self, Front, Shop};
use crate::{control, deliver, http, pages, pay};

/// A sandbox that serves.
#[derive(Debug)]
pub struct Running {
    /// Where it listens.
    pub addr: SocketAddr,
    shared: Arc<Shared>,
    servers: Vec<JoinHandle<std::io::Result<()>>>,
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
        for server in self.servers.drain(..) {
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

    /// Where buyers find the hosted pay pages.
    pub fn pay_url(&self) -> &str {
        &self.shared.pay_url
    }

    /// Where the demo shop listens and where visitors find it, if there is one.
    pub fn shop(&self) -> Option<(SocketAddr, &str)> {
        self.shared.shop.as_ref().map(|shop| (shop.addr, shop.url.as_str()))
    }

    /// `http://ADDR`
    pub fn base_url(&self) -> &str {
        &self.shared.base_url
    }
}

/// Starts a sandbox; it serves when this returns.
///
/// # Errors
/// [`Error::NotLoopback`], [`Error::Address`], [`Error::Listen`], [`Error::Client`] or [`Error::Shop`].
pub async fn start(config: Config) -> Result<Running, Error> {
    check_names(&config)?;
    let (listener, addr) = listen(config.listen).await?;
    let counter = match &config.shop {
        Some(wanted) => Some(open_counter(wanted).await?),
        None => None,
    };
    let client = client(&config)?;
    let mut shared = Shared::new(config, format!("http://{addr}"), client);
    shared.shop = counter.as_ref().map(|(_, shop)| Arc::clone(shop));
    let shared = Arc::new(shared);
    shop::open(&shared).map_err(|e| Error::Shop(e.message))?;
    let server = tokio::spawn(serve(listener, router(Arc::clone(&shared)), shared.stopped()));
    let shop = counter.map(|(listener, shop)| {
        let pages = shop::router(Front { shared: Arc::clone(&shared), shop });
        tokio::spawn(serve(listener, pages, shared.stopped()))
    });
    let deliveries = tokio::spawn(deliver::send::run(Arc::clone(&shared)));
    let servers = [Some(server), shop].into_iter().flatten().collect();
    Ok(Running { addr, shared, servers, deliveries: Some(deliveries) })
}

/// Names may mean this machine only, and addresses of pages have to be whole.
fn check_names(config: &Config) -> Result<(), Error> {
    if let Some((_, far)) = config.resolve.iter().find(|(_, addr)| !addr.ip().is_loopback()) {
        return Err(Error::NotLoopback(*far));
    }
    let shop = config.shop.as_ref().and_then(|s| s.url.as_deref());
    for text in [shop, config.pay_url.as_deref()].into_iter().flatten() {
        let whole = url::Url::parse(text).is_ok_and(|u| {
            matches!(u.scheme(), "http" | "https") && u.origin().ascii_serialization() == text
        });
        if !whole {
            return Err(Error::Address(text.to_owned()));
        }
    }
    Ok(())
}

async fn listen(wanted: SocketAddr) -> Result<(TcpListener, SocketAddr), Error> {
    if !wanted.ip().is_loopback() {
        return Err(Error::NotLoopback(wanted));
    }
    let failed = |source| Error::Listen { addr: wanted, source };
    let listener = TcpListener::bind(wanted).await.map_err(failed)?;
    let addr = listener.local_addr().map_err(failed)?;
    Ok((listener, addr))
}

/// The shop's listener, and the shop that will stand behind it. `localhost` by default: a host of its own beside
/// 127.0.0.1, so that cookies of the shop and of others do not mix.
async fn open_counter(wanted: &ShopConfig) -> Result<(TcpListener, Arc<Shop>), Error> {
    let (listener, addr) = listen(wanted.listen).await?;
    let own =
        if addr.is_ipv4() { format!("http://localhost:{}", addr.port()) } else { format!("http://{addr}") };
    let url = wanted.url.clone().unwrap_or(own);
    Ok((listener, Arc::new(Shop::new(addr, &url))))
}

async fn serve(
    listener: TcpListener,
    router: Router,
    mut stop: watch::Receiver<bool>,
) -> std::io::Result<()> {
    axum::serve(listener, router)
        .with_graceful_shutdown(async move {
            // An error means that the sandbox itself is gone, which is a reason to stop, too.
            let _gone = stop.wait_for(|stopped| *stopped).await;
        })
        .await
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
        .merge(pay::router())
        .merge(oauth_router())
        .merge(control::router())
        .layer(CatchPanicLayer::new())
        .with_state(shared)
}

/// The controls among them are open to this machine's own pages only, like all others.
fn oauth_router() -> Router<Arc<Shared>> {
    crate::oauth::router().layer(axum::middleware::from_fn(control::same_site_controls))
}

/// No proxy, no redirects: deliveries and stories stay on this machine.
pub(crate) fn client(config: &Config) -> Result<reqwest::Client, Error> {
    // The process may have chosen a provider already; then that one serves as well.
    let _chosen = rustls::crypto::ring::default_provider().install_default();
    let mut builder = reqwest::Client::builder();
    for (name, addr) in &config.resolve {
        builder = builder.resolve(name, *addr);
    }
    Ok(builder
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(Duration::from_secs(2))
        .timeout(Duration::from_secs(30))
        .build()?)
}
