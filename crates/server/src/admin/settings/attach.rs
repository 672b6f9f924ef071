//! A connection that is known already feeds this program too, or does not any more.

use super::connection::line;
use super::stripe::LoadConnections;
use super::{Load, back};
use crate::App;
use crate::admin::error::PageError;
use crate::admin::forms::{Posted, may_change};
use crate::admin::visit::Visit;
use crate::audit::record;
use crate::auth::login::Signed;
use crate::connect::rotate::forget_doors;
use crate::pipeline::{program_attached, program_detached};
use axum::extract::{Path, State};
use axum::response::Response;
use tributary_store::connections::{self, Connection, watch};
use tributary_store::pipeline::objects;
use tributary_store::workspaces::Program;
use tributary_store::{StoreError, Tx, Unit};

type Named = Path<(String, String)>;

/// `POST …/settings/stripe/{connection}/attach`
pub async fn attach(
    State(app): State<App>,
    visit: Visit,
    Path((public_id, id)): Named,
    Posted(form): Posted<Signed>,
) -> Response {
    let result = async {
        may_change(&visit, form.token())?;
        let (loaded, _) = app.db.read(LoadConnections(Load::new(&visit, &public_id))).await?;
        let unit =
            Attach { program: loaded.shown.program.clone(), connection_id: id.clone(), now: app.now() };
        let one = app.db.write(unit).await?;
        let name = &loaded.shown.program.name;
        record(&app, line(&visit, &one, &format!("feeds {name} too"))).await?;
        forget_doors(&app);
        app.wake.notify_one();
        Ok(back(&public_id, "settings/stripe", "attached"))
    };
    visit.answer(result.await)
}

/// `POST …/settings/stripe/{connection}/detach`: history stays, and so does the connection, if another program is
/// fed by it. The last program of a connection is let go by disconnecting.
pub async fn detach(
    State(app): State<App>,
    visit: Visit,
    Path((public_id, id)): Named,
    Posted(form): Posted<Signed>,
) -> Response {
    let result = async {
        may_change(&visit, form.token())?;
        let (loaded, all) = app.db.read(LoadConnections(Load::new(&visit, &public_id))).await?;
        if all.iter().all(|(one, _)| one.connection_id != id) {
            return Err(PageError::NotFound);
        }
        let detached = app
            .db
            .write(Detach {
                program: loaded.shown.program.clone(),
                connection_id: id.clone(),
                now: app.now(),
            })
            .await?;
        if detached && let Some((one, _)) = all.iter().find(|(one, _)| one.connection_id == id) {
            let name = &loaded.shown.program.name;
            record(&app, line(&visit, one, &format!("does not feed {name} any more"))).await?;
        }
        forget_doors(&app);
        app.wake.notify_one();
        Ok(back(&public_id, "settings/stripe", if detached { "detached" } else { "detach-last" }))
    };
    visit.answer(result.await)
}

struct Attach {
    program: Program,
    connection_id: String,
    now: i64,
}

impl Unit for Attach {
    type Out = Connection;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Connection, StoreError> {
        let (ws, program) = (&self.program.workspace_id, &self.program.program_id);
        let found: Option<Connection> = connections::find(tx, ws, &self.connection_id).await?;
        let missing = || StoreError::NotFound(format!("connection {}", self.connection_id));
        let one = found.filter(|one| one.status != "disconnected").ok_or_else(missing)?;
        connections::attach(tx, ws, &one.connection_id, program, self.now).await?;
        // What the connection brought before may fit the program that it feeds from now on.
        program_attached(tx, (ws, program), &one.connection_id, &one.mode, self.now).await?;
        Ok(one)
    }
}

struct Detach {
    program: Program,
    connection_id: String,
    now: i64,
}

impl Unit for Detach {
    type Out = bool;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<bool, StoreError> {
        let ws = &self.program.workspace_id;
        objects::lock_connection(tx, ws, &self.connection_id).await?;
        let fed = watch::programs_of(tx, ws, &self.connection_id).await?;
        let found = connections::find(tx, ws, &self.connection_id).await?;
        let alive = found.as_ref().is_some_and(|one| one.status != "disconnected");
        // The endpoint's address names a program: that one stays, or its events would be refused.
        let named = found.and_then(|one| one.endpoint_url).unwrap_or_default();
        let path = format!("/stripe/{}/webhook", self.program.public_id);
        if alive && (fed.len() < 2 || named.ends_with(&path)) {
            return Ok(false);
        }
        let was = watch::detach(tx, ws, &self.connection_id, &self.program.program_id, self.now).await?;
        program_detached(tx, ws, &self.connection_id, self.now).await?;
        Ok(was)
    }
}
