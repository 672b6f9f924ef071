//! What connecting reads and writes.

use super::ConnectFailure;
use super::delivery::{Delivery, webhook_url};
use crate::audit::{Note, note};
use crate::pipeline::program_attached;
use crate::state::{App, new_id};
use secrecy::{ExposeSecret, SecretString};
use std::collections::BTreeSet;
use tributary_domain::ids::IdKind;
use tributary_store::connections::secrets::{self, NewSecret};
use tributary_store::connections::{self, Connection, api_key_place, watch};
use tributary_store::oauth::tokens::{self, Tokens};
use tributary_store::pipeline::{jobs, objects};
use tributary_store::vault::Key;
use tributary_store::workspaces::{self, Program};
use tributary_store::{StoreError, Tx, Unit};

/// A connection as the key describes it, before it is known whether there is one.
pub(super) struct Entry {
    pub(super) data_key: Key,
    pub(super) program: Program,
    pub(super) mode: &'static str,
    pub(super) account_id: String,
    pub(super) account_name: String,
    pub(super) api_base: String,
    pub(super) key_hint: String,
    /// `key`, `app` or `connect`.
    pub(super) auth: &'static str,
    /// The account's own key; empty where OAuth lets it in.
    pub(super) api_key: SecretString,
    /// What an App was granted.
    pub(super) tokens: Option<Tokens>,
    pub(super) new_id: String,
    pub(super) now: i64,
    /// The one connection that may be renewed; `None` takes any account.
    pub(super) only: Option<String>,
}

/// Said where a key does not belong to the connection that it was given for.
pub(super) const OTHER_ACCOUNT: &str = "the key belongs to another account or mode than this connection";

struct FindProgram(String);

impl Unit for FindProgram {
    type Out = Option<Program>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Option<Program>, StoreError> {
        if let Some(program) = workspaces::find_program_by_public_id(tx, &self.0).await? {
            return Ok(Some(program));
        }
        for (workspace_id, _, _) in workspaces::list_workspaces(tx).await? {
            if let Some(program) = workspaces::find_program(tx, &workspace_id, &self.0).await? {
                return Ok(Some(program));
            }
        }
        Ok(None)
    }
}

/// The program by its public id, of any case, or its private one.
pub(super) async fn program(app: &App, id: &str) -> Result<Program, ConnectFailure> {
    let id = id.trim();
    let wanted = if id.starts_with("prg_") { id.to_owned() } else { id.to_ascii_uppercase() };
    let found = app.db.read(FindProgram(wanted)).await?;
    found.ok_or_else(|| ConnectFailure::NoProgram(id.chars().take(40).collect()))
}

impl Unit for Entry {
    type Out = (Connection, Option<Connection>);
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let ws = &self.program.workspace_id;
        let known = connections::find_by_account(tx, ws, self.mode, &self.account_id).await?;
        let locked = known.as_ref().map(|found| found.connection_id.as_str()).into_iter().collect();
        objects::lock_each(tx, ws, &locked, &BTreeSet::from([self.program.program_id.as_str()])).await?;
        // Once more: somebody else may just have connected, checked or disconnected it.
        let known = connections::find_by_account(tx, ws, self.mode, &self.account_id).await?;
        let before = known.clone();
        // The key is another one, but the row stays the account's: its history and its programs hang on it.
        let other = |id: &String| known.as_ref().is_none_or(|found| &found.connection_id != id);
        if self.only.as_ref().is_some_and(other) {
            return Err(StoreError::Conflict(OTHER_ACCOUNT.to_owned()));
        }
        let mut connection = known.unwrap_or_else(|| self.fresh());
        connection.api_key = self
            .data_key
            .seal(&api_key_place(&connection.connection_id), self.api_key.expose_secret().as_bytes())?;
        self.auth.clone_into(&mut connection.auth);
        connection.key_hint.clone_from(&self.key_hint);
        if !self.account_name.is_empty() {
            connection.account_name.clone_from(&self.account_name);
        }
        connection.api_base.clone_from(&self.api_base);
        connection.status = "connected".to_owned();
        connection.status_reason = String::new();
        if before.is_some() {
            connections::update(tx, &connection, self.now).await?;
        } else {
            connections::insert(tx, &connection).await?;
        }
        let id = &connection.connection_id;
        match &self.tokens {
            Some(tokens) => {
                // A renewal of the ones before that is still on its way belongs to an older version.
                let before = tokens::find(tx, &self.data_key, ws, id).await?;
                let version = before.map_or(tokens.version, |before| before.version.saturating_add(1));
                tokens::put(tx, &self.data_key, ws, id, &Tokens { version, ..tokens.clone() }).await?;
            }
            None => tokens::remove(tx, ws, id).await?,
        }
        connections::attach(tx, ws, id, &self.program.program_id, self.now).await?;
        if before.is_some() {
            // What waited for a key that works goes on at once.
            jobs::resume_of_connection(tx, ws, crate::pipeline::fetch::KIND, id, self.now).await?;
            // What the connection brought before may fit the program that it feeds from now on.
            program_attached(tx, (ws, &self.program.program_id), id, self.mode, self.now).await?;
        }
        Ok((connection, before))
    }
}

impl Entry {
    fn fresh(&self) -> Connection {
        Connection {
            workspace_id: self.program.workspace_id.clone(),
            connection_id: self.new_id.clone(),
            mode: self.mode.to_owned(),
            account_id: self.account_id.clone(),
            account_name: String::new(),
            api_base: String::new(),
            api_key: Vec::new(),
            key_hint: String::new(),
            status: String::new(),
            status_reason: String::new(),
            warnings: "[]".to_owned(),
            endpoint_id: None,
            endpoint_url: None,
            polling: false,
            cursor_at: self.now,
            created_at: self.now,
            permissions: "[]".to_owned(),
            checked_at: None,
            auth: String::new(),
            wiped: 0,
        }
    }
}

/// The account's connection in its mode, with the new key, feeding the program; and as it was before.
pub(super) async fn find_or_insert(
    app: &App,
    entry: Entry,
) -> Result<(Connection, Option<Connection>), StoreError> {
    app.db.write(entry).await
}

struct Attached(Connection);

impl Unit for Attached {
    type Out = Vec<Program>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Vec<Program>, StoreError> {
        let (ws, mut fed) = (&self.0.workspace_id, Vec::new());
        for program in workspaces::list_programs(tx, ws).await? {
            let of_program = connections::list_of_program(tx, ws, &program.program_id).await?;
            if of_program.iter().any(|one| one.connection_id == self.0.connection_id) {
                fed.push(program);
            }
        }
        Ok(fed)
    }
}

/// Where the connection's one endpoint points: at the program that it was made for, as long as that is fed by the
/// connection; else at this one.
pub(super) async fn endpoint_url(
    app: &App,
    connection: &Connection,
    program: &Program,
) -> Result<String, StoreError> {
    let here = webhook_url(&app.settings.public_url, &program.public_id);
    let Some(stored) = &connection.endpoint_url else { return Ok(here) };
    let fed = app.db.read(Attached(connection.clone())).await?;
    let first = fed.iter().find(|one| stored.contains(&format!("/stripe/{}/webhook", one.public_id)));
    Ok(first.map_or(here, |one| webhook_url(&app.settings.public_url, &one.public_id)))
}

struct Finish {
    connection: Connection,
    program_id: String,
    data_key: Key,
    secret: Option<(String, SecretString)>,
    /// Did Stripe tell the secret of an endpoint that we made?
    made: bool,
    line: Note,
    now: i64,
}

impl Unit for Finish {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let (ws, id) = (&self.connection.workspace_id, &self.connection.connection_id);
        objects::lock_connection(tx, ws, id).await?;
        let missing = || StoreError::NotFound(format!("connection {id}"));
        let mut row = connections::find(tx, ws, id).await?.ok_or_else(missing)?;
        // Key and status are left as they are: Stripe was asked for a while, and they may have changed since.
        row.endpoint_id.clone_from(&self.connection.endpoint_id);
        row.endpoint_url.clone_from(&self.connection.endpoint_url);
        row.polling = self.connection.polling;
        row.warnings.clone_from(&self.connection.warnings);
        row.permissions.clone_from(&self.connection.permissions);
        row.checked_at = self.connection.checked_at;
        connections::update(tx, &row, self.now).await?;
        watch::looked(tx, ws, id, self.now).await?;
        note(tx, self.line.clone(), self.now).await?;
        let Some((secret_id, secret)) = &self.secret else { return Ok(()) };
        let secret = secret.expose_secret();
        let known = connections::candidates(tx, &self.data_key, ws, &self.program_id, self.now).await?;
        if known.iter().any(|one| &one.connection_id == id && one.secret.as_slice() == secret.as_bytes()) {
            return Ok(());
        }
        let endpoint_id = self.connection.endpoint_id.as_deref().filter(|_| self.made);
        let new = NewSecret {
            workspace_id: ws,
            connection_id: id,
            secret_id,
            endpoint_id,
            expires_at: None,
            now: self.now,
        };
        secrets::add(tx, &self.data_key, &new, secret).await
    }
}

/// Stores how events arrive.
pub(super) async fn finish(
    app: &App,
    mut connection: Connection,
    program: &Program,
    delivery: &Delivery,
    warnings: &[String],
    permissions: &[super::Permission],
    line: Note,
) -> Result<(), StoreError> {
    let data_key = app.data_key(&connection.workspace_id).await?;
    connection.endpoint_id.clone_from(&delivery.endpoint_id);
    let webhooks = delivery.endpoint_id.is_some() || delivery.secret.is_some();
    connection.endpoint_url = webhooks.then(|| delivery.url.clone());
    connection.polling = delivery.polling;
    connection.warnings = serde_json::to_string(warnings).unwrap_or_else(|_| "[]".to_owned());
    connection.permissions = super::permissions_text(permissions);
    connection.checked_at = Some(app.now());
    let secret = delivery.secret.clone().map(|secret| Ok::<_, StoreError>((new_id(IdKind::Secret)?, secret)));
    let program_id = program.program_id.clone();
    let (secret, made) = (secret.transpose()?, delivery.made);
    let finish = Finish { connection, program_id, data_key, secret, made, line, now: app.now() };
    app.db.write(finish).await
}
