//! The inbox: events kept raw, their outcomes, and observations.

use crate::{P, Row, StoreError, Tx};

/// An event to be kept.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// The workspace.
    pub workspace_id: String,
    /// The connection whose secret verified it, or that was polled.
    pub connection_id: String,
    /// `evt_…`
    pub event_id: String,
    /// The Stripe type.
    pub type_: String,
    /// The object it is about, or empty.
    pub object_id: String,
    /// As the event says, or empty.
    pub api_version: String,
    /// Stripe's time, ms UTC.
    pub created_at: i64,
    /// Ours, ms UTC.
    pub received_at: i64,
    /// `webhook`, `poll` or `backfill`.
    pub via: &'static str,
    /// `pending`, or `ignored`/`parked` where that is known at once.
    pub outcome: &'static str,
    /// Why, for a person.
    pub reason: String,
    /// The raw body, sealed.
    pub body: Vec<u8>,
}

/// Milliseconds in a day.
const DAY_MS: i64 = 86_400_000;

/// Where a raw event lies, for the vault.
#[must_use]
pub fn payload_place(connection_id: &str, event_id: &str) -> String {
    format!("event_payload.body/{connection_id}/{event_id}")
}

/// Where a kept answer lies, for the vault.
#[must_use]
pub fn observation_place(connection_id: &str, observation_id: &str) -> String {
    format!("observation.body/{connection_id}/{observation_id}")
}

/// Keeps an event; `false` if its id is known already.
///
/// # Errors
/// The database's.
pub async fn insert_event(tx: &mut Tx<'_>, event: &NewEvent) -> Result<bool, StoreError> {
    let sql = "INSERT INTO event (workspace_id, connection_id, event_id, type, object_id, api_version, created_at, \
         received_at, via, outcome, reason, attempts, run_at, processed_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0, $8, NULL) \
         ON CONFLICT (workspace_id, connection_id, event_id) DO NOTHING";
    let e = event;
    let (ws, con, id) = (P::T(&e.workspace_id), P::T(&e.connection_id), P::T(&e.event_id));
    let params = [
        ws,
        con,
        id,
        P::T(&e.type_),
        P::T(&e.object_id),
        P::T(&e.api_version),
        P::I(e.created_at),
        P::I(e.received_at),
        P::T(e.via),
        P::T(e.outcome),
        P::T(&e.reason),
    ];
    if tx.exec(sql, &params).await? == 0 {
        return Ok(false);
    }
    let sql = "INSERT INTO event_payload (workspace_id, connection_id, event_id, created_at, body) \
         VALUES ($1, $2, $3, $4, $5)";
    tx.exec(sql, &[ws, con, id, P::I(e.created_at), P::B(&e.body)]).await?;
    let sql = "INSERT INTO connection_day (workspace_id, connection_id, day, shard, events) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (workspace_id, connection_id, day, shard) \
         DO UPDATE SET events = connection_day.events + excluded.events";
    let day = e.received_at.div_euclid(DAY_MS);
    let one = vec![ws, con, P::I(day), P::I(shard_of(&e.event_id)), P::I(1)];
    tx.add_each(sql, &[one], 4).await?;
    Ok(true)
}

/// Which of the day's counters an event counts in: by its id, so that writers at once rarely meet.
fn shard_of(event_id: &str) -> i64 {
    const SHARDS: u32 = 16;
    let sum = event_id.bytes().fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte)));
    i64::from(sum % SHARDS)
}

/// An event with its raw body, still sealed.
#[derive(Debug, Clone)]
pub struct StoredEvent {
    /// `evt_…`
    pub event_id: String,
    /// How often it was tried before.
    pub attempts: i64,
    /// The sealed body; `None` if it was purged.
    pub body: Option<Vec<u8>>,
    /// When it was received, ms UTC.
    pub received_at: i64,
}

fn stored(row: &Row) -> Result<StoredEvent, StoreError> {
    Ok(StoredEvent {
        event_id: row.text(0)?,
        attempts: row.int(1)?,
        received_at: row.int(2)?,
        body: if row.flag(3)? { Some(row.bytes(4)?) } else { None },
    })
}

/// Pending events of a connection that are due, oldest first.
///
/// # Errors
/// The database's.
pub async fn due_events(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
    now: i64,
    limit: i64,
) -> Result<Vec<StoredEvent>, StoreError> {
    let sql = "SELECT e.event_id, e.attempts, e.received_at, p.event_id IS NOT NULL, p.body FROM event e \
         LEFT JOIN event_payload p ON p.workspace_id = e.workspace_id AND p.connection_id = e.connection_id \
         AND p.event_id = e.event_id AND p.created_at = e.created_at \
         WHERE e.workspace_id = $1 AND e.connection_id = $2 AND e.outcome = 'pending' AND e.run_at <= $3 \
         ORDER BY e.run_at LIMIT $4";
    let params = [P::T(workspace_id), P::T(connection_id), P::I(now), P::I(limit)];
    tx.rows(sql, &params).await?.iter().map(stored).collect()
}

/// All events of a connection in order of id, after a given id: for replay.
///
/// # Errors
/// The database's.
pub async fn events_after(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
    after: &str,
    limit: i64,
) -> Result<Vec<StoredEvent>, StoreError> {
    let sql = "SELECT e.event_id, e.attempts, e.received_at, p.event_id IS NOT NULL, p.body FROM event e \
         LEFT JOIN event_payload p ON p.workspace_id = e.workspace_id AND p.connection_id = e.connection_id \
         AND p.event_id = e.event_id AND p.created_at = e.created_at \
         WHERE e.workspace_id = $1 AND e.connection_id = $2 AND e.event_id > $3 ORDER BY e.event_id LIMIT $4";
    let params = [P::T(workspace_id), P::T(connection_id), P::T(after), P::I(limit)];
    tx.rows(sql, &params).await?.iter().map(stored).collect()
}

/// The outcome of each of the given events; empty for one that is not there.
///
/// # Errors
/// The database's.
pub async fn outcomes_of(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
    event_ids: &[&str],
) -> Result<Vec<String>, StoreError> {
    let sql = "SELECT outcome FROM event WHERE workspace_id = $1 AND connection_id = $2 AND event_id = $3";
    let sets: Vec<_> =
        event_ids.iter().map(|id| vec![P::T(workspace_id), P::T(connection_id), P::T(id)]).collect();
    let rows = tx.rows_each(sql, &sets).await?;
    rows.iter().map(|rows| rows.first().map_or(Ok(String::new()), |row| row.text(0))).collect()
}

/// What became of an event.
#[derive(Debug, Clone)]
pub struct EventOutcome {
    /// `evt_…`
    pub event_id: String,
    /// `processed`, `ignored`, `parked`, or `pending` to try again.
    pub outcome: &'static str,
    /// Why, for a person.
    pub reason: String,
    /// Tries so far.
    pub attempts: i64,
    /// When to try again, ms UTC (for `pending`).
    pub run_at: i64,
}

/// Writes down what became of events; returns how many of them are still there.
///
/// # Errors
/// The database's.
pub async fn set_outcomes(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
    outcomes: &[EventOutcome],
    now: i64,
) -> Result<usize, StoreError> {
    let sql = "UPDATE event SET outcome = $4, reason = $5, attempts = $6, run_at = $7, processed_at = $8 \
         WHERE workspace_id = $1 AND connection_id = $2 AND event_id = $3";
    let sets: Vec<Vec<P<'_>>> = outcomes
        .iter()
        .map(|o| {
            let (ws, con, id) = (P::T(workspace_id), P::T(connection_id), P::T(&o.event_id));
            vec![ws, con, id, P::T(o.outcome), P::T(&o.reason), P::I(o.attempts), P::I(o.run_at), P::I(now)]
        })
        .collect();
    Ok(usize::try_from(tx.exec_each(sql, &sets).await?).unwrap_or(usize::MAX))
}

/// When the event came in that has waited longest, ms UTC; `None` if none waits.
///
/// # Errors
/// The database's.
pub async fn oldest_pending(tx: &mut Tx<'_>, workspace_id: &str) -> Result<Option<i64>, StoreError> {
    let sql = "SELECT MIN(received_at) FROM event WHERE workspace_id = $1 AND outcome = 'pending'";
    tx.opt(sql, &[P::T(workspace_id)]).await?.map_or(Ok(None), |row| row.opt_int(0))
}

/// Puts an event back into the queue. `false` if there is no such event.
///
/// # Errors
/// The database's.
pub async fn requeue_event(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
    event_id: &str,
    now: i64,
) -> Result<bool, StoreError> {
    let sql = "UPDATE event SET outcome = 'pending', reason = '', attempts = 0, run_at = $4 \
         WHERE workspace_id = $1 AND connection_id = $2 AND event_id = $3";
    let params = [P::T(workspace_id), P::T(connection_id), P::T(event_id), P::I(now)];
    Ok(tx.exec(sql, &params).await? == 1)
}

/// An answer of Stripe to be kept.
#[derive(Debug, Clone)]
pub struct Observation {
    /// `obs_…`
    pub observation_id: String,
    /// What was asked: the text form of the fetch.
    pub request: String,
    /// The object id it was asked for.
    pub subject: String,
    /// HTTP status.
    pub http_status: i64,
    /// ms UTC.
    pub fetched_at: i64,
    /// The body, sealed; empty if it was purged.
    pub body: Vec<u8>,
}

/// Keeps an answer.
///
/// # Errors
/// The database's.
pub async fn insert_observation(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
    o: &Observation,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO observation (workspace_id, connection_id, observation_id, request, subject, http_status, \
         fetched_at, body) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
         ON CONFLICT (workspace_id, connection_id, observation_id) DO NOTHING";
    let params = [
        P::T(workspace_id),
        P::T(connection_id),
        P::T(&o.observation_id),
        P::T(&o.request),
        P::T(&o.subject),
        P::I(o.http_status),
        P::I(o.fetched_at),
        P::B(&o.body),
    ];
    tx.exec(sql, &params).await?;
    Ok(())
}

/// Answers of a connection in order of id, after a given id: for replay.
///
/// # Errors
/// The database's.
pub async fn observations_after(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
    after: &str,
    limit: i64,
) -> Result<Vec<Observation>, StoreError> {
    let sql = "SELECT observation_id, request, subject, http_status, fetched_at, body FROM observation \
         WHERE workspace_id = $1 AND connection_id = $2 AND observation_id > $3 ORDER BY observation_id LIMIT $4";
    let params = [P::T(workspace_id), P::T(connection_id), P::T(after), P::I(limit)];
    let rows = tx.rows(sql, &params).await?;
    rows.iter()
        .map(|row| {
            Ok(Observation {
                observation_id: row.text(0)?,
                request: row.text(1)?,
                subject: row.text(2)?,
                http_status: row.int(3)?,
                fetched_at: row.int(4)?,
                body: row.bytes(5)?,
            })
        })
        .collect()
}
