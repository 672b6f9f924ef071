//! A load generator that costs little itself: prepared bytes over connections that stay open.

use crate::process::Fail;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// No answer takes longer than this.
const LIMIT: Duration = Duration::from_secs(60);

/// One connection that stays open.
#[derive(Debug)]
pub(crate) struct Line {
    stream: TcpStream,
    got: Vec<u8>,
}

impl Line {
    /// Connects.
    pub(crate) async fn open(address: SocketAddr) -> std::io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, got: Vec::with_capacity(16 * 1024) })
    }

    /// Sends a prepared request and reads the answer: its status and its body.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> Result<(u16, &[u8]), Fail> {
        self.stream.write_all(request).await?;
        self.got.clear();
        let (mut head, mut length) = (0, 0);
        while head == 0 || self.got.len() < head + length {
            if self.stream.read_buf(&mut self.got).await? == 0 {
                return Err("the server closed the connection".into());
            }
            if head == 0
                && let Some(end) = self.got.windows(4).position(|four| four == b"\r\n\r\n")
            {
                head = end + 4;
                length = body_length(&self.got[..head])?;
            }
        }
        let status = self.got.get(9..12).and_then(|digits| std::str::from_utf8(digits).ok());
        let status = status.and_then(|digits| digits.parse().ok()).ok_or("an answer without a status")?;
        Ok((status, &self.got[head..head + length]))
    }
}

fn body_length(head: &[u8]) -> Result<usize, Fail> {
    let head = std::str::from_utf8(head)?;
    let line = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim())
    });
    Ok(line.ok_or_else(|| format!("an answer without a length: {head}"))?.parse()?)
}

/// A request with a body, as bytes.
pub(crate) fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut bytes =
        format!("{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in headers {
        bytes.push_str(&format!("{name}: {value}\r\n"));
    }
    bytes.push_str("\r\n");
    let mut bytes = bytes.into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// How a load went.
#[derive(Debug)]
pub(crate) struct Sent {
    /// Requests that were answered as they should be.
    pub(crate) count: usize,
    /// From the first request to the last answer, µs.
    pub(crate) took_us: u64,
    /// µs of each, sorted.
    latencies: Vec<u64>,
}

impl Sent {
    /// Requests a second.
    pub(crate) fn rate(&self) -> i64 {
        rate(self.count, self.took_us)
    }

    /// The latency that so many per mille of the requests did not exceed, µs.
    pub(crate) fn percentile(&self, per_mille: usize) -> i64 {
        let at = (self.latencies.len() * per_mille / 1_000).min(self.latencies.len().saturating_sub(1));
        self.latencies.get(at).map_or(0, |us| i64::try_from(*us).unwrap_or(i64::MAX))
    }
}

/// So many in so many µs, a second.
pub(crate) fn rate(count: usize, us: u64) -> i64 {
    let rate = u128::try_from(count).unwrap_or(0) * 1_000_000 / u128::from(us.max(1));
    i64::try_from(rate).unwrap_or(i64::MAX)
}

/// Microseconds since an instant.
pub(crate) fn us_since(began: Instant) -> u64 {
    u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX)
}

/// When a load ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Until {
    /// Each request was sent once.
    AllSent,
    /// The time is over, or each was sent once.
    Time(Duration),
    /// The time is over; requests are sent again and again.
    Repeated(Duration),
}

/// Sends requests over so many connections, each waiting for its answer before the next. Every answer must be 200, or 302 where a link was asked for.
pub(crate) async fn send(
    address: SocketAddr,
    requests: &Arc<Vec<Vec<u8>>>,
    connections: usize,
    until: Until,
) -> Result<Sent, Fail> {
    let mut lines = Vec::with_capacity(connections);
    for _ in 0..connections {
        lines.push(Line::open(address).await?);
    }
    let next = Arc::new(AtomicUsize::new(0));
    let began = Instant::now();
    let mut senders = tokio::task::JoinSet::new();
    for line in lines {
        senders.spawn(one(line, Arc::clone(requests), Arc::clone(&next), until, began));
    }
    let mut latencies = Vec::with_capacity(requests.len());
    while let Some(done) = senders.join_next().await {
        latencies.extend(done??);
    }
    let took_us = us_since(began);
    latencies.sort_unstable();
    Ok(Sent { count: latencies.len(), took_us, latencies })
}

async fn one(
    mut line: Line,
    requests: Arc<Vec<Vec<u8>>>,
    next: Arc<AtomicUsize>,
    until: Until,
    began: Instant,
) -> Result<Vec<u64>, Fail> {
    let mut latencies = Vec::new();
    loop {
        let at = next.fetch_add(1, Ordering::Relaxed);
        let (repeat, over) = match until {
            Until::AllSent => (false, false),
            Until::Time(time) => (false, began.elapsed() >= time),
            Until::Repeated(time) => (true, began.elapsed() >= time),
        };
        let at = if repeat { at % requests.len() } else { at };
        let Some(request) = requests.get(at).filter(|_| !over) else { return Ok(latencies) };
        let asked = Instant::now();
        let answer = tokio::time::timeout(LIMIT, line.ask(request)).await;
        let (status, body) = answer.map_err(|_| "no answer within 60 s")??;
        if !matches!(status, 200 | 302) {
            return Err(format!("answered {status}: {}", String::from_utf8_lossy(body)).into());
        }
        latencies.push(us_since(asked));
    }
}
