//! A small Stripe: an account, and nothing else. The setup asks it, and so would a look-up.

use crate::process::Fail;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use serde_json::json;

/// The account that the bench connects.
pub(crate) const ACCOUNT: &str = "acct_bench";

/// Starts it on a free port; answers its address. It ends with this process.
pub(crate) async fn start() -> Result<String, Fail> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let base = format!("http://{}", listener.local_addr()?);
    let router = axum::Router::new().fallback(answer);
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            eprintln!("bench: the Stripe double ended: {error}");
        }
    });
    Ok(base)
}

async fn answer(uri: Uri) -> Response {
    let path = uri.path();
    match path {
        "/v1/account" => axum::Json(json!({
            "id": ACCOUNT, "object": "account", "country": "DE", "default_currency": "usd",
            "settings": { "dashboard": { "display_name": "Bench" } },
        }))
        .into_response(),
        "/v1/balance" => {
            axum::Json(json!({ "object": "balance", "livemode": false, "available": [] })).into_response()
        }
        _ if path.matches('/').count() > 2 && !path.starts_with("/v1/checkout/sessions") => {
            let error = json!({ "error": { "type": "invalid_request_error", "code": "resource_missing",
                "message": format!("No such object: {path}") } });
            (StatusCode::NOT_FOUND, axum::Json(error)).into_response()
        }
        _ => axum::Json(json!({ "object": "list", "url": path, "has_more": false, "data": [] }))
            .into_response(),
    }
}
