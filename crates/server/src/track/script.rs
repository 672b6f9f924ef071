//! `GET /t/{program_public_id}.js`: the tracking script with the program's settings in it.

use super::cache::Program;
use super::visitor::page;
use super::wire::text;
use crate::App;
use crate::assets::accepts;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use brotli::enc::BrotliEncoderParams;
use brotli::enc::backward_references::BrotliEncoderMode;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};
use std::io::Write as _;
use tributary_store::track::visits::Sighting;
use url::Url;

/// As `bin/web` built it, with four names in the places of settings.
const SCRIPT: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../web/dist/tracker.js"));
/// What a page gets that names a program that is not there.
const NOTHING: &str =
    "// There is no program with this id: see the Integration page of your program for the right line.\n";

/// Serves the script.
pub async fn get(State(app): State<App>, Path(file): Path<String>, headers: HeaderMap) -> Response {
    let program = match file.strip_suffix(".js") {
        Some(public_id) => app.track.cache.program(&app, public_id).await,
        None => None,
    };
    let Some(program) = program else { return answer(StatusCode::NOT_FOUND, NOTHING.to_owned(), None) };
    see(&app, &program, &headers);
    let packed = program.script.get_or_init(|| Packed::of(&render(&app.settings.public_url, &program)));
    let known = text(&headers, header::IF_NONE_MATCH);
    if known.split(',').any(|one| one.trim().trim_start_matches("W/") == packed.tag.trim_start_matches("W/"))
    {
        return answer(StatusCode::NOT_MODIFIED, String::new(), Some(&packed.tag));
    }
    let accepted = text(&headers, header::ACCEPT_ENCODING);
    let (body, coding) = match packed.codings.iter().find(|(coding, _)| accepts(accepted, coding)) {
        Some((coding, bytes)) => (Body::from(bytes.clone()), Some(*coding)),
        None => (Body::from(render(&app.settings.public_url, &program)), None),
    };
    let mut response = answer(StatusCode::OK, body, Some(&packed.tag));
    if let Some(coding) = coding {
        response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
    }
    response
}

fn answer(status: StatusCode, body: impl Into<Body>, tag: Option<&str>) -> Response {
    let mut response = (status, body.into()).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/javascript; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if let Some(tag) = tag.and_then(|tag| HeaderValue::from_str(tag).ok()) {
        headers.insert(header::ETAG, tag);
    }
    response
}

/// A program's script, ready for the wire: at most 3 KB.
#[derive(Debug)]
pub struct Packed {
    /// Weak: it is the same script in every coding.
    tag: String,
    /// The codings that a browser may name, the smallest first.
    codings: Vec<(&'static str, Bytes)>,
}

impl Packed {
    fn of(script: &str) -> Self {
        let tag = format!("W/\"{}\"", hex::encode(&Sha256::digest(script.as_bytes())[..12]));
        let mut codings = Vec::new();
        for (coding, packed) in [("br", brotli(script)), ("gzip", gzip(script))] {
            match packed {
                Ok(bytes) => codings.push((coding, Bytes::from(bytes))),
                // It is served all the same, only larger.
                Err(error) => tracing::warn!(%error, coding, "the script could not be compressed"),
            }
        }
        Self { tag, codings }
    }
}

fn brotli(script: &str) -> std::io::Result<Vec<u8>> {
    // A window of 64 KB holds the whole script: a larger one would only cost memory.
    let params = BrotliEncoderParams {
        quality: 11,
        lgwin: 16,
        mode: BrotliEncoderMode::BROTLI_MODE_TEXT,
        size_hint: script.len(),
        ..BrotliEncoderParams::default()
    };
    let mut out = Vec::new();
    brotli::BrotliCompress(&mut script.as_bytes(), &mut out, &params)?;
    Ok(out)
}

fn gzip(script: &str) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(script.as_bytes())?;
    encoder.finish()
}

/// The script for one program.
pub(super) fn render(public_url: &Url, program: &Program) -> String {
    let row = &program.row;
    let endpoint = format!("{}/t/{}", public_url.as_str().trim_end_matches('/'), row.public_id);
    let payments = program.payments.as_deref().map_or("/(?!)/".to_owned(), |hosts| format!("/^{hosts}$/"));
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    SCRIPT
        .replace("TRIBUTARY_ENDPOINT", &quoted(&endpoint))
        .replace("TRIBUTARY_PARAMETER", &quoted(&row.parameter))
        .replace("TRIBUTARY_SECONDS", &row.window_days.saturating_mul(86_400).to_string())
        .replace("TRIBUTARY_PAYMENT_HOSTS", &payments)
}

/// A page of the merchant's asked for the script.
fn see(app: &App, program: &Program, headers: &HeaderMap) {
    let url = page(text(headers, header::REFERER));
    if url.is_empty() || !program.hosts.as_ref().is_some_and(|hosts| hosts.owns(&url)) {
        return;
    }
    let row = &program.row;
    app.track.queue.see(Sighting {
        workspace_id: row.workspace_id.clone(),
        program_id: row.program_id.clone(),
        kind: "script",
        url,
        at: app.now(),
    });
}
