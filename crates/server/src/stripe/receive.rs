//! Receive: verify the signature over the raw bytes, keep the event, answer 2xx. Nothing else.
//!
//! The connection is the one whose secret verified; the body never chooses it. The answer leaves only after
//! the commit, so an event that was answered 2xx survives any crash.

use crate::App;
use crate::body::{BodyError, read_whole};
use crate::track::visitor::Peer;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use tributary_store::connections::{self, Candidate, Connection};
use tributary_store::pipeline::inbox::{self, NewEvent};
use tributary_store::vault::Key;
use tributary_store::{StoreError, Tx, Unit, workspaces};
use tributary_stripe::event::Envelope;
use tributary_stripe::signature::{self, Secret, SignatureError};

/// The largest event that is taken, bytes.
pub const BODY_MAX: usize = 1 << 20;
/// How long the secrets of a program are remembered, ms. A signature that none of them made is looked up anew
/// before it is refused, so a new connection works at once.
const REMEMBER_MS: i64 = 2_000;
/// How often it is written down that a secret verifies, ms.
const VERIFIED_MS: i64 = 60_000;

/// The secrets that may sign for one program.
pub struct Door {
    workspace_id: String,
    data_key: Key,
    candidates: Vec<Candidate>,
    read_at: i64,
    /// When it was last written down of which secret that it verifies. At most as many as candidates.
    told: Mutex<HashMap<String, i64>>,
}

/// Doors by program public id. Only programs that exist are remembered, so it is bounded by their number.
pub type Doors = RwLock<HashMap<String, Arc<Door>>>;

/// `POST /v1/integrations/stripe/{program_public_id}/webhook`
pub async fn receive(
    State(app): State<App>,
    Path(program): Path<String>,
    peer: Peer,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let from = app.track.address(&headers, peer);
    let body = match read_whole(body, BODY_MAX).await {
        Ok(body) => body,
        Err(error) => return Refusal::from(error).into_response(),
    };
    match accept(&app, &program, &headers, &body, from).await {
        Ok(()) => {
            app.refusals.took(&program, app.now());
            (StatusCode::OK, "ok").into_response()
        }
        Err(refusal) => {
            match &refusal {
                Refusal::Signature(error) => app.refusals.count(Some(&program), from, error, app.now()),
                // An id that is guessed is counted against who guesses, and kept nowhere.
                Refusal::NoProgram => app.refusals.count(None, from, &SignatureError::NoMatch, app.now()),
                _ => {}
            }
            refusal.into_response()
        }
    }
}

/// Why an event was not taken.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// No such program.
    #[error("There is no program with this id.")]
    NoProgram,
    /// The signature does not hold.
    #[error("{0}")]
    Signature(#[from] SignatureError),
    /// Signed, but no event.
    #[error("The body was signed by Stripe's secret but is no event: {0}")]
    NoEvent(String),
    /// Too many wrong signatures came from one address.
    #[error("Too many requests with a wrong signature came from this address. Try again in a minute.")]
    TooManyWrong,
    /// The same, of a program that is not known: nothing was looked up.
    #[error("Too many requests with a wrong signature came from this address. Try again in a minute.")]
    TooManyGuesses,
    /// Larger than [`BODY_MAX`].
    #[error("The event is larger than 1 MiB.")]
    TooLarge,
    /// It did not arrive whole.
    #[error("The body did not arrive whole.")]
    Broken,
    /// The database does not take it: Stripe tries again.
    #[error("The event cannot be kept right now; send it again.")]
    Store(#[from] StoreError),
}

impl From<BodyError> for Refusal {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge => Self::TooLarge,
            BodyError::Broken => Self::Broken,
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = match &self {
            Self::NoProgram => StatusCode::NOT_FOUND,
            // A wrong signature is a wrong signature, however many came before it.
            Self::TooManyWrong | Self::TooManyGuesses => {
                let wrong = matches!(self, Self::TooManyWrong);
                let status = if wrong { StatusCode::BAD_REQUEST } else { StatusCode::TOO_MANY_REQUESTS };
                return (status, [(header::RETRY_AFTER, "60")], self.to_string()).into_response();
            }
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Signature(_) | Self::NoEvent(_) | Self::Broken => StatusCode::BAD_REQUEST,
            Self::Store(_) => StatusCode::SERVICE_UNAVAILABLE,
        };
        if let Self::Store(error) = &self {
            tracing::error!(%error, "a webhook could not be kept");
            return (status, [(header::RETRY_AFTER, "5")], self.to_string()).into_response();
        }
        tracing::warn!(reason = %self, "a webhook was refused");
        (status, self.to_string()).into_response()
    }
}

async fn accept(
    app: &App,
    program: &str,
    headers: &HeaderMap,
    body: &Bytes,
    from: Option<IpAddr>,
) -> Result<(), Refusal> {
    let header = headers.get("stripe-signature").map_or("", |value| value.to_str().unwrap_or(""));
    let now = app.now();
    // Who sent many wrong signatures costs no more look-ups; a right signature passes all the same.
    let over = app.refusals.over(from, now);
    let known = app.doors.read().unwrap_or_else(PoisonError::into_inner).contains_key(program);
    if over && !known && !app.refusals.may_look_up(from, now) {
        return Err(Refusal::TooManyGuesses);
    }
    let door = door(app, program, now, false).await?;
    let (door, at) = match verify(&door, header, body, now) {
        Ok(at) => (door, at),
        // The secrets may have changed a moment ago.
        Err(_) if over => return Err(Refusal::TooManyWrong),
        Err(_) if door.read_at < now => {
            let door = self::door(app, program, now, true).await?;
            let at = verify(&door, header, body, now)?;
            (door, at)
        }
        Err(error) => return Err(error.into()),
    };
    let envelope = Envelope::parse(body).map_err(|e| Refusal::NoEvent(e.to_string()))?;
    let candidate = chosen(&door, at, &envelope).ok_or(SignatureError::NoMatch)?;
    let of = Of {
        workspace_id: &door.workspace_id,
        connection_id: &candidate.connection_id,
        mode: &candidate.mode,
        account_id: &candidate.account_id,
        platform: candidate.platform,
    };
    let event = of.event(&door.data_key, &envelope, body, "webhook", now)?;
    let verified = Verified::of(&door, candidate, now);
    if app.db.write(Receive(event)).await? {
        app.wake.notify_one();
    }
    if let Some(verified) = verified {
        // The event is kept: whatever becomes of the note, Stripe need not send it again.
        let secret_id = verified.secret_id.clone();
        if let Err(error) = app.db.write(verified).await {
            tracing::warn!(%error, "that a secret verified an event could not be noted; the next event tries again");
            door.told.lock().unwrap_or_else(PoisonError::into_inner).remove(&secret_id);
        }
    }
    Ok(())
}

/// The connection whose secret verified. Only where several have the very same secret, as those of one platform's
/// endpoint do, the account that the event names chooses among them, and among no others.
fn chosen<'d>(door: &'d Door, at: usize, envelope: &Envelope) -> Option<&'d Candidate> {
    let first = door.candidates.get(at)?;
    let same = door.candidates.iter().filter(|one| one.secret == first.secret);
    let named = same.clone().find(|one| envelope.account.as_ref() == Some(&one.account_id));
    named.or(Some(first))
}

/// That a secret verified an event, written down once a minute.
struct Verified {
    workspace_id: String,
    connection_id: String,
    secret_id: String,
    now: i64,
}

impl Verified {
    fn of(door: &Door, candidate: &Candidate, now: i64) -> Option<Self> {
        let known = candidate.verified_at.unwrap_or(0);
        let mut told = door.told.lock().unwrap_or_else(PoisonError::into_inner);
        let last = told.get(&candidate.secret_id).copied().unwrap_or(0).max(known);
        if now.saturating_sub(last) < VERIFIED_MS {
            return None;
        }
        told.insert(candidate.secret_id.clone(), now);
        Some(Self {
            workspace_id: door.workspace_id.clone(),
            connection_id: candidate.connection_id.clone(),
            secret_id: candidate.secret_id.clone(),
            now,
        })
    }
}

impl Unit for Verified {
    type Out = ();
    const GROUPED: bool = true;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let (ws, con) = (&self.workspace_id, &self.connection_id);
        connections::secrets::verified(tx, ws, con, &self.secret_id, self.now).await
    }
}

fn verify(door: &Door, header: &str, body: &[u8], now: i64) -> Result<usize, SignatureError> {
    let texts: Vec<Secret<'_>> = door
        .candidates
        .iter()
        .map(|candidate| Secret::new(std::str::from_utf8(&candidate.secret).unwrap_or("")))
        .collect();
    signature::verify(header, body, &texts, now.div_euclid(1000), signature::TOLERANCE_S)
}

async fn door(app: &App, program: &str, now: i64, anew: bool) -> Result<Arc<Door>, Refusal> {
    let known = app.doors.read().unwrap_or_else(PoisonError::into_inner).get(program).cloned();
    if let Some(door) = known.filter(|door| !anew && now.saturating_sub(door.read_at) < REMEMBER_MS) {
        return Ok(door);
    }
    let route = app.db.read(FindProgram(program.to_owned())).await?;
    let (workspace_id, program_id) = route.ok_or(Refusal::NoProgram)?;
    let data_key = app.data_key(&workspace_id).await?;
    let unit = Secrets { workspace_id: workspace_id.clone(), program_id, data_key: data_key.clone(), now };
    let candidates = app.db.read(unit).await?;
    let door = Arc::new(Door { workspace_id, data_key, candidates, read_at: now, told: Mutex::default() });
    app.doors.write().unwrap_or_else(PoisonError::into_inner).insert(program.to_owned(), Arc::clone(&door));
    Ok(door)
}

struct FindProgram(String);
impl Unit for FindProgram {
    type Out = Option<(String, String)>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let route = workspaces::find_route(tx, "program", &self.0).await?;
        Ok(route.and_then(|route| Some((route.workspace_id, route.program_id?))))
    }
}

struct Secrets {
    workspace_id: String,
    program_id: String,
    data_key: Key,
    now: i64,
}

impl Unit for Secrets {
    type Out = Vec<Candidate>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        connections::candidates(tx, &self.data_key, &self.workspace_id, &self.program_id, self.now).await
    }
}

/// Whose event it is.
struct Of<'a> {
    workspace_id: &'a str,
    connection_id: &'a str,
    mode: &'a str,
    account_id: &'a str,
    /// Did the secret of a platform's endpoint verify it? What was asked for with the account's own access is the account's.
    platform: bool,
}

impl Of<'_> {
    fn event(
        &self,
        data_key: &Key,
        envelope: &Envelope,
        raw: &[u8],
        via: &'static str,
        now: i64,
    ) -> Result<NewEvent, StoreError> {
        let (outcome, reason) = self.known_outcome(envelope);
        let place = inbox::payload_place(self.connection_id, &envelope.id);
        Ok(NewEvent {
            workspace_id: self.workspace_id.to_owned(),
            connection_id: self.connection_id.to_owned(),
            event_id: envelope.id.clone(),
            type_: envelope.type_.clone(),
            object_id: envelope.object_id.clone().unwrap_or_default(),
            api_version: envelope.api_version.clone().unwrap_or_default(),
            created_at: envelope.created_ms,
            received_at: now,
            via,
            outcome,
            reason,
            body: data_key.seal(&place, raw)?,
        })
    }

    /// Events of the other mode or of another account never reach the ledger; they are kept and shown.
    fn known_outcome(&self, envelope: &Envelope) -> (&'static str, String) {
        let live = self.mode == "live";
        if envelope.livemode.is_some_and(|livemode| livemode != live) {
            let (got, mode) = if live { ("test", "live") } else { ("live", "test") };
            return ("ignored", format!("a {got} event at a {mode} connection"));
        }
        let known = self.account_id.starts_with("acct_");
        // A platform's endpoint hears of every account that is connected to it, and of its own. The account's own endpoint may
        // live on beside it, and the same event then comes by both.
        if self.platform {
            return match &envelope.account {
                Some(account) if account == self.account_id => ("pending", String::new()),
                Some(account) => (
                    "ignored",
                    format!("the event belongs to the account {account}, which is not connected here"),
                ),
                None => ("ignored", "the event is the platform's own, of no connected account".to_owned()),
            };
        }
        if let Some(other) = envelope.account.as_ref().filter(|account| known && *account != self.account_id)
        {
            return ("parked", format!("the event belongs to the account {other}, not to this connection's"));
        }
        ("pending", String::new())
    }
}

/// An event of a connection, sealed and ready to be kept.
///
/// # Errors
/// No randomness.
pub fn new_event(
    data_key: &Key,
    connection: &Connection,
    envelope: &Envelope,
    raw: &[u8],
    via: &'static str,
    now: i64,
) -> Result<NewEvent, StoreError> {
    let of = Of {
        workspace_id: &connection.workspace_id,
        connection_id: &connection.connection_id,
        mode: &connection.mode,
        account_id: &connection.account_id,
        platform: false,
    };
    of.event(data_key, envelope, raw, via, now)
}

/// Keeps one event; answers whether it is new.
pub struct Receive(pub NewEvent);

impl Receive {
    /// Keeps an event in the caller's transaction.
    ///
    /// # Errors
    /// The database's.
    pub async fn keep(tx: &mut Tx<'_>, event: &NewEvent) -> Result<bool, StoreError> {
        inbox::insert_event(tx, event).await
    }
}

impl Unit for Receive {
    type Out = bool;
    const GROUPED: bool = true;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<bool, StoreError> {
        Self::keep(tx, &self.0).await
    }
}
