//! Looking at a connection without changing anything: the key, its permissions, the endpoint, the clock, and what
//! arrived.

use super::credential::{endpoint_client, flow_of};
use super::flow::Flow;
use super::{Permission, client_of, tokens, webhook_url};
use crate::state::App;
use serde::Serialize;
use tributary_store::connections::Connection;
use tributary_store::connections::secrets::{self, SecretLine};
use tributary_store::health::{self, Arrivals};
use tributary_store::{StoreError, Tx, Unit};
use tributary_stripe::client::{ApiError, EventsQuery, MARK, STRIPE_VERSION, StripeClient, WebhookEndpoint};
use tributary_stripe::connect::{ConnectError, validate_key};
use tributary_stripe::events;

/// Seconds by which the clocks may differ before signatures come near their limit of 300 s.
const SKEW_MAX_S: i64 = 60;

/// A sale that waits longer for Stripe than this raises an alarm, ms.
const LATE_MS: i64 = 86_400_000;

/// The endpoint at Stripe, as it was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EndpointState {
    /// None was made; events are polled.
    Polled,
    /// It was made by hand, so only its events show whether it works.
    ByHand,
    /// Found, switched on, with the right address and types.
    Good,
    /// Found, but something is wrong with it.
    Wrong,
    /// Not there any more.
    Missing,
    /// The key may not look, or Stripe could not be asked.
    Unknown,
}

/// What was seen.
#[derive(Debug, Clone, Serialize)]
pub struct Checkup {
    /// `con_…`
    pub connection_id: String,
    /// `acct_…` or `unknown_…`
    pub account_id: String,
    /// `test` or `live`.
    pub mode: String,
    /// The key's kind and last letters.
    pub key: String,
    /// Where its API is.
    pub api_base: String,
    /// Does Stripe take the key?
    pub key_ok: bool,
    /// Could Stripe be reached?
    pub reached: bool,
    /// This machine's clock minus Stripe's, seconds.
    pub clock_skew_s: Option<i64>,
    /// The endpoint.
    pub endpoint: EndpointState,
    /// What arrived.
    pub arrivals: Arrivals,
    /// How it is let in: `key`, `app` or `connect`.
    pub auth: String,
    /// The tokens, where an App lets it in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens: Option<TokenState>,
    /// Events that Stripe could not deliver here in 30 days, counted up to 100; `None` = not known.
    pub undelivered: Option<usize>,
    /// The signing secrets in force, and when each verified an event last.
    pub secrets: Vec<SecretLine>,
    /// The checklist of the key.
    pub permissions: Vec<Permission>,
    /// What must be mended, in sentences.
    pub problems: Vec<String>,
    /// What is good to know.
    pub remarks: Vec<String>,
    /// Why it is not let in, where Stripe was reached; one of the problems.
    #[serde(skip)]
    pub refused: Option<String>,
}

struct Counts(String, String);

impl Unit for Counts {
    type Out = Arrivals;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Arrivals, StoreError> {
        health::arrivals(tx, &self.0, &self.1).await
    }
}

/// Looks at one connection. Only the database can fail it; what Stripe says is in the answer.
///
/// # Errors
/// The database's.
pub async fn check(app: &App, connection: &Connection) -> Result<Checkup, StoreError> {
    let ids = Counts(connection.workspace_id.clone(), connection.connection_id.clone());
    let mut checkup = Checkup {
        connection_id: connection.connection_id.clone(),
        account_id: connection.account_id.clone(),
        mode: connection.mode.clone(),
        key: connection.key_hint.clone(),
        api_base: connection.api_base.clone(),
        key_ok: false,
        reached: false,
        clock_skew_s: None,
        endpoint: EndpointState::Unknown,
        arrivals: app.db.read(ids).await?,
        auth: connection.auth.clone(),
        tokens: None,
        undelivered: None,
        secrets: Vec::new(),
        permissions: Vec::new(),
        problems: Vec::new(),
        remarks: Vec::new(),
        refused: None,
    };
    of_arrivals(&mut checkup, app.now());
    of_tokens(app, connection, &mut checkup).await?;
    checkup.secrets = app.db.read(Secrets(connection.clone(), app.now())).await?;
    of_secrets(connection, &mut checkup);
    match client_of(app, connection).await {
        Ok(client) => of_stripe(app, connection, &client, &mut checkup).await,
        Err(error) => {
            checkup.reached = !error.is_unavailable();
            let words = format!("The stored key cannot be used: {error}");
            checkup.refused = checkup.reached.then(|| words.clone());
            checkup.problems.push(words);
        }
    }
    Ok(checkup)
}

fn of_arrivals(checkup: &mut Checkup, now: i64) {
    let counts = &checkup.arrivals;
    if counts.awaiting_since.is_some_and(|since| now.saturating_sub(since) > LATE_MS) {
        let words =
            "Sales wait for an answer of Stripe for more than a day; look at them on the page Transactions.";
        checkup.problems.push(words.to_owned());
    }
    let counts = &checkup.arrivals;
    if counts.parked > 0 {
        let words = format!("{} events are parked; look at them on the page Events.", counts.parked);
        checkup.problems.push(words);
    }
    if counts.last_received_at.is_none() {
        checkup.remarks.push("No event has arrived yet.".to_owned());
    }
}

async fn of_stripe(app: &App, connection: &Connection, client: &StripeClient, checkup: &mut Checkup) {
    match validate_key(client).await {
        Ok(seen) => {
            checkup.key_ok = true;
            checkup.reached = true;
            checkup.permissions = seen.probes.iter().map(Permission::from).collect();
            checkup.problems.extend(seen.missing);
            checkup.remarks.extend(seen.warnings);
            let known = seen.account_id.filter(|_| connection.account_id.starts_with("acct_"));
            if known.is_some_and(|account| account != connection.account_id) {
                checkup.problems.push("The key belongs to another account now. Connect again.".to_owned());
            }
        }
        Err(error) => {
            let away = matches!(
                error,
                ConnectError::Api(ApiError::Unavailable { .. } | ApiError::RateLimited { .. })
            );
            checkup.reached = !away;
            checkup.refused = checkup.reached.then(|| error.to_string());
            checkup.problems.push(error.to_string());
        }
    }
    of_clock(app.now(), client, checkup);
    if checkup.key_ok {
        of_endpoint(app, connection, checkup).await;
        of_undelivered(client, checkup).await;
    }
}

fn of_clock(now_ms: i64, client: &StripeClient, checkup: &mut Checkup) {
    checkup.clock_skew_s = client.server_time_s().map(|theirs| now_ms.div_euclid(1000) - theirs);
    if let Some(skew) = checkup.clock_skew_s.filter(|skew| skew.abs() > SKEW_MAX_S) {
        checkup.problems.push(format!(
            "This machine's clock differs from Stripe's by {skew} s. Webhooks are refused from 300 s on; set the clock."
        ));
    }
}

/// The tokens of a connection by an App.
#[derive(Debug, Clone, Serialize)]
pub struct TokenState {
    /// Until when the token in use is good, ms UTC.
    pub access_until: i64,
    /// How often it was renewed.
    pub renewed: i64,
    /// Why it cannot be renewed any more; else empty.
    pub refused: String,
}

async fn of_tokens(app: &App, connection: &Connection, checkup: &mut Checkup) -> Result<(), StoreError> {
    if flow_of(connection) != Some(Flow::App) {
        return Ok(());
    }
    let found = tokens::state(app, connection).await?;
    checkup.tokens = found.map(|found| TokenState {
        access_until: found.access_until,
        renewed: found.version.saturating_sub(1),
        refused: found.refused,
    });
    Ok(())
}

struct Secrets(Connection, i64);
impl Unit for Secrets {
    type Out = Vec<SecretLine>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        secrets::list(tx, &self.0.workspace_id, &self.0.connection_id, self.1).await
    }
}

fn of_secrets(connection: &Connection, checkup: &mut Checkup) {
    if checkup.secrets.is_empty() && !connection.polling {
        checkup.problems.push(
            "There is no signing secret that is still good, so every event is refused. Connect again, or paste one."
                .to_owned(),
        );
    }
}

/// Asks Stripe what it could not deliver. A key that may not read events is told of elsewhere.
async fn of_undelivered(client: &StripeClient, checkup: &mut Checkup) {
    let query = EventsQuery { delivery_success: Some(false), ..EventsQuery::default() };
    match client.events(&query).await {
        Ok(page) => {
            let count = page.events.len() + page.unreadable.len();
            checkup.undelivered = Some(count);
            if count > 0 {
                let more = if page.has_more { "More than " } else { "" };
                checkup.remarks.push(format!(
                    "{more}{count} events were not delivered to every endpoint of the account in the last 30 days; \
                     `tributary stripe backfill` brings what is missing here."
                ));
            }
        }
        Err(ApiError::Forbidden { .. }) => {}
        Err(error) => {
            checkup.remarks.push(format!("Whether events went undelivered could not be asked: {error}"));
        }
    }
}

async fn of_endpoint(app: &App, connection: &Connection, checkup: &mut Checkup) {
    let Some(id) = &connection.endpoint_id else {
        checkup.endpoint = if connection.polling { EndpointState::Polled } else { EndpointState::ByHand };
        return;
    };
    let client = match endpoint_client(app, connection).await {
        Ok(client) => client,
        Err(error) => return checkup.problems.push(error.to_string()),
    };
    let all = match client.webhook_endpoints().await {
        Ok(all) => all,
        Err(error) => {
            checkup.remarks.push(format!("The webhook endpoint could not be looked at: {error}"));
            return;
        }
    };
    let Some(ours) = all.iter().find(|one| &one.id == id) else {
        checkup.endpoint = EndpointState::Missing;
        checkup.problems.push(format!("The webhook endpoint {id} is gone at Stripe. Connect again."));
        return;
    };
    let wrong = faults(ours, connection, &app.settings.public_url);
    checkup.endpoint = if wrong.is_empty() { EndpointState::Good } else { EndpointState::Wrong };
    checkup.problems.extend(wrong);
    if let Some(version) = ours.api_version.as_deref().filter(|version| *version != STRIPE_VERSION) {
        checkup.remarks.push(format!(
            "The webhook endpoint sends objects of API version {version}; they are understood, and {STRIPE_VERSION} is asked \
             for when one is made."
        ));
    }
}

pub(crate) fn faults(ours: &WebhookEndpoint, connection: &Connection, public_url: &url::Url) -> Vec<String> {
    let mut faults = Vec::new();
    if ours.status == "disabled" {
        faults.push(format!("The webhook endpoint {} is disabled at Stripe. Connect again.", ours.id));
    }
    if connection.endpoint_url.as_deref() != Some(ours.url.as_str()) {
        faults.push(format!("The webhook endpoint {} points to {}. Connect again.", ours.id, ours.url));
    }
    let here = webhook_url(public_url, "");
    let base = here.split("/v1/").next().unwrap_or_default();
    if !ours.url.starts_with(base) {
        faults.push(format!(
            "The webhook endpoint points to {}, but the public URL is {base}. Connect again, or mend TRIBUTARY_PUBLIC_URL.",
            ours.url
        ));
    }
    let sent = |name: &&str| ours.enabled_events.iter().any(|have| have == name || have == "*");
    let lacking: Vec<_> = events::subscribed().into_iter().filter(|name| !sent(name)).collect();
    if !lacking.is_empty() {
        faults.push(format!("The webhook endpoint does not send {}. Connect again.", lacking.join(", ")));
    }
    if ours.metadata.get(MARK).is_some_and(|mark| mark != &connection.connection_id) {
        faults.push(format!("The webhook endpoint {} is marked as another connection's.", ours.id));
    }
    faults
}
