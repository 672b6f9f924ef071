//! What the machine can do, to hold the figures of the server against.

use crate::Plan;
use crate::events::Stories;
use crate::figures::Figures;
use crate::install;
use crate::load::{self, Until, us_since};
use crate::process::{self, Fail, Running};
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// fdatasync, and a web server that does nothing.
pub(crate) async fn measure(
    plan: &Plan,
    folder: &Path,
    stories: &Stories,
    figures: &mut Figures,
) -> Result<(), Fail> {
    figures.note("fdatasync", disk(folder, Duration::from_millis(plan.span_ms))?);
    let server = bare(folder).await?;
    let crowd = stories.crowd(100, process::now_s());
    let bodies = crowd.iter().map(|event| load::request("POST", "/", &[], &event.body)).collect();
    let requests = Arc::new(bodies);
    let span = Until::Repeated(Duration::from_millis(plan.span_ms));
    for connections in [64, 16] {
        let sent = load::send(server.1, &requests, connections, span).await?;
        figures.note(&format!("bare_{connections}"), sent.rate());
        figures.note(&format!("bare_{connections}_p50"), sent.percentile(500));
        figures.note(&format!("bare_{connections}_p99"), sent.percentile(990));
    }
    Ok(())
}

/// Appends of 4 KiB, each made durable before the next, a second.
fn disk(folder: &Path, span: Duration) -> Result<i64, Fail> {
    let path = folder.join("disk");
    let mut file = File::create(&path)?;
    let block = [0x5a_u8; 4_096];
    let (began, mut count) = (Instant::now(), 0);
    while began.elapsed() < span {
        file.write_all(&block)?;
        file.sync_data()?;
        count += 1;
    }
    let rate = load::rate(count, us_since(began));
    std::fs::remove_file(path)?;
    Ok(rate)
}

/// This program again, as a process that only answers.
pub(crate) async fn bare(folder: &Path) -> Result<(Running, std::net::SocketAddr), Fail> {
    let port = process::free_port()?;
    let mut command = process::command(&std::env::current_exe()?, folder);
    command.arg("bare").env("BENCH_PORT", port.to_string());
    let mut server = Running::start(command, folder.join("bare.log"))?;
    let address = install::ready(&mut server, port, "/").await?;
    Ok((server, address))
}

/// An axum server that reads the body and answers `ok`.
pub(crate) async fn serve_bare() -> Result<(), Fail> {
    let port: u16 = std::env::var("BENCH_PORT")?.parse()?;
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    let listener = axum::serve::ListenerExt::tap_io(listener, |stream: &mut tokio::net::TcpStream| {
        if let Err(error) = stream.set_nodelay(true) {
            eprintln!("TCP_NODELAY: {error}");
        }
    });
    let read = |body: axum::body::Bytes| async move {
        std::hint::black_box(body.len());
        "ok"
    };
    let router = axum::Router::new().route("/", axum::routing::post(read).get(|| async { "ok" }));
    let away = || async {
        let location = [(axum::http::header::LOCATION, "https://shop.example/?aff=ada")];
        (axum::http::StatusCode::FOUND, location)
    };
    let router = router.route("/r/{slug}", axum::routing::get(away));
    Ok(axum::serve(listener, router).await?)
}
