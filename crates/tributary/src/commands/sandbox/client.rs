//! Calls to a running sandbox's control routes.

use crate::failure::Failure;
use serde_json::Value;
use std::time::Duration;

fn http() -> Result<reqwest::Client, Failure> {
    // The process may have chosen a provider already; then that one serves as well.
    let _chosen = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_secs(120))
        .build()
        .map_err(|e| Failure::unavailable(format!("The HTTP client cannot be made: {e}.")))
}

fn address(sandbox: &str, path: &str) -> Result<reqwest::Url, Failure> {
    let url = format!("{}{path}", sandbox.trim_end_matches('/'));
    reqwest::Url::parse(&url).map_err(|_| Failure::usage(format!("--sandbox: {sandbox:?} is not a URL.")))
}

/// Reads from the sandbox.
pub(super) async fn get(sandbox: &str, path: &str) -> Result<Value, Failure> {
    answer(sandbox, http()?.get(address(sandbox, path)?)).await
}

/// Asks the sandbox to do something.
pub(super) async fn post(sandbox: &str, path: &str, body: &Value) -> Result<Value, Failure> {
    let request = http()?.post(address(sandbox, path)?);
    answer(sandbox, request.header("content-type", "application/json").body(body.to_string())).await
}

async fn answer(sandbox: &str, request: reqwest::RequestBuilder) -> Result<Value, Failure> {
    let lost =
        || Failure::unavailable(format!("No sandbox answers at {sandbox}. Start one: `tributary sandbox`."));
    let reply = request.send().await.map_err(|_| lost())?;
    let status = reply.status();
    let text = reply.text().await.map_err(|_| lost())?;
    let value: Value = serde_json::from_str(&text)
        .map_err(|_| Failure::problem(format!("The answer of {sandbox} is not a sandbox's ({status}).")))?;
    match value["error"]["message"].as_str() {
        Some(message) => Err(Failure::problem(format!("The sandbox refuses: {message}"))),
        None => Ok(value),
    }
}
