//! Forms are accepted from our own pages only.

use crate::App;
use crate::admin::error::PageError;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::Response;

/// Refuses every request that could change something unless the browser says that one of our pages sent it.
pub async fn guard(State(app): State<App>, request: Request, next: Next) -> Response {
    if request.method().is_safe() || is_ours(request.method(), request.headers(), &app.settings.public_url) {
        return next.run(request).await;
    }
    PageError::FormRefused.answer(super::theme::of(request.headers()))
}

/// Did a page of this server send the form? What the browser says must fit, and it must say something.
fn is_ours(method: &Method, headers: &HeaderMap, public_url: &url::Url) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let form = text("content-type").is_some_and(|kind| {
        kind.split(';').next().unwrap_or("").trim().eq_ignore_ascii_case("application/x-www-form-urlencoded")
    });
    if method != Method::POST || !form {
        return false;
    }
    let site = text("sec-fetch-site");
    let origin = text(header::ORIGIN.as_str());
    let origin_fits = |origin: &str| {
        let Ok(origin) = url::Url::parse(origin) else { return false };
        let by_host =
            text(header::HOST.as_str()).is_some_and(|host| authority(&origin) == host.to_ascii_lowercase());
        origin.origin() == public_url.origin() || by_host
    };
    match (site, origin) {
        (None, None) => false,
        (site, origin) => site.is_none_or(|site| site == "same-origin") && origin.is_none_or(origin_fits),
    }
}

fn authority(url: &url::Url) -> String {
    let host = url.host_str().unwrap_or("").to_ascii_lowercase();
    url.port().map_or_else(|| host.clone(), |port| format!("{host}:{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ours(pairs: &[(&'static str, &str)]) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert("host", "pay.acme.test:8787".parse().unwrap());
        headers.insert("content-type", "application/x-www-form-urlencoded".parse().unwrap());
        for (name, value) in pairs {
            headers.insert(*name, value.parse().unwrap());
        }
        is_ours(&Method::POST, &headers, &"https://partners.acme.test".parse().unwrap())
    }

    #[test]
    fn our_own_pages_may_send_forms() {
        assert!(ours(&[("sec-fetch-site", "same-origin"), ("origin", "http://pay.acme.test:8787")]));
        assert!(ours(&[("sec-fetch-site", "same-origin")]));
        assert!(ours(&[("origin", "http://pay.acme.test:8787")]));
        assert!(ours(&[("origin", "https://partners.acme.test")]));
    }

    #[test]
    fn nobody_else_may() {
        for pairs in [
            vec![],
            vec![("origin", "null")],
            vec![("origin", "https://evil.test")],
            vec![("origin", "https://sub.partners.acme.test")],
            vec![("origin", "http://partners.acme.test")],
            vec![("origin", "http://pay.acme.test")],
            vec![("sec-fetch-site", "same-site"), ("origin", "https://partners.acme.test")],
            vec![("sec-fetch-site", "cross-site")],
            vec![("sec-fetch-site", "none")],
            vec![("sec-fetch-site", "same-origin"), ("origin", "https://evil.test")],
            vec![("sec-fetch-site", "same-origin"), ("content-type", "text/plain")],
            vec![("sec-fetch-site", "same-origin"), ("content-type", "multipart/form-data; boundary=x")],
        ] {
            assert!(!ours(&pairs), "{pairs:?}");
        }
    }

    #[test]
    fn only_posts_change_things() {
        let mut headers = HeaderMap::new();
        headers.insert("sec-fetch-site", "same-origin".parse().unwrap());
        headers.insert("content-type", "application/x-www-form-urlencoded".parse().unwrap());
        assert!(!is_ours(&Method::DELETE, &headers, &"https://a.test".parse().unwrap()));
    }
}
