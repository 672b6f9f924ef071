//! A plain index of what the sandbox can do. No script, no style.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::control::ROUTES;
use crate::shared::Shared;
use crate::stories::STORIES;

/// The pages.
pub fn router() -> Router<Arc<Shared>> {
    Router::new().route("/", get(index))
}

fn page(status: StatusCode, title: &str, body: &str) -> Response {
    let html = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{0}</title></head>\
         <body><main><h1>{0}</h1>\n{body}</main></body></html>\n",
        escape(title)
    );
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (status, headers, html).into_response()
}

fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

async fn index(State(shared): State<Arc<Shared>>) -> Response {
    let mut body =
        String::from("<p>A Stripe double for tests and demonstrations. No real money moves here.</p>");
    if let Some(shop) = &shared.shop {
        let url = escape(&shop.url);
        body.push_str(&format!("<p>The demo shop: <a href=\"{url}\">{url}</a></p>"));
    }
    body.push_str("<h2>Stories</h2><ul>");
    for story in STORIES {
        body.push_str(&format!(
            "<li><form method=\"post\" action=\"/_sandbox/stories/{0}\"><button>{0}</button> {1}</form></li>",
            story.name,
            escape(story.about)
        ));
    }
    body.push_str("</ul><h2>Control routes</h2><ul>");
    for (method, path, about) in ROUTES {
        let shown = if *method == "GET" {
            format!("<a href=\"{path}\">{path}</a>")
        } else {
            format!("<code>{}</code>", escape(path))
        };
        body.push_str(&format!("<li>{method} {shown} {}</li>", escape(about)));
    }
    body.push_str("</ul><p>Everything else lies under <code>/v1</code>, as with Stripe.</p>");
    page(StatusCode::OK, "Tributary sandbox", &body)
}
