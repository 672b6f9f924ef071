//! Step 3: Stripe by a restricted key. The check runs by itself; the page shows how far it has come.

use super::{Typed, address, show};
use crate::App;
use crate::admin::error::PageError;
use crate::admin::forms::{Posted, may_change};
use crate::admin::visit::{self, Visit};
use crate::connect::checks::{Checks, Progress};
use crate::connect::{Request, With};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use secrecy::SecretString;
use serde::Deserialize;
use tributary_store::{StoreError, Tx, Unit};

/// What the form sends.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sent {
    form_token: String,
    program: String,
    api_key: SecretString,
}

/// `POST /setup/stripe`
pub async fn post(State(app): State<App>, visit: Visit, Posted(sent): Posted<Sent>) -> Response {
    let result = begin(&app, &visit, sent).await;
    visit.answer(result)
}

async fn begin(app: &App, visit: &Visit, sent: Sent) -> Result<Response, PageError> {
    may_change(visit, &sent.form_token)?;
    match connect(app, visit, &sent.program, sent.api_key, None).await? {
        Some(id) => Ok(Redirect::to(&address(&sent.program, &id, "stripe")).into_response()),
        None => {
            let check = Some(Progress::Failed(BUSY.to_owned()));
            let typed = Typed { check, ..Typed::default() };
            show(app, visit, &sent.program, typed, StatusCode::SERVICE_UNAVAILABLE).await
        }
    }
}

/// Said where too many keys are checked at once.
pub(crate) const BUSY: &str =
    "Several keys are being checked just now. Nothing was changed. Wait a moment and press again.";

/// Begins to connect a program of the visitor's own workspace. `None` if too many checks run.
///
/// # Errors
/// [`PageError::NotFound`] for another workspace's program.
pub(crate) async fn connect(
    app: &App,
    visit: &Visit,
    public_id: &str,
    api_key: SecretString,
    only: Option<String>,
) -> Result<Option<String>, PageError> {
    let workspace_id = visit.session.workspace_id.clone();
    app.db.read(Own { workspace_id: workspace_id.clone(), public_id: public_id.to_owned() }).await?;
    let program = public_id.to_owned();
    let request = Request {
        program,
        with: With::Key(api_key),
        webhook_secret: None,
        api_base: None,
        poll: false,
        actor: crate::audit::user(&visit.session.email),
        only,
    };
    Ok(Checks::begin(app, &workspace_id, request)?)
}

struct Own {
    workspace_id: String,
    public_id: String,
}

impl Unit for Own {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        visit::load(tx, &self.workspace_id, &self.public_id).await.map(drop)
    }
}
