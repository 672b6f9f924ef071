//! One event: what it said (masked), what became of it, and a button to run it again.

use super::error::PageError;
use super::visit::{self, Visit};
use super::{events, words};
use crate::App;
use crate::auth::login::Signed;
use crate::auth::session::check_form;
use crate::ui::badge::{Badge, Id};
use crate::ui::frame::{Frame, Section};
use crate::ui::json::{masked_html, revealed_html};
use crate::ui::page::page;
use crate::ui::text::{encode, escape_into, object_word};
use crate::ui::when::Instant;
use askama::Template;
use axum::Form;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use tributary_store::pages::events::{self as stored, Line};
use tributary_store::pages::frame;
use tributary_store::pipeline::inbox::payload_place;
use tributary_store::{StoreError, Tx, Unit};

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "pages/event.html")]
pub struct EventPage {
    /// Around it.
    pub frame: Frame,
    /// Its id.
    pub id: Id,
    /// Stripe's type.
    pub kind: String,
    /// What became of it.
    pub badge: Badge,
    /// The same in words.
    pub words: String,
    /// Words and values about it; the values are markup that the page's own code made of escaped parts.
    pub about: Vec<(&'static str, String)>,
    /// The sales that it touched.
    pub changed: Vec<ChangedSale>,
    /// What is said where it changed nothing.
    pub nothing_changed: String,
    /// The payload as masked markup.
    pub payload: String,
    /// Where the button posts to.
    pub rerun_href: String,
    /// Where the owner asks to see what is masked; empty for others, and once it is shown.
    pub reveal_href: String,
    /// Is nothing masked but secrets?
    pub revealed: bool,
}

/// A sale that the event touched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedSale {
    /// The page that explains it.
    pub href: String,
    /// "Sale in_… of $72.00".
    pub what: String,
    /// Where it stands.
    pub detail: String,
    /// The same as a badge.
    pub badge: Badge,
}

/// `GET /p/{program}/events/{connection}/{event}`
pub async fn get(
    State(app): State<App>,
    visit: Visit,
    Path(path): Path<(String, String, String)>,
) -> Response {
    let result = show(&app, &visit, path, false).await;
    visit.answer(result)
}

/// The page; `reveal` shows the payload as it came, but for secrets.
pub(super) async fn show(
    app: &App,
    visit: &Visit,
    path: (String, String, String),
    reveal: bool,
) -> Result<Response, PageError> {
    let (public_id, connection_id, event_id) = path;
    let workspace_id = visit.session.workspace_id.clone();
    let load = Load { workspace_id: workspace_id.clone(), public_id, connection_id, event_id };
    let (loaded, line, sealed) = app.db.read(load).await?;
    let payload = match sealed {
        None => match line.purged_at {
            Some(at) => format!(
                "The payload was purged on {}. What was understood of it is kept.",
                crate::pipeline::clicks::at_words(at)
            ),
            None => "The payload was purged. What was understood of it is kept.".to_owned(),
        },
        Some(sealed) => {
            let key = app.data_key(&workspace_id).await?;
            let place = payload_place(&line.connection_id, &line.event_id);
            let opened = key.open(&place, &sealed)?;
            if reveal { revealed_html(&opened) } else { masked_html(&opened) }
        }
    };
    let frame = visit.frame(&loaded, Section::Events, &line.type_);
    let program_id = &loaded.shown.program.program_id;
    let ours =
        line.touched.as_ref().filter(|touched| touched.program_id.as_ref().is_none_or(|id| id == program_id));
    let changed = ours.map(|touched| ChangedSale {
        href: frame.program.href(&format!("transactions/{}", encode(&touched.root_id))),
        what: format!(
            "{} from {}",
            words::money(touched.paid, &touched.currency).text(),
            words::buyer(&touched.customer, "")
        ),
        detail: events::earned_words(touched),
        badge: words::sale_badge(&touched.state, false, touched.paid, events::gone(touched)),
    });
    let shown = EventPage {
        id: Id::new("event", &line.event_id),
        kind: line.type_.clone(),
        badge: words::event_badge(&line.outcome),
        words: events::outcome_words(&line, program_id, visit.now),
        about: about(&line),
        changed: changed.into_iter().collect(),
        nothing_changed: "Its object belongs to no sale of this program.".to_owned(),
        payload,
        reveal_href: if visit.session.role == "owner" && !reveal {
            rerun_path(&frame.program.public_id, &line.connection_id, &line.event_id)
                .replace("/rerun", "/reveal")
        } else {
            String::new()
        },
        revealed: reveal,
        rerun_href: rerun_path(&frame.program.public_id, &line.connection_id, &line.event_id),
        frame,
    };
    Ok(page(StatusCode::OK, &shown))
}

fn rerun_path(public_id: &str, connection_id: &str, event_id: &str) -> String {
    format!("/p/{}/events/{}/{}/rerun", encode(public_id), encode(connection_id), encode(event_id))
}

fn about(line: &Line) -> Vec<(&'static str, String)> {
    let plain = |text: &str| {
        let mut out = String::new();
        escape_into(&mut out, text);
        out
    };
    let mut about = Vec::new();
    if !line.object_id.is_empty() {
        about.push(("Object", Id::new(object_word(&line.object_id), &line.object_id).to_string()));
    }
    about.push(("Happened", Instant { at: line.created_at }.to_string()));
    about.push(("Received", Instant { at: line.received_at }.to_string()));
    if let Some(at) = line.processed_at {
        about.push(("Done", Instant { at }.to_string()));
    }
    let way = match line.via.as_str() {
        "webhook" => "Webhook, signature valid",
        "poll" => "Read from Stripe's list of events",
        _ => "Backfill",
    };
    about.push(("Way", way.to_owned()));
    if !line.api_version.is_empty() {
        about.push(("API version", plain(&line.api_version)));
    }
    about.push(("Tries", line.attempts.to_string()));
    if !line.reason.is_empty() {
        about.push(("Reason", plain(&line.reason)));
    }
    about.push(("Connection", Id::new("connection", &line.connection_id).to_string()));
    about
}

/// `POST /p/{program}/events/{connection}/{event}/rerun`: puts the event back into the queue.
pub async fn rerun(
    State(app): State<App>,
    visit: Visit,
    Path(path): Path<(String, String, String)>,
    Form(form): Form<Signed>,
) -> Response {
    let result = run_again(&app, &visit, path, &form).await;
    visit.answer(result)
}

async fn run_again(
    app: &App,
    visit: &Visit,
    path: (String, String, String),
    form: &Signed,
) -> Result<Response, PageError> {
    check_form(&visit.session, form.token())?;
    if visit.session.role == "analyst" {
        return Err(PageError::NotAllowed);
    }
    let (public_id, connection_id, event_id) = path;
    let workspace_id = visit.session.workspace_id.clone();
    // The event must be one of the program's: the page's own look-up says so.
    let load = Load { workspace_id: workspace_id.clone(), public_id, connection_id, event_id };
    let (loaded, line, _) = app.db.read(load).await?;
    if !crate::pipeline::rerun_event(app, &workspace_id, &line.connection_id, &line.event_id).await? {
        return Err(PageError::NotFound);
    }
    let back = rerun_path(&loaded.shown.program.public_id, &line.connection_id, &line.event_id);
    Ok(Redirect::to(back.trim_end_matches("/rerun")).into_response())
}

struct Load {
    workspace_id: String,
    public_id: String,
    connection_id: String,
    event_id: String,
}

impl Unit for Load {
    type Out = (frame::Frame, Line, Option<Vec<u8>>);
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let loaded = visit::load(tx, &self.workspace_id, &self.public_id).await?;
        let missing = || StoreError::NotFound(format!("event {}", self.event_id));
        if !loaded.connections.iter().any(|line| line.connection_id == self.connection_id) {
            return Err(missing());
        }
        let found = stored::find(tx, &loaded.place(), &self.connection_id, &self.event_id).await?;
        let (line, body) = found.ok_or_else(missing)?;
        Ok((loaded, line, body))
    }
}
