//! `GET /t/{program_public_id}.js`: the tracking script with the program's settings in it.

use super::cache::Program;
use super::visitor::page;
use super::wire::text;
use crate::App;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};
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
    let script = render(&app.settings.public_url, &program);
    // Weak: it is the same script in every encoding.
    let tag = format!("W/\"{}\"", hex::encode(&Sha256::digest(script.as_bytes())[..12]));
    let known = text(&headers, header::IF_NONE_MATCH);
    if known.split(',').any(|one| one.trim().trim_start_matches("W/") == tag.trim_start_matches("W/")) {
        return answer(StatusCode::NOT_MODIFIED, String::new(), Some(&tag));
    }
    answer(StatusCode::OK, script, Some(&tag))
}

fn answer(status: StatusCode, body: String, tag: Option<&str>) -> Response {
    let mut response = (status, body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/javascript; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    if let Some(tag) = tag.and_then(|tag| HeaderValue::from_str(tag).ok()) {
        headers.insert(header::ETAG, tag);
    }
    response
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
