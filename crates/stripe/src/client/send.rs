//! Sending one call: waiting for a turn, repeating what may be repeated, reading the answer.

use super::error::of_refusal;
use super::reply::{self, BodyError, Reply};
use super::retry::{self, Attempt};
use super::{ApiError, STRIPE_VERSION, StripeClient};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde_json::value::RawValue;
use std::sync::atomic::Ordering;
use tokio::time::{Instant, sleep, timeout_at};
use url::Url;

/// Parameters in their order; nested ones with brackets in the name.
pub(crate) type Params = Vec<(String, String)>;

/// One call.
pub(super) struct Call<'c> {
    pub(super) method: Method,
    pub(super) path: &'c str,
    pub(super) params: Params,
    /// Sent with a writing call, the same at each repetition.
    pub(super) idempotency_key: Option<&'c str>,
    /// Is the key sent as a user's name, as OAuth's endpoints want it?
    pub(super) basic: bool,
}

/// How one attempt ended.
enum Ended {
    Done(Reply),
    Failed { error: ApiError, attempt: Attempt, sent: bool },
}

impl StripeClient {
    /// Reads: `GET path?params`.
    pub(super) async fn get(&self, path: &str, params: Params) -> Result<Reply, ApiError> {
        self.call(&Call { method: Method::GET, path, params, idempotency_key: None, basic: false }).await
    }

    /// Sends a call within the deadline.
    pub(super) async fn call(&self, call: &Call<'_>) -> Result<Reply, ApiError> {
        let end = Instant::now() + self.0.config.deadline;
        let writes = call.method != Method::GET;
        let mut maybe_sent = false;
        for tried in 1.. {
            let Ended::Failed { error, attempt, sent } = (match self.attempt(call, end).await {
                Ended::Done(reply) => return Ok(reply),
                failed => failed,
            }) else {
                break;
            };
            maybe_sent |= sent;
            let jitter = (self.0.config.jitter)();
            let pause = retry::pause(attempt, tried, self.0.config.retries, jitter);
            match pause.filter(|pause| Instant::now() + *pause < end) {
                Some(pause) => sleep(pause).await,
                None => return Err(final_error(error, writes && maybe_sent, attempt)),
            }
        }
        Err(ApiError::Unavailable { reason: "no attempt was made".to_owned() })
    }

    async fn attempt(&self, call: &Call<'_>, end: Instant) -> Ended {
        let Ok(Some(_turn)) = timeout_at(end, self.0.limiter.turn(self.1)).await else {
            return broken("too many calls are waiting".to_owned(), false);
        };
        let begun = Instant::now();
        let end = end.min(begun + self.0.config.attempt_timeout);
        let request = match self.request(call) {
            Ok(request) => request,
            Err(error) => {
                let attempt = Attempt::Status { status: 0, should_retry: Some(false), retry_after_s: None };
                return Ended::Failed { error, attempt, sent: false };
            }
        };
        match timeout_at(end, self.0.http.execute(request)).await {
            Err(_) => broken("no answer in time".to_owned(), true),
            Ok(Err(error)) => broken(reply::words(&error), !error.is_connect()),
            Ok(Ok(response)) => self.answer(call, response, begun, end).await,
        }
    }

    async fn answer(
        &self,
        call: &Call<'_>,
        response: reqwest::Response,
        begun: Instant,
        end: Instant,
    ) -> Ended {
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let date_s = reply::date_s(&headers);
        let took = begun.elapsed();
        if let Some(time) = date_s {
            self.0.server_time_s.store(time, Ordering::Relaxed);
        }
        let retry_after_s = header(&headers, "retry-after").and_then(|text| text.parse().ok());
        let should_retry = header(&headers, "stripe-should-retry").and_then(|text| text.parse().ok());
        let attempt = Attempt::Status { status, should_retry, retry_after_s };
        let body = match timeout_at(end, reply::read(response)).await {
            Err(_) => return broken("the answer did not end in time".to_owned(), true),
            Ok(Err(BodyError::Broken(reason))) => return broken(reason, true),
            Ok(Err(BodyError::TooLarge)) => {
                let attempt = Attempt::Status { status, should_retry: Some(false), retry_after_s };
                return Ended::Failed { error: ApiError::TooLarge, attempt, sent: true };
            }
            Ok(Ok(body)) => body,
        };
        if !(200..300).contains(&status) {
            let error = of_refusal(status, call.path, self.host(), &body, retry_after_s);
            return Ended::Failed { error, attempt, sent: true };
        }
        if !is_json_object(&body) {
            let attempt = Attempt::Status { status, should_retry: Some(false), retry_after_s };
            let error = ApiError::NotJson { status, host: self.host().to_owned() };
            return Ended::Failed { error, attempt, sent: true };
        }
        let request_id = header(&headers, "request-id").map(str::to_owned);
        Ended::Done(Reply { body, request_id, date_s, took })
    }

    fn host(&self) -> &str {
        self.0.base.host_str().unwrap_or("the API base")
    }

    fn request(&self, call: &Call<'_>) -> Result<reqwest::Request, ApiError> {
        let encoded =
            url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&call.params).finish();
        let mut url = self.url(call.path);
        let mut body = None;
        if call.method == Method::POST {
            body = Some(encoded);
        } else if !encoded.is_empty() {
            url.set_query(Some(&encoded));
        }
        let mut request = reqwest::Request::new(call.method.clone(), url);
        *request.headers_mut() = self.headers(call)?;
        if let Some(body) = body {
            request
                .headers_mut()
                .insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
            *request.body_mut() = Some(body.into());
        }
        Ok(request)
    }

    fn headers(&self, call: &Call<'_>) -> Result<HeaderMap, ApiError> {
        let mut headers = HeaderMap::new();
        let mut authorization = header_value(&if call.basic {
            format!("Basic {}", STANDARD.encode(format!("{}:", self.0.key.expose())))
        } else {
            format!("Bearer {}", self.0.key.expose())
        })?;
        authorization.set_sensitive(true);
        headers.insert(AUTHORIZATION, authorization);
        headers.insert(HeaderName::from_static("stripe-version"), HeaderValue::from_static(STRIPE_VERSION));
        if let Some(account) = &self.0.config.stripe_account {
            headers.insert(HeaderName::from_static("stripe-account"), header_value(account)?);
        }
        if let Some(key) = call.idempotency_key {
            headers.insert(HeaderName::from_static("idempotency-key"), header_value(key)?);
        }
        Ok(headers)
    }

    fn url(&self, path: &str) -> Url {
        let mut url = self.0.base.clone();
        let prefix = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{prefix}{path}"));
        url
    }
}

/// A text as a header; what cannot be one is refused rather than sent changed.
fn header_value(text: &str) -> Result<HeaderValue, ApiError> {
    HeaderValue::from_str(text).map_err(|_| ApiError::Invalid {
        status: 0,
        code: None,
        param: None,
        message: "a key or account id holds letters that no header can carry; nothing was sent".to_owned(),
    })
}

fn header<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

fn broken(reason: String, sent: bool) -> Ended {
    Ended::Failed { error: ApiError::Unavailable { reason }, attempt: Attempt::Broken, sent }
}

/// A writing call that may have arrived and was never answered has an unknown outcome; so has one that was answered
/// well, but in a way that cannot be read.
fn final_error(error: ApiError, written: bool, attempt: Attempt) -> ApiError {
    let good = matches!(attempt, Attempt::Status { status: 200..300, .. });
    match error {
        ApiError::Unavailable { reason } if written && attempt == Attempt::Broken => {
            ApiError::UnknownOutcome { reason }
        }
        ApiError::NotJson { .. } | ApiError::TooLarge if written && good => {
            ApiError::UnknownOutcome { reason: error.to_string() }
        }
        error => error,
    }
}

fn is_json_object(body: &Bytes) -> bool {
    serde_json::from_slice::<&RawValue>(body).is_ok_and(|raw| raw.get().starts_with('{'))
}
