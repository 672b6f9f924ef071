//! Pages are served for the public URL's host alone.
//!
//! A request for another host gets 421 and a page that names both: cookies belong to one host, and a foreign name that
//! points here (DNS rebinding) must not be able to read a page. Health, webhook, API, script and short links lie outside
//! of this guard: they carry no session, and Stripe, visitors and programs may know this server by other names. A request
//! that names no host at all, as no browser sends it, passes.

use super::theme;
use crate::App;
use crate::admin::error::ErrorPage;
use crate::ui::frame::Head;
use crate::ui::page::page;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use url::{Host, Url};

/// Answers requests for other hosts itself. The browser files are served for every host, so that the page has its looks.
pub async fn guard(State(app): State<App>, request: Request, next: Next) -> Response {
    let public = &app.settings.public_url;
    let asked = request.uri().authority().map(|authority| authority.as_str().to_owned()).or_else(|| {
        request.headers().get(header::HOST).map(|host| String::from_utf8_lossy(host.as_bytes()).into_owned())
    });
    let exempt = request.uri().path().starts_with("/assets/");
    match asked {
        Some(asked) if !exempt && !fits(&asked, public) => {
            let safe = *request.method() == Method::GET;
            let path = request.uri().path_and_query().filter(|_| safe).map_or("/", |path| path.as_str());
            let head = Head {
                title: "Another address".to_owned(),
                theme: theme::of(request.headers()),
                here: "/".to_owned(),
            };
            page(StatusCode::MISDIRECTED_REQUEST, &explain(&asked, path, public, head))
        }
        _ => next.run(request).await,
    }
}

/// Is it the public URL's host? Ports are not compared: proxies and tunnels change them, and cookies do not know them.
fn fits(asked: &str, public: &Url) -> bool {
    let plain = |host: &str| host.trim_end_matches('.').to_ascii_lowercase();
    host_of(asked).is_some_and(|host| Some(plain(&host)) == public.host_str().map(plain))
}

/// The host of `name:port`, `[v6]:port`.
fn host_of(authority: &str) -> Option<String> {
    let bare = authority.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte));
    let url = Url::parse(&format!("http://{authority}/")).ok().filter(|_| bare)?;
    url.host_str().map(str::to_owned)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

fn explain(asked: &str, path: &str, public: &Url, head: Head) -> ErrorPage {
    let base = public.as_str().trim_end_matches('/');
    let shown: String = asked.chars().filter(|letter| !letter.is_control()).take(120).collect();
    let alias =
        is_loopback(public) && Url::parse(&format!("http://{asked}/")).is_ok_and(|url| is_loopback(&url));
    let text = if alias {
        format!(
            "You came by {shown}, and this server knows itself as {base}. Both are this machine, but a browser keeps \
             cookies for each name apart. Go on at {base}, or set TRIBUTARY_PUBLIC_URL to the name that you use and \
             start the server again."
        )
    } else {
        format!(
            "You came by {shown}, and this server knows itself as {base}. If {shown} is the right address, set \
             TRIBUTARY_PUBLIC_URL to it, such as https://{shown}, and start the server again. If a proxy stands before \
             the server, let it pass the Host header on unchanged."
        )
    };
    ErrorPage {
        head,
        code: "421 Misdirected Request".to_owned(),
        title: "This server has another address",
        text,
        actions: vec![("Go to the right address", format!("{base}{path}"))],
        reference: String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_public_host_fits_whatever_the_port() {
        let public: Url = "https://Partners.acme.test".parse().unwrap();
        for good in
            ["partners.acme.test", "PARTNERS.ACME.TEST:443", "partners.acme.test.", "partners.acme.test:8787"]
        {
            assert!(fits(good, &public), "{good}");
        }
        for bad in [
            "",
            "acme.test",
            "partners.acme.test.evil.test",
            "evil.test",
            "127.0.0.1",
            "a@partners.acme.test",
            "x/partners.acme.test",
        ] {
            assert!(!fits(bad, &public), "{bad}");
        }
        assert!(fits("[::1]:8787", &"http://[::1]:8787".parse().unwrap()));
        assert!(!fits("localhost:8787", &"http://127.0.0.1:8787".parse().unwrap()));
    }

    #[test]
    fn both_addresses_are_named_with_what_to_do() {
        let public: Url = "http://127.0.0.1:8787".parse().unwrap();
        let page = explain("localhost:8787", "/p/A/events?x=1", &public, Head::default());
        assert!(page.text.contains("localhost:8787") && page.text.contains("http://127.0.0.1:8787"));
        assert_eq!(page.actions[0].1, "http://127.0.0.1:8787/p/A/events?x=1");
        let page = explain("evil.test", "/", &public, Head::default());
        assert!(page.text.contains("evil.test") && page.text.contains("TRIBUTARY_PUBLIC_URL"));
    }
}
