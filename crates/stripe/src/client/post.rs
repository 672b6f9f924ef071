//! One message to an address that the operator chose, by the same TLS and without redirects or proxy.

use super::config::{self, Config};
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use std::time::Duration;

/// Posts a JSON text and gives the status of the answer, whose body is not read.
///
/// # Errors
/// A sentence, without the address: it may hold a token.
pub async fn post_json(url: &url::Url, body: String, deadline: Duration) -> Result<u16, String> {
    let http = config::http_client(&Config::new(url.as_str())).map_err(|error| error.to_string())?;
    let mut request = reqwest::Request::new(reqwest::Method::POST, url.clone());
    request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    *request.body_mut() = Some(body.into());
    match tokio::time::timeout(deadline, http.execute(request)).await {
        Err(_) => Err("no answer in time".to_owned()),
        Ok(Err(error)) => Err(super::reply::words(&error)),
        Ok(Ok(response)) => Ok(response.status().as_u16()),
    }
}
