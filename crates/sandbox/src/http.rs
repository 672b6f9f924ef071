//! One request to `/v1`: key, route, permission, form, schema, idempotency, work, expansion, schema again.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use serde_json::Value;

use crate::auth::{self, Key};
use crate::config::MAX_BODY;
use crate::error::{ApiError, Res};
use crate::expand;
use crate::faults::ApiFault;
use crate::form;
use crate::openapi::document::{API_VERSION, Matched, document};
use crate::openapi::validate;
use crate::routes::{self, Call};
use crate::shared::{Shared, Violation};
use crate::world::RequestInfo;

/// A request whose body was read.
struct Incoming {
    method: String,
    path: String,
    query: String,
    body: Vec<u8>,
    headers: HeaderMap,
    request_id: String,
}

impl Incoming {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|v| v.to_str().ok())
    }

    fn route(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

struct Answer {
    status: u16,
    body: Value,
    replayed: bool,
}

/// Serves everything under `/v1`.
pub async fn stripe(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let request_id = request_id();
    let Ok(body) = to_bytes(body, MAX_BODY).await else {
        let error =
            ApiError::bad(format!("A request body may have at most {MAX_BODY} bytes.")).with_status(413);
        return respond(
            &request_id,
            Answer { status: error.status, body: error.body(), replayed: false },
            None,
        );
    };
    let incoming = Incoming {
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path().trim_end_matches('/').to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        body: body.to_vec(),
        headers: parts.headers,
        request_id,
    };
    let fault = ApiFault::take(&mut shared.faults(), &incoming.path);
    if let Some(fault) = &fault {
        tokio::time::sleep(Duration::from_millis(fault.delay_ms)).await;
    }
    let answer = match &fault {
        Some(fault) if fault.status.is_some() && !fault.after_work => faulty(fault),
        Some(fault) if fault.status.is_some() => {
            answer(&shared, &incoming);
            faulty(fault)
        }
        _ => answer(&shared, &incoming),
    };
    shared.wake.notify_one();
    respond(&incoming.request_id, answer, fault.as_ref())
}

/// Request ids are no objects, so they may be random: what is deterministic stays so if requests cross.
fn request_id() -> String {
    let mut bytes = [0u8; 7];
    match getrandom::fill(&mut bytes) {
        Ok(()) => format!("req_{}", hex::encode(bytes)),
        Err(_) => "req_00000000000000".to_owned(),
    }
}

fn faulty(fault: &ApiFault) -> Answer {
    let status = fault.status.unwrap_or(500);
    let error = ApiError {
        status,
        kind: if status >= 500 { "api_error" } else { "invalid_request_error" },
        code: (status == 429).then_some("rate_limit"),
        message: "The sandbox was asked to answer with this fault.".to_owned(),
        param: None,
    };
    Answer { status, body: error.body(), replayed: false }
}

fn respond(request_id: &str, answer: Answer, fault: Option<&ApiFault>) -> Response {
    let mut text = answer.body.to_string();
    if fault.is_some_and(|f| f.truncate) {
        text.truncate(text.char_indices().nth(text.chars().count() / 2).map_or(0, |(at, _)| at));
    }
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    headers.insert("stripe-version", HeaderValue::from_static(API_VERSION));
    if let Ok(value) = HeaderValue::from_str(request_id) {
        headers.insert("request-id", value);
    }
    if answer.replayed {
        headers.insert("idempotent-replayed", HeaderValue::from_static("true"));
    }
    if let Some(retry) = fault.and_then(|f| f.should_retry) {
        headers.insert("stripe-should-retry", HeaderValue::from_static(if retry { "true" } else { "false" }));
    }
    response
}

/// A request of the demo shop's own server, held to Stripe's document like one that came by the network. `path` is
/// the part after `/v1/`.
///
/// # Errors
/// What the answer says.
pub fn own_request(shared: &Shared, secret: &str, method: &str, path: &str, form: &[(&str, &str)]) -> Res {
    let mut headers = HeaderMap::new();
    let bearer = HeaderValue::from_str(&format!("Bearer {secret}"))
        .map_err(|_| ApiError::internal("a secret key has plain letters only"))?;
    headers.insert("authorization", bearer);
    let body = serde_urlencoded::to_string(form).map_err(|e| ApiError::internal(e.to_string()))?;
    let incoming = Incoming {
        method: method.to_owned(),
        path: format!("/v1/{path}"),
        query: String::new(),
        body: body.into_bytes(),
        headers,
        request_id: request_id(),
    };
    let answer = answer(shared, &incoming);
    shared.wake.notify_one();
    if answer.status == 200 {
        return Ok(answer.body);
    }
    let message =
        answer.body.pointer("/error/message").and_then(Value::as_str).unwrap_or("no reason was given");
    Err(ApiError::bad(message).with_status(answer.status))
}

fn answer(shared: &Shared, incoming: &Incoming) -> Answer {
    let answer = match work(shared, incoming) {
        Ok(answer) => answer,
        Err(error) => Answer { status: error.status, body: error.body(), replayed: false },
    };
    if answer.status == 200 {
        return answer;
    }
    match validate::component("error", &answer.body) {
        Ok(()) => answer,
        Err(breaches) => {
            let error = breached(shared, incoming, "answer", &breaches);
            Answer { status: 500, body: error.body(), replayed: false }
        }
    }
}

fn breached(
    shared: &Shared,
    incoming: &Incoming,
    side: &'static str,
    breaches: &[validate::Breach],
) -> ApiError {
    let detail: Vec<String> = breaches.iter().take(5).map(ToString::to_string).collect();
    let detail = detail.join("; ");
    let message = format!("the sandbox's own {side} breaks Stripe's schema: {detail}");
    violate(shared, incoming, side, detail);
    ApiError::internal(message)
}

fn violate(shared: &Shared, incoming: &Incoming, side: &'static str, detail: String) {
    shared.violate(Violation {
        side,
        route: incoming.route(),
        request_id: incoming.request_id.clone(),
        detail,
    });
}

/// Everything before the work; what is refused here is not kept for its idempotency key, as with Stripe.
fn work(shared: &Shared, incoming: &Incoming) -> Res<Answer> {
    let key = auth::key(&shared.config, &shared.limits(), incoming.header("authorization"))?;
    admit(shared, incoming)?;
    let world = (acting_for(shared, incoming, &key)?, key.livemode);
    check_version(incoming)?;
    let found = find(shared, incoming)?;
    let account_id = shared.world(&world, |w| w.account_id.clone())?;
    let permission = auth::permission(&incoming.method, &incoming.path);
    auth::allow(&key, &account_id, permission.as_deref())?;
    let params = form::parse(&[incoming.query.as_bytes(), &incoming.body], &found.operation.request)?;
    if let Err(breaches) = validate::request(found.operation, &params) {
        let detail: Vec<String> = breaches.iter().take(5).map(ToString::to_string).collect();
        violate(shared, incoming, "request", detail.join("; "));
        return Err(breaches.first().map_or_else(|| ApiError::bad("Invalid request."), ApiError::breach));
    }
    let idempotency =
        incoming.header("idempotency-key").filter(|_| incoming.method == "POST").map(str::to_owned);
    let print = format!("{} {params}", incoming.route());
    shared.world(&world, |world| {
        if let Some(name) = &idempotency
            && let Some((status, body)) = world.idempotent.replay(name, &print)?
        {
            return Ok(Answer { status, body, replayed: true });
        }
        world.request =
            RequestInfo { id: Some(incoming.request_id.clone()), idempotency_key: idempotency.clone() };
        let done = perform(shared, incoming, world, &key, &found, params);
        world.request = RequestInfo::default();
        let (status, body) = match done {
            Ok(body) => (200, body),
            Err(error) => (error.status, error.body()),
        };
        if let Some(name) = idempotency {
            world.idempotent.keep(name, print, status, body.clone());
        }
        Ok(Answer { status, body, replayed: false })
    })?
}

/// An access token of OAuth is good for its time, and as long as the account wants.
fn admit(shared: &Shared, incoming: &Incoming) -> Res<()> {
    let token =
        incoming.header("authorization").and_then(|text| text.strip_prefix("Bearer ")).unwrap_or_default();
    match shared.oauth().admits(token.trim(), crate::clock::wall_seconds()) {
        Some(false) => Err(ApiError::bad("The access token expired or was revoked.").with_status(401)),
        _ => Ok(()),
    }
}

/// The account that is asked for: the key's own, or with `Stripe-Account` one that is connected to it.
fn acting_for(shared: &Shared, incoming: &Incoming, key: &Key) -> Res<String> {
    let Some(wanted) = incoming.header("stripe-account") else { return Ok(key.account.clone()) };
    let found = shared
        .worlds()
        .iter()
        .find(|((_, livemode), world)| *livemode == key.livemode && world.account_id == wanted)
        .map(|((account, _), _)| account.clone());
    match found {
        Some(account) if account == key.account => Ok(account),
        Some(account) if shared.oauth().is_connected(&key.account, &account, key.livemode) => Ok(account),
        _ => Err(ApiError::bad(format!(
            "The provided key '{}' does not have access to account '{wanted}' (or that account does not exist). \
             Application access may have been revoked.",
            key.shown
        ))
        .with_status(403)),
    }
}

fn perform(
    shared: &Shared,
    incoming: &Incoming,
    world: &mut crate::world::World,
    key: &Key,
    found: &Matched,
    params: Value,
) -> Res {
    let expand = expand::wanted(&params);
    let mut call = Call { world, path: &found.path_params, params: &params };
    let Some(result) = routes::serve(&found.operation.id, &mut call) else {
        violate(shared, incoming, "request", "the sandbox does not serve this operation".into());
        return Err(ApiError::bad(format!(
            "Stripe has this operation ({}), but the sandbox does not serve it.",
            found.operation.id
        ))
        .with_status(404));
    };
    let mut body = result.inspect_err(|error| {
        if error.status >= 500 {
            violate(shared, incoming, "event", error.message.clone());
        }
    })?;
    expand::expand(world, key, &mut body, &expand)?;
    validate::answer(found.operation, &body)
        .map_err(|breaches| breached(shared, incoming, "answer", &breaches))?;
    expand::leave_out(&mut body, &expand);
    Ok(body)
}

fn find(shared: &Shared, incoming: &Incoming) -> Res<Matched> {
    document().find(&incoming.method, &incoming.path).ok_or_else(|| {
        violate(shared, incoming, "request", "no such route in Stripe's document".into());
        ApiError::bad(format!(
            "Unrecognized request URL ({}: {}). Please see https://stripe.com/docs.",
            incoming.method, incoming.path
        ))
        .with_status(404)
    })
}

/// A version is a date with an optional name; the answer is in the sandbox's own version whatever is asked for.
fn check_version(incoming: &Incoming) -> Res<()> {
    let Some(version) = incoming.header("stripe-version") else { return Ok(()) };
    let date = version.split('.').next().unwrap_or_default();
    let parts: Vec<&str> = date.split('-').collect();
    let well_formed = parts.len() == 3
        && parts.iter().zip([4, 2, 2]).all(|(p, n)| p.len() == n && p.bytes().all(|b| b.is_ascii_digit()));
    if well_formed { Ok(()) } else { Err(ApiError::bad(format!("Invalid Stripe API version: {version}"))) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::Config;

    fn get(path: &str) -> Incoming {
        let mut headers = HeaderMap::new();
        headers.insert("authorization", HeaderValue::from_static("Bearer sk_test_unit"));
        Incoming {
            method: "GET".into(),
            path: path.into(),
            query: String::new(),
            body: Vec::new(),
            headers,
            request_id: request_id(),
        }
    }

    #[test]
    fn an_answer_that_breaks_the_document_is_a_500_and_a_violation() {
        let shared = Shared::new(
            Config::default(),
            "http://127.0.0.1:1".into(),
            crate::server::client(&Config::default()).unwrap(),
        );
        let key = ("default".to_owned(), false);
        let id = shared.world(&key, |w| w.make("customer", "cus", json!({})).unwrap()).unwrap();
        let path = format!("/v1/customers/{id}");
        assert_eq!(answer(&shared, &get(&path)).status, 200);
        assert_eq!(shared.violations().1, 0);
        shared.world(&key, |w| w.set("customer", &id, "created", json!("today")).unwrap()).unwrap();
        let broken = answer(&shared, &get(&path));
        assert_eq!((broken.status, broken.body["error"]["type"].as_str()), (500, Some("api_error")));
        let (violations, count) = shared.violations();
        assert_eq!(count, 1);
        assert_eq!(
            (violations[0].side, violations[0].route.as_str()),
            ("answer", format!("GET {path}").as_str())
        );
        let event =
            shared.world(&key, |w| crate::events::emit(w, "customer.updated", "customer", &id)).unwrap();
        assert_eq!(event.unwrap_err().status, 500, "events are held to the document too");
    }
}
