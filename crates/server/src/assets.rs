//! The browser files that `bin/web` built, embedded and served for ever under their hashed names.

use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Router, routing::get};

/// One embedded file in up to three encodings.
struct Asset {
    name: &'static str,
    hashed: &'static str,
    path: &'static str,
    plain: &'static [u8],
    gzip: Option<&'static [u8]>,
    brotli: Option<&'static [u8]>,
}

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// Where a file is served, by the name it has in the sources: `styles.css` → `/assets/styles.{hash}.css`.
/// Empty for a name that was not built, which a test excludes for every name in the templates.
#[must_use]
pub fn url(name: &str) -> &'static str {
    ASSETS.iter().find(|asset| asset.name == name).map_or("", |asset| asset.path)
}

/// Serves `/assets/{hashed name}`.
pub fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route("/assets/{name}", get(serve))
}

async fn serve(Path(name): Path<String>, headers: HeaderMap) -> Response {
    let Some(asset) = ASSETS.iter().find(|asset| asset.hashed == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let accepted = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or("");
    let (body, encoding) = match (asset.brotli, asset.gzip) {
        (Some(body), _) if accepts(accepted, "br") => (body, Some("br")),
        (_, Some(body)) if accepts(accepted, "gzip") => (body, Some("gzip")),
        _ => (asset.plain, None),
    };
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type(asset.hashed)));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if let Some(encoding) = encoding {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    response
}

/// Does the list of `Accept-Encoding` name the coding without refusing it by `q=0`?
pub(crate) fn accepts(list: &str, coding: &str) -> bool {
    list.split(',').any(|part| {
        let mut pieces = part.split(';').map(str::trim);
        pieces.next() == Some(coding) && !pieces.any(|piece| matches!(piece, "q=0" | "q=0.0" | "q=0.00"))
    })
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("woff2") => "font/woff2",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn fetch(name: &str, encoding: &str) -> Response {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_ENCODING, encoding.parse().unwrap());
        serve(Path(name.to_owned()), headers).await
    }

    #[tokio::test]
    async fn files_are_immutable_typed_and_compressed_as_asked() {
        let name = url("styles.css").strip_prefix("/assets/").unwrap();
        for (asked, given) in [("br, gzip", Some("br")), ("gzip", Some("gzip")), ("br;q=0", None), ("", None)]
        {
            let got = fetch(name, asked).await;
            assert_eq!(got.status(), StatusCode::OK);
            assert_eq!(got.headers()[header::CONTENT_TYPE], "text/css; charset=utf-8");
            assert!(got.headers()[header::CACHE_CONTROL].to_str().unwrap().contains("immutable"));
            assert_eq!(got.headers().get(header::CONTENT_ENCODING).map(|v| v.to_str().unwrap()), given);
        }
        assert_eq!(fetch("styles.css", "").await.status(), StatusCode::NOT_FOUND);
    }

    /// A misspelt name or icon in a template would show as a hole in the page.
    #[test]
    fn every_file_and_icon_named_by_a_template_exists() {
        let sprite = ASSETS.iter().find(|asset| asset.name == "icons.svg").unwrap();
        let sprite = std::str::from_utf8(sprite.plain).unwrap();
        let mut folders = vec![std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/templates"))];
        let mut seen = 0;
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let text = std::fs::read_to_string(&path).unwrap();
                for part in text.split("asset(\"").skip(1) {
                    let name = part.split('"').next().unwrap();
                    assert_ne!(url(name), "", "{name} in {}", path.display());
                    seen += 1;
                }
                for part in text.split("icon(\"").skip(1) {
                    let name = part.split('"').next().unwrap();
                    assert!(sprite.contains(&format!("id=\"{name}\"")), "icon {name} in {}", path.display());
                    seen += 1;
                }
            }
        }
        assert!(seen > 20);
    }
}
