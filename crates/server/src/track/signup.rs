//! `POST /t/{program_public_id}/signup`: the script tells of a sign-up.
//!
//! A browser's word is evidence, never authority, and its answer tells nothing: what was said well is answered with
//! 204 before it is looked at, so that neither status nor time says who is a customer.

use super::limits::{SIGNUPS, SIGNUPS_ALL};
use super::visit::from_own_page;
use super::visitor::{Peer, is_visit_id, page};
use super::wire::{Refusal, VISITOR_MAX, read};
use crate::App;
use crate::api::fields::{is_email, text_problem};
use crate::pipeline::{Signup, record_browser_signup};
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, mpsc, oneshot};
use tributary_store::api::Place;
use tributary_store::links::is_key;
use tributary_store::track::visits::Sighting;
use tributary_store::vault::Key;
use tributary_store::{Db, StoreError, Tx, Unit};

/// Sign-ups that may wait, some 600 bytes each.
const ROOM: usize = 2_000;
/// Pause before a database that was away is tried again.
const AGAIN: Duration = Duration::from_millis(250);

#[derive(Debug, Deserialize)]
struct Told {
    key: Option<String>,
    email: Option<String>,
    name: Option<String>,
    surname: Option<String>,
    partner: Option<String>,
    visitor: Option<String>,
    page: Option<String>,
}

/// Takes a sign-up. 204 for everything that is well said.
pub async fn post(
    State(app): State<App>,
    Path(public_id): Path<String>,
    peer: Peer,
    headers: HeaderMap,
    body: Body,
) -> Response {
    match take(&app, &public_id, peer, &headers, body).await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

async fn take(
    app: &App,
    public_id: &str,
    peer: Peer,
    headers: &HeaderMap,
    body: Body,
) -> Result<(), Refusal> {
    let told: Told = read(body).await?;
    let at = app.now();
    let signup = told.check(at)?;
    let told_page = told.page.as_deref();
    let program = app.track.cache.program(app, public_id).await.ok_or(Refusal::NoProgram)?;
    if !from_own_page(&program, headers, told_page) {
        return Ok(());
    }
    let ip = app.track.address(headers, peer);
    let limits = &app.track.limits;
    if !limits.take("sign-up", public_id, ip, SIGNUPS, at)
        || !limits.take("all sign-ups", public_id, None, SIGNUPS_ALL, at)
    {
        tracing::warn!(program = public_id, "sign-ups from a browser were left out: too many");
        return Ok(());
    }
    let row = &program.row;
    let (workspace_id, program_id) = (row.workspace_id.clone(), row.program_id.clone());
    if !signup.page.is_empty() {
        let (workspace_id, program_id) = (workspace_id.clone(), program_id.clone());
        app.track.queue.see(Sighting {
            workspace_id,
            program_id,
            kind: "signup",
            url: signup.page.clone(),
            at,
        });
    }
    let place = Place { workspace_id, program_id, mode: row.mode.to_owned() };
    app.track.signups.put(Write { place, data_key: program.key.clone(), signup }).map_err(|()| Refusal::Full)
}

impl Told {
    /// Every field by its form, whoever it is about.
    fn check(&self, at: i64) -> Result<Signup, Refusal> {
        let text = |field: &str, value: &Option<String>, max: usize| {
            let text = value.as_deref().unwrap_or("").trim();
            match text_problem(text, max) {
                Some(why) => Err(Refusal::Field(format!("The {field} {why}."))),
                None => Ok(text.to_owned()),
            }
        };
        let email = text("email", &self.email, 255)?.to_lowercase();
        if !email.is_empty() && !is_email(&email) {
            return Err(Refusal::Field("The email is no e-mail address.".to_owned()));
        }
        let key = text("key", &self.key, 255)?;
        let key = if key.is_empty() { email.clone() } else { key };
        if key.is_empty() {
            return Err(Refusal::Field("A sign-up has a key or an email.".to_owned()));
        }
        if key.chars().count() > 64 && !is_email(&key) {
            return Err(Refusal::Field("The key must not be longer than 64 characters.".to_owned()));
        }
        let partner = self.partner.as_deref().filter(|partner| is_key(partner)).unwrap_or("");
        let visitor = self.visitor.as_deref().filter(|id| id.len() <= VISITOR_MAX && is_visit_id(id));
        Ok(Signup {
            key,
            email,
            name: text("name", &self.name, 100)?,
            surname: text("surname", &self.surname, 100)?,
            partner_key: partner.to_owned(),
            visitor: visitor.unwrap_or("").to_owned(),
            page: page(self.page.as_deref().unwrap_or("")),
            at,
        })
    }
}

/// One sign-up on its way into the database.
#[derive(Clone)]
struct Write {
    place: Place,
    data_key: Key,
    signup: Signup,
}

impl Unit for Write {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let outcome = record_browser_signup(tx, &self.place, &self.data_key, &self.signup).await?;
        tracing::debug!(?outcome, "a browser told of a sign-up");
        Ok(())
    }
}

enum Item {
    Write(Box<Write>),
    Flush(oneshot::Sender<()>),
}

/// Sign-ups on their way, one after the other. What a crash can lose is what waits here: a few milliseconds, or as
/// long as the database is away.
pub struct Signups {
    sender: mpsc::Sender<Item>,
    receiver: Mutex<Option<mpsc::Receiver<Item>>>,
}

impl std::fmt::Debug for Signups {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signups").field("room", &self.sender.capacity()).finish()
    }
}

impl Default for Signups {
    fn default() -> Self {
        let (sender, receiver) = mpsc::channel(ROOM);
        Self { sender, receiver: Mutex::new(Some(receiver)) }
    }
}

impl Signups {
    /// Starts the writer, once.
    pub(super) fn start(&self, db: &Db, wake: &Arc<Notify>) {
        let receiver = self.receiver.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(receiver) = receiver {
            tokio::spawn(write(db.clone(), Arc::clone(wake), receiver));
        }
    }

    fn put(&self, write: Write) -> Result<(), ()> {
        self.sender
            .try_send(Item::Write(Box::new(write)))
            .map_err(|_| tracing::warn!("no room for a sign-up"))
    }

    /// Waits until all that was taken before is written.
    pub async fn flush(&self) {
        let (answer, answered) = oneshot::channel();
        if self.sender.send(Item::Flush(answer)).await.is_ok() && answered.await.is_err() {
            tracing::warn!("the writer of sign-ups ended early");
        }
    }
}

async fn write(db: Db, wake: Arc<Notify>, mut queue: mpsc::Receiver<Item>) {
    while let Some(item) = queue.recv().await {
        let write = match item {
            Item::Write(write) => write,
            Item::Flush(answer) => {
                // Nobody waits any longer: what was to be written is written all the same.
                let _gone = answer.send(());
                continue;
            }
        };
        loop {
            match db.write(Write::clone(&write)).await {
                Ok(()) => wake.notify_one(),
                Err(error) if error.is_unavailable() => {
                    tracing::debug!(%error, "a sign-up waits");
                    tokio::time::sleep(AGAIN).await;
                    continue;
                }
                Err(error) => tracing::error!(%error, "a sign-up was refused"),
            }
            break;
        }
    }
}
