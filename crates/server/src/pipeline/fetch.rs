//! What a sale needs to know and no event said: asked of Stripe, kept as an observation, projected like an
//! event.

use super::context::Context;
use super::project::{People, ingest};
use super::world::{Source, World};
use crate::App;
use crate::connect::credential::{NoClient, way_of};
use crate::state::{email_hash, new_id};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tributary_domain::fact::Kind;
use tributary_domain::ids::IdKind;
use tributary_domain::sale::{Need, read_sale};
use tributary_store::pipeline::codes;
use tributary_store::pipeline::inbox::{self, Observation};
use tributary_store::pipeline::jobs::{self, Job};
use tributary_store::pipeline::objects;
use tributary_store::vault::Key;
use tributary_store::{StoreError, Tx, Unit, connections, connections::Connection};
use tributary_stripe::client::{ApiError, Fetched, StripeClient};
use tributary_stripe::facts::{Answer, Fetch, facts_of_answer};

/// The kind of these jobs.
pub const KIND: &str = "fetch";
/// Jobs in flight at once.
const IN_FLIGHT: i64 = 4;
/// How long a claim holds, ms.
const LEASE_MS: i64 = 120_000;
/// Tries before a job is parked.
const TRIES: i64 = 12;

#[derive(Serialize, Deserialize)]
struct Body {
    connection_id: String,
    need: Need,
    /// Who asks, where it is no sale: a thin event, or a comparison. Then it is asked once, whatever is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    asked_by: Option<String>,
}

/// A job's body, which is its dedup key too.
///
/// # Errors
/// Never in practice.
pub fn body_of(connection_id: &str, need: &Need) -> Result<String, StoreError> {
    text(&Body { connection_id: connection_id.to_owned(), need: need.clone(), asked_by: None })
}

/// The body of a job that fetches an object whatever is known of it; `None` for an id of no kind that is followed.
///
/// # Errors
/// Never in practice.
pub fn body_of_object(connection_id: &str, id: &str, asked_by: &str) -> Result<Option<String>, StoreError> {
    if Kind::of_stripe_id(id).is_none() {
        return Ok(None);
    }
    wished(connection_id, Need::Object(id.to_owned()), asked_by).map(Some)
}

/// A look-up that a person wished for, whether a sale needs it or not.
///
/// # Errors
/// Never in practice.
pub fn wished(connection_id: &str, need: Need, asked_by: &str) -> Result<String, StoreError> {
    text(&Body { connection_id: connection_id.to_owned(), need, asked_by: Some(asked_by.to_owned()) })
}

fn text(body: &Body) -> Result<String, StoreError> {
    serde_json::to_string(body).map_err(|e| StoreError::Inconsistent(e.to_string()))
}

/// What tells the way that a client was made with, and the client.
type Made = ([u8; 32], Arc<StripeClient>);

/// One client a connection: each keeps its own rate.
#[derive(Default)]
pub struct Clients {
    made: Mutex<HashMap<String, Made>>,
}

impl Clients {
    /// The client of a connection, made anew when its key or token has changed.
    ///
    /// # Errors
    /// A [`NoClient`].
    pub async fn of(&self, app: &App, connection: &Connection) -> Result<Arc<StripeClient>, NoClient> {
        let way = way_of(app, connection).await?;
        let tag = way.tag(&connection.api_base);
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, client)) = made.get(&connection.connection_id)
            && *known == tag
        {
            return Ok(Arc::clone(client));
        }
        let client = Arc::new(way.client(&connection.api_base)?);
        made.insert(connection.connection_id.clone(), (tag, Arc::clone(&client)));
        Ok(client)
    }
}

/// Does every due job of a workspace once. Returns how many were taken.
///
/// # Errors
/// The database's; an error of Stripe is kept with its job.
pub async fn run_due(app: &App, clients: &Clients, workspace_id: &str) -> Result<usize, StoreError> {
    let now = app.now();
    let claim = Claim { workspace_id: workspace_id.to_owned(), now };
    let claimed = app.db.write(claim).await?;
    let count = claimed.len();
    let runs = claimed.into_iter().map(|job| run_one(app, clients, workspace_id, job));
    for result in futures_util::future::join_all(runs).await {
        result?;
    }
    Ok(count)
}

/// Does somebody, here or in another process, hold a look-up of a workspace?
///
/// # Errors
/// The database's.
pub async fn under_way(app: &App, workspace_id: &str) -> Result<bool, StoreError> {
    app.db.read(UnderWay { workspace_id: workspace_id.to_owned(), now: app.now() }).await
}

struct UnderWay {
    workspace_id: String,
    now: i64,
}

impl Unit for UnderWay {
    type Out = bool;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<bool, StoreError> {
        jobs::any_claimed(tx, &self.workspace_id, KIND, self.now).await
    }
}

struct Claim {
    workspace_id: String,
    now: i64,
}

impl Unit for Claim {
    type Out = Vec<Job>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Vec<Job>, StoreError> {
        let lease = self.now.saturating_add(LEASE_MS);
        jobs::claim(tx, &self.workspace_id, KIND, self.now, lease, IN_FLIGHT).await
    }
}

async fn run_one(app: &App, clients: &Clients, workspace_id: &str, job: Job) -> Result<(), StoreError> {
    let body: Body = match serde_json::from_str(&job.body) {
        Ok(body) => body,
        Err(error) => return close(app, workspace_id, job, Some(error.to_string()), None).await,
    };
    let still = Still { workspace_id: workspace_id.to_owned(), body: job.body.clone(), now: app.now() };
    let Some(connection) = app.db.read(still.clone()).await? else {
        return close(app, workspace_id, job, None, None).await;
    };
    let data_key = app.data_key(workspace_id).await?;
    let client = match clients.of(app, &connection).await {
        Ok(client) => client,
        Err(error) => {
            if matches!(error, NoClient::Refused(_)) {
                set_status(app, &connection, "broken", &error.to_string()).await?;
            }
            let retry = Some(app.now().saturating_add(back_off_ms(job.attempts)));
            return close(app, workspace_id, job, Some(error.to_string()), retry).await;
        }
    };
    let asked = ask(app, &client, &data_key, &connection, &body.need).await;
    if asked.is_ok() && connection.status == "broken" {
        set_status(app, &connection, "connected", "").await?;
    }
    let refused =
        matches!(asked, Err(Asked::Stripe(ApiError::Unauthorised { .. } | ApiError::Forbidden { .. })));
    let error = match asked {
        Ok(()) if body.asked_by.is_some() => None,
        Ok(()) => app.db.read(still).await?.map(|_| "the answer does not say what the sale needs".to_owned()),
        // Kept with the job as well: a claim that nobody ends would hold it back until the lease is over.
        Err(Asked::Store(error)) => Some(error.to_string()),
        Err(Asked::Stripe(error)) => {
            if matches!(error, ApiError::Unauthorised { .. }) {
                set_status(app, &connection, "broken", &error.to_string()).await?;
            }
            Some(error.to_string())
        }
    };
    // While Stripe does not let us in or read, nothing is given up: it goes on when that is mended.
    let waits = connection.status == "broken" || refused;
    let retry =
        (waits || job.attempts + 1 < TRIES).then(|| app.now().saturating_add(back_off_ms(job.attempts)));
    close(app, workspace_id, job, error, retry).await
}

/// 1 s, 2 s, 4 s, … up to an hour.
#[must_use]
pub fn back_off_ms(attempts: i64) -> i64 {
    1_000_i64.saturating_mul(1_i64 << attempts.clamp(0, 12)).min(3_600_000)
}

/// Notes whether Stripe still lets a connection in, and why not.
///
/// # Errors
/// The database's.
pub async fn set_status(
    app: &App,
    connection: &Connection,
    status: &'static str,
    reason: &str,
) -> Result<(), StoreError> {
    let unit = SetStatus {
        workspace_id: connection.workspace_id.clone(),
        connection_id: connection.connection_id.clone(),
        status,
        reason: reason.to_owned(),
        now: app.now(),
    };
    app.db.write(unit).await
}

struct SetStatus {
    workspace_id: String,
    connection_id: String,
    status: &'static str,
    reason: String,
    now: i64,
}

impl Unit for SetStatus {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let (ws, con) = (&self.workspace_id, &self.connection_id);
        let Some(before) = connections::find(tx, ws, con).await? else { return Ok(()) };
        if before.status == "disconnected"
            || (before.status == self.status && before.status_reason == self.reason)
        {
            return Ok(());
        }
        connections::set_status(tx, ws, con, self.status, &self.reason, self.now).await?;
        crate::jobs::alerts::of_status(tx, &before, self.status, &self.reason, self.now).await
    }
}

/// Is the need still open? Gives the connection to ask.
#[derive(Clone)]
struct Still {
    workspace_id: String,
    body: String,
    now: i64,
}

impl Unit for Still {
    type Out = Option<Connection>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Option<Connection>, StoreError> {
        let body: Body =
            serde_json::from_str(&self.body).map_err(|e| StoreError::Inconsistent(e.to_string()))?;
        // The job of who asked for it may be wiped since it was taken.
        if body.asked_by.is_some() && !jobs::exists(tx, &self.workspace_id, KIND, &self.body).await? {
            return Ok(None);
        }
        self.asker(tx, &body).await
    }
}

impl Still {
    async fn asker(&self, tx: &mut Tx<'_>, body: &Body) -> Result<Option<Connection>, StoreError> {
        let id = body.need.id();
        let Some(connection) = connections::find(tx, &self.workspace_id, &body.connection_id).await? else {
            return Ok(None);
        };
        if Kind::of_stripe_id(id) == Some(Kind::PromotionCode) {
            let name = codes::name_of(tx, &self.workspace_id, &body.connection_id, id).await?;
            return Ok(name.is_none().then_some(connection));
        }
        let ctx =
            Context::load(tx, &self.workspace_id, &body.connection_id, &connection.mode, self.now, 0).await?;
        if body.asked_by.is_some() {
            return Ok((connection.status != "disconnected").then_some(connection));
        }
        let members = World::members_of(tx, &ctx, id).await?;
        let open = read_sale(&members)
            .is_some_and(|view| super::project::needs_of(&ctx, &view).any(|need| need == body.need));
        Ok(open.then_some(connection))
    }
}

enum Asked {
    Stripe(ApiError),
    Store(StoreError),
}

impl From<StoreError> for Asked {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

fn fetches(need: &Need) -> Vec<Fetch> {
    match need {
        Need::LinksOf(id) => vec![
            Fetch::InvoicePaymentsOf { payment_intent: id.clone() },
            Fetch::SessionsOf { payment_intent: id.clone() },
        ],
        Need::CheckoutsOf(id) => vec![Fetch::CheckoutsOf { customer: id.clone() }],
        Need::CodesOf(id) => vec![Fetch::CodesOf { purchase: id.clone() }],
        Need::RefundsOf(id) => vec![Fetch::RefundsOf { charge: id.clone() }],
        Need::DisputesOf(id) => vec![Fetch::DisputesOf { charge: id.clone() }],
        Need::FeeOf(id) => vec![Fetch::FeeOf { charge: id.clone() }],
        Need::LinesOf(id) if Kind::of_stripe_id(id) == Some(Kind::Invoice) => {
            vec![Fetch::InvoiceLinesOf { invoice: id.clone() }]
        }
        Need::LinesOf(id) => vec![Fetch::SessionLinesOf { session: id.clone() }],
        Need::Object(id) => {
            let kind = Kind::of_stripe_id(id);
            kind.map(|kind| Fetch::Object { kind, id: id.clone() }).into_iter().collect()
        }
    }
}

async fn ask(
    app: &App,
    client: &StripeClient,
    data_key: &Key,
    connection: &Connection,
    need: &Need,
) -> Result<(), Asked> {
    for fetch in fetches(need) {
        // What changes while the answer is on its way is newer than the answer.
        let now = app.now();
        let answer = client.fetch(&fetch).await.map_err(Asked::Stripe)?;
        let pages = match answer {
            Fetched::Missing => vec![(404, bytes::Bytes::new())],
            Fetched::Pages(pages) => pages.into_iter().map(|page| (200, page)).collect(),
        };
        for (http_status, page) in pages {
            let observation_id = new_id(IdKind::Observation)?;
            let place = inbox::observation_place(&connection.connection_id, &observation_id);
            let observation = Observation {
                request: fetch.name().to_owned(),
                subject: fetch.id().to_owned(),
                http_status,
                fetched_at: now,
                body: data_key.seal(&place, &page)?,
                observation_id,
            };
            let (source, people) = understand(data_key, &observation, &page)?;
            let unit = Observe {
                connection: connection.clone(),
                observation,
                source,
                people,
                now,
                link_delay_ms: app.settings.link_delay_ms,
            };
            app.db.write(unit).await?;
        }
    }
    app.wake.notify_one();
    Ok(())
}

/// What an observation says.
///
/// # Errors
/// [`StoreError::Invalid`] for an answer that cannot be read.
pub fn understand(
    data_key: &Key,
    observation: &Observation,
    body: &[u8],
) -> Result<(Source, People), StoreError> {
    let fetch = Fetch::from_parts(&observation.request, &observation.subject)
        .ok_or_else(|| StoreError::Inconsistent(format!("observation {}", observation.observation_id)))?;
    let answer = if observation.http_status == 404 { Answer::Missing } else { Answer::Body(body) };
    let hash = |email: &str| data_key.keyed_hash("email", email).unwrap_or_default();
    let understood = facts_of_answer(&fetch, answer, observation.fetched_at, &hash)
        .map_err(|e| StoreError::Invalid(e.to_string()))?;
    let source = Source { source_id: observation.observation_id.clone(), facts: understood.facts };
    Ok((source, people_of(data_key, understood.people)?))
}

/// People by the buyer that they are.
///
/// # Errors
/// Never in practice.
pub fn people_of(data_key: &Key, seen: Vec<tributary_stripe::facts::Person>) -> Result<People, StoreError> {
    let mut people = People::new();
    for person in seen {
        let email = person.email.unwrap_or_default();
        let buyer = match person.customer {
            Some(customer) => Some(customer),
            None => email_hash(data_key, &email)?.map(|hash| format!("guest:{hash}")),
        };
        let known = people.entry(buyer.unwrap_or(person.object_id)).or_default();
        if known.email.is_empty() {
            known.email = email;
        }
        if known.name.is_empty() {
            known.name = person.name.unwrap_or_default();
        }
    }
    Ok(people)
}

struct Observe {
    connection: Connection,
    observation: Observation,
    source: Source,
    people: People,
    now: i64,
    link_delay_ms: i64,
}

impl Unit for Observe {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let c = &self.connection;
        let (ws, con) = (&c.workspace_id, &c.connection_id);
        objects::lock_connection(tx, ws, con).await?;
        if connections::is_wiped_since(tx, c).await? {
            return Ok(());
        }
        inbox::insert_observation(tx, ws, con, &self.observation).await?;
        let ctx = Context::load(tx, ws, con, &c.mode, self.now, self.link_delay_ms).await?;
        ingest(tx, &ctx, std::slice::from_ref(&self.source), &self.people).await
    }
}

async fn close(
    app: &App,
    workspace_id: &str,
    job: Job,
    error: Option<String>,
    retry_at: Option<i64>,
) -> Result<(), StoreError> {
    if let Some(error) = &error {
        tracing::warn!(job = job.body, attempts = job.attempts + 1, error, "a look-up at Stripe is not done");
    }
    app.db.write(Close { workspace_id: workspace_id.to_owned(), job, error, retry_at, now: app.now() }).await
}

struct Close {
    workspace_id: String,
    job: Job,
    error: Option<String>,
    retry_at: Option<i64>,
    now: i64,
}

impl Unit for Close {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let (ws, job) = (&self.workspace_id, &self.job);
        if let Some(error) = &self.error {
            return jobs::fail(tx, ws, job, error, self.retry_at).await;
        }
        // What was said meanwhile may need the same answer again, and found this job still there. Under the lock of
        // those who say it, either they see it gone, or it is seen here and the job stays.
        if let Ok(body) = serde_json::from_str::<Body>(&job.body)
            && body.asked_by.is_none()
        {
            objects::lock_connection(tx, ws, &body.connection_id).await?;
            let still = Still { workspace_id: ws.clone(), body: String::new(), now: self.now };
            if still.asker(tx, &body).await?.is_some() {
                return jobs::again(tx, ws, job, self.now).await;
            }
        }
        jobs::finish(tx, ws, &job.kind, &job.dedup).await
    }
}

#[cfg(test)]
#[path = "fetch_tests.rs"]
mod tests;
