//! "Send a test event": a signed event to our own public address. It proves the address, the secret and the pipeline;
//! the ledger ignores it and says so.

use super::error::PageError;
use super::forms::{Posted, may_change};
use super::visit::{self, Visit};
use crate::App;
use crate::ui::text::{encode, query};
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use serde_json::json;
use std::time::Duration;
use tributary_store::connections::{self, Candidate};
use tributary_store::vault::{Key, random};
use tributary_store::{StoreError, Tx, Unit};
use tributary_stripe::client::{STRIPE_VERSION, plain};
use tributary_stripe::signature::{Secret, sign};

/// Our own server has so long to answer.
const LIMIT: Duration = Duration::from_secs(10);
/// The pipeline has so long before the event's page is shown.
const PATIENCE: Duration = Duration::from_secs(3);
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// What the form sends.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sent {
    form_token: String,
}

/// `POST /p/{program}/events/test`
pub async fn post(
    State(app): State<App>,
    visit: Visit,
    Path(public_id): Path<String>,
    Posted(sent): Posted<Sent>,
) -> Response {
    let result = send(&app, &visit, &public_id, &sent).await;
    visit.answer(result)
}

async fn send(app: &App, visit: &Visit, public_id: &str, sent: &Sent) -> Result<Response, PageError> {
    may_change(visit, &sent.form_token)?;
    let workspace_id = visit.session.workspace_id.clone();
    let data_key = app.data_key(&workspace_id).await?;
    let start = Start { workspace_id, public_id: public_id.to_owned(), data_key, now: visit.now };
    let list = format!("/p/{}/events", encode(public_id));
    let Some(candidate) = app.db.read(start).await? else {
        return Ok(back(&list, "secret"));
    };
    let id = format!("evt_test{}", hex::encode(random::<12>()?));
    let body = json!({
        "id": id,
        "object": "event",
        "api_version": STRIPE_VERSION,
        "created": visit.now.div_euclid(1000),
        "data": { "object": { "id": "test_event", "object": "tributary.test_event" } },
        "livemode": candidate.mode == "live",
        "pending_webhooks": 1,
        "request": { "id": null, "idempotency_key": null },
        "type": "tributary.test",
    });
    let body = body.to_string().into_bytes();
    let secret = std::str::from_utf8(&candidate.secret).unwrap_or_default();
    let header = sign(&body, Secret::new(secret), app.now().div_euclid(1000));
    let path = format!("v1/integrations/stripe/{}/webhook", encode(public_id));
    let mut base = app.settings.public_url.clone();
    if !base.path().ends_with('/') {
        base.set_path(&format!("{}/", base.path()));
    }
    let Ok(url) = base.join(&path) else { return Ok(back(&list, "address")) };
    match plain::ask(&url, Some(body), &[("stripe-signature", &header)], LIMIT).await {
        Ok(answer) if (200..300).contains(&answer.status) => {}
        Ok(answer) => {
            tracing::warn!(status = answer.status, "the test event was refused");
            return Ok(back(&list, "refused"));
        }
        Err(error) => {
            tracing::warn!(%error, "the test event did not arrive");
            return Ok(back(&list, "address"));
        }
    }
    worked_through(app, &visit.session.workspace_id, &candidate.connection_id, &id).await?;
    let page = format!("{list}/{}/{}", encode(&candidate.connection_id), encode(&id));
    Ok(Redirect::to(&page).into_response())
}

fn back(list: &str, notice: &str) -> Response {
    Redirect::to(&format!("{list}?{}", query(&[("test", notice)]))).into_response()
}

/// What the list says of a test event that did not come through.
pub(super) fn words(notice: &str, public_url: &str) -> Option<String> {
    Some(match notice {
        "secret" => "There is no signing secret to test with: connect Stripe first.".to_owned(),
        "refused" => {
            "The test event reached this server's address and was refused; the log says why.".to_owned()
        }
        "address" => format!(
            "The test event did not reach {public_url} from this server. Stripe may still reach it; check \
             TRIBUTARY_PUBLIC_URL."
        ),
        _ => return None,
    })
}

/// Waits a moment, so that the page shows what became of it.
async fn worked_through(
    app: &App,
    workspace_id: &str,
    connection_id: &str,
    id: &str,
) -> Result<(), StoreError> {
    let end = tokio::time::Instant::now() + PATIENCE;
    loop {
        let pending = Pending(workspace_id.to_owned(), connection_id.to_owned(), id.to_owned());
        if !app.db.read(pending).await? || tokio::time::Instant::now() >= end {
            return Ok(());
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

struct Pending(String, String, String);
impl Unit for Pending {
    type Out = bool;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<bool, StoreError> {
        tributary_store::pages::events::is_pending(tx, &self.0, &self.1, &self.2).await
    }
}

struct Start {
    workspace_id: String,
    public_id: String,
    data_key: Key,
    now: i64,
}

impl Unit for Start {
    type Out = Option<Candidate>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Option<Candidate>, StoreError> {
        let loaded = visit::load(tx, &self.workspace_id, &self.public_id).await?;
        let place = loaded.place();
        let all =
            connections::candidates(tx, &self.data_key, &self.workspace_id, &place.program_id, self.now)
                .await?;
        // The newest secret of the mode that the program shows.
        Ok(all.into_iter().find(|candidate| candidate.mode == place.mode))
    }
}
