//! The owner asks to see a payload as it came. That it was shown, to whom and when, is written to the log.

use super::error::PageError;
use super::visit::{self, Visit};
use super::{event, forms};
use crate::App;
use crate::audit::{Note, note};
use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use serde::Deserialize;
use tributary_store::{StoreError, Tx, Unit};

/// What the form sends.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sent {
    form_token: String,
}

/// `POST /p/{program}/events/{connection}/{event}/reveal`
pub async fn post(
    State(app): State<App>,
    visit: Visit,
    Path(path): Path<(String, String, String)>,
    forms::Posted(sent): forms::Posted<Sent>,
) -> Response {
    let result = reveal(&app, &visit, path, &sent).await;
    visit.answer(result)
}

async fn reveal(
    app: &App,
    visit: &Visit,
    path: (String, String, String),
    sent: &Sent,
) -> Result<Response, PageError> {
    crate::auth::session::check_form(&visit.session, &sent.form_token)?;
    if visit.session.role != "owner" {
        return Err(PageError::NotAllowed);
    }
    let (public_id, connection, event_id) = path.clone();
    let mut answer = event::show(app, visit, path, true).await?;
    // Before it is shown: a payload that nobody wrote down is shown to nobody.
    let shown = Shown {
        line: visit.note("", "payload", event_id.clone(), "shown as it came"),
        public_id,
        now: app.now(),
    };
    app.db.write(shown).await?;
    answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    tracing::info!(
        workspace = visit.session.workspace_id,
        user = visit.session.user_id,
        connection,
        event = event_id,
        "a payload was shown as it came"
    );
    Ok(answer)
}

struct Shown {
    line: Note,
    public_id: String,
    now: i64,
}

impl Unit for Shown {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let program = visit::load(tx, &self.line.workspace_id, &self.public_id).await?.shown.program;
        note(tx, Note { program_id: program.program_id, ..self.line.clone() }, self.now).await
    }
}
