//! All routes in one place, and serving them.

use crate::pipeline::worker;
use crate::stripe::receive;
use crate::{App, admin, api, track};
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{Notify, Semaphore};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::{RequestBodyTimeoutLayer, TimeoutLayer};
use tributary_store::{P, StoreError, Tx, Unit};

/// Connections at once; one more waits to be accepted.
const CONNECTIONS: usize = 4_096;
/// A client has so long to send its headers.
const HEADER_TIME: Duration = Duration::from_secs(10);
/// A body may stand still so long.
const BODY_IDLE: Duration = Duration::from_secs(15);
/// A whole request may take so long.
const REQUEST_TIME: Duration = Duration::from_secs(60);
/// Header bytes of one request.
const HEADER_MAX: usize = 32 * 1024;
/// After the signal to stop, requests and workers have so long.
const DRAIN: Duration = Duration::from_secs(10);

/// All routes.
pub fn router(app: App) -> Router {
    let webhook = Router::new().route("/v1/integrations/stripe/{program}/webhook", post(receive::receive));
    let health = Router::new().route("/healthz", get(healthz)).route("/readyz", get(readyz));
    let pages = admin::routes(&app);
    Router::new()
        .merge(webhook)
        .merge(health)
        .merge(api::router())
        .merge(track::routes(&app))
        .merge(pages)
        .with_state(app)
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, REQUEST_TIME))
        .layer(RequestBodyTimeoutLayer::new(BODY_IDLE))
        .layer(CatchPanicLayer::new())
}

/// The process lives.
async fn healthz() -> &'static str {
    "ok"
}

/// The server can serve: the database answers and its schema is the one that this binary knows.
async fn readyz(State(app): State<App>) -> Response {
    let ready = async {
        app.db.check_schema().await?;
        app.db.read(Ping).await
    };
    match ready.await {
        Ok(()) => "ready".into_response(),
        Err(error) => {
            tracing::warn!(%error, "not ready");
            let words = "not ready: the database cannot be used right now";
            (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "5")], words).into_response()
        }
    }
}

struct Ping;
impl Unit for Ping {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        tx.opt("SELECT 1 FROM workspace WHERE workspace_id = $1", &[P::T("")]).await.map(drop)
    }
}

/// Serves requests and works the pipeline until `shutdown`, then drains.
///
/// # Errors
/// Only if the listener itself fails.
pub async fn serve(
    app: App,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), std::io::Error> {
    let stop = Arc::new(Notify::new());
    let stopped = Arc::clone(&stop);
    let pipeline = tokio::spawn(worker::run(app.clone(), async move { stopped.notified().await }));
    // Before the first request, so that an outage later finds the links in memory.
    if let Err(error) = app.track.cache.refresh(&app).await {
        tracing::warn!(%error, "links could not be read yet");
    }
    let (tracked, untracked) = (app.clone(), Arc::clone(&stop));
    tokio::spawn(async move { track::run(&tracked, untracked.notified()).await });
    let graceful = hyper_util::server::graceful::GracefulShutdown::new();
    let routes = router(app.clone());
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let Ok(permit) = Arc::clone(&room).acquire_owned().await else { break };
        let (stream, peer) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                // Out of file handles, or a client that went away: never a reason to stop serving.
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
            () = &mut shutdown => break,
        };
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY could not be set");
        }
        let service = routes.clone().layer(axum::Extension(axum::extract::ConnectInfo(peer)));
        let mut builder = Builder::new(TokioExecutor::new());
        builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADER_TIME).max_buf_size(HEADER_MAX);
        builder.http2().timer(TokioTimer::new()).max_concurrent_streams(128).max_header_list_size(32 * 1024);
        let connection = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
        let connection = graceful.watch(connection.into_owned());
        tokio::spawn(async move {
            let _permit = permit;
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended early");
            }
        });
    }
    // Requests and workers end side by side, so that both together keep to the ten seconds.
    stop.notify_waiters();
    stop.notify_one();
    let ended = tokio::time::timeout(DRAIN, async { tokio::join!(graceful.shutdown(), pipeline) }).await;
    if ended.is_err() {
        tracing::warn!("some requests or workers did not end within 10 s; what was answered is kept");
    }
    app.track.drain(Duration::from_secs(2)).await;
    app.db.close().await;
    Ok(())
}
