//! Short links: a redirect whose visit is committed first, and one whose visit is queued, beside a bare redirect.

use crate::Plan;
use crate::events::PARTNER;
use crate::figures::Figures;
use crate::install::{Ground, Served};
use crate::load::{self, Until};
use crate::machine;
use crate::process::Fail;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// Open connections.
const CONNECTIONS: usize = 64;
/// More visitors than a measurement takes.
const VISITORS: usize = 60_000;
const BROWSER: &str =
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";

/// As a browser asks, each time another visitor.
fn requests(round: usize) -> Arc<Vec<Vec<u8>>> {
    let path = format!("/r/{PARTNER}");
    let all = (0..VISITORS).map(|n| {
        let address = format!("10.{}.{}.{}", n / 62_500 + 2 * round, n / 250 % 250, n % 250);
        let headers = [
            ("user-agent", BROWSER),
            ("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
            ("accept-language", "en-GB,en;q=0.8"),
            ("referer", "https://blog.example/best-shops"),
            ("sec-fetch-dest", "document"),
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-site", "cross-site"),
            ("x-forwarded-for", address.as_str()),
        ];
        load::request("GET", &path, &headers, b"")
    });
    Arc::new(all.collect())
}

/// One round on one database; every redirect must have been counted.
pub(crate) async fn measure(
    plan: &Plan,
    ground: &Ground,
    folder: &Path,
    figures: &mut Figures,
) -> Result<(), Fail> {
    let span = Until::Time(Duration::from_millis(plan.span_ms));
    let bare = machine::bare(folder).await?;
    let sent = load::send(bare.1, &requests(0), CONNECTIONS, span).await?;
    figures.note(&format!("{}_redirect_bare", ground.engine.name()), sent.rate());
    drop(bare);
    let served = ground.copy().await?;
    let (mut seen, mut dropped) = (0, 0);
    for (round, way) in ["committed", "queued"].into_iter().enumerate() {
        if way == "queued" {
            served.books.run("UPDATE program SET visits_queued = TRUE").await?;
            // The server looks for changes every two seconds.
            tokio::time::sleep(Duration::from_secs(5)).await;
        }
        let sent = load::send(served.address, &requests(round + 1), CONNECTIONS, span).await?;
        let name = format!("{}_redirect_{way}", ground.engine.name());
        figures.note(&name, sent.rate());
        figures.note(&format!("{name}_p50"), sent.percentile(500));
        figures.note(&format!("{name}_p99"), sent.percentile(990));
        seen += i64::try_from(sent.count)?;
        let lost = seen - counted(&served, seen).await?;
        figures.note(&format!("{name}_dropped"), lost - dropped);
        dropped = lost;
    }
    let size = script(served.address, served.program()).await?;
    figures.note("script", i64::try_from(size)?);
    served.end().await
}

/// Waits until every redirect is counted, as a visit or as turned away; answers how many are visits.
async fn counted(served: &Served<'_>, wanted: i64) -> Result<i64, Fail> {
    let began = Instant::now();
    loop {
        let rejected =
            served.books.number("SELECT CAST(COALESCE(SUM(rejected), 0) AS BIGINT) FROM program_day").await?;
        let visits = served.books.number("SELECT COUNT(*) FROM visit").await?;
        if visits + rejected == wanted {
            return Ok(visits);
        }
        if began.elapsed() > Duration::from_secs(60) {
            return Err(format!("{wanted} redirects, but {visits} visits and {rejected} turned away").into());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The script's size on the wire, bytes. By HTTP/1.0, whose answer comes in one piece.
async fn script(address: SocketAddr, program: &str) -> Result<usize, Fail> {
    let mut stream = tokio::net::TcpStream::connect(address).await?;
    let request = format!("GET /t/{program}.js HTTP/1.0\r\nhost: 127.0.0.1\r\naccept-encoding: gzip\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    let head = answer.windows(4).position(|four| four == b"\r\n\r\n").ok_or("an answer without a body")?;
    let said = String::from_utf8_lossy(&answer[..head]).to_ascii_lowercase();
    if !said.contains(" 200 ") || !said.contains("content-encoding: gzip") {
        return Err(format!("the script was answered with {said}").into());
    }
    Ok(answer.len() - head - 4)
}
