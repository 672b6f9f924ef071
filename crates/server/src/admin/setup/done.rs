//! Leaving the set-up for the overview. What is not done yet can be done later, from the pages that need it.

use super::facts;
use crate::App;
use crate::admin::error::PageError;
use crate::admin::forms::{Posted, may_change};
use crate::admin::visit::Visit;
use crate::ui::text::encode;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use tributary_store::workspaces::{self, Program};
use tributary_store::{StoreError, Tx, Unit};

/// What the form sends.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sent {
    form_token: String,
    program: String,
}

/// `POST /setup/done`
pub async fn post(State(app): State<App>, visit: Visit, Posted(sent): Posted<Sent>) -> Response {
    let result = leave(&app, &visit, sent).await;
    visit.answer(result)
}

async fn leave(app: &App, visit: &Visit, sent: Sent) -> Result<Response, PageError> {
    may_change(visit, &sent.form_token)?;
    let facts = facts(app, visit, &sent.program).await?.ok_or(PageError::NotFound)?;
    let program = facts.shown.program;
    let address = format!("/p/{}", encode(&program.public_id));
    if program.setup_done_at.is_none() {
        app.db.write(Leave { program, now: app.now() }).await?;
    }
    Ok(Redirect::to(&address).into_response())
}

struct Leave {
    program: Program,
    now: i64,
}

impl Unit for Leave {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let found =
            workspaces::find_program(tx, &self.program.workspace_id, &self.program.program_id).await?;
        let missing = || StoreError::NotFound("program".into());
        let program = Program { setup_done_at: Some(self.now), ..found.ok_or_else(missing)? };
        workspaces::update_program(tx, &program, self.now).await
    }
}
