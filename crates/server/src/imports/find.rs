//! Connections by what a person types, and their runs.

use crate::App;
use tributary_store::connections::{self, Connection};
use tributary_store::imports::{self, Run};
use tributary_store::workspaces::{self, Program};
use tributary_store::{StoreError, Tx, Unit};

/// What names connections.
#[derive(Debug, Clone)]
pub enum Named {
    /// A program, by its public id: the connections of the mode that it shows.
    Program(String),
    /// A connection, by its id.
    Connection(String),
}

/// What was found: connections that are not let go, and the program that they were asked for.
#[derive(Debug, Clone)]
pub struct Found {
    /// The program; of a connection, the first that it feeds.
    pub program: Option<Program>,
    /// The connections.
    pub connections: Vec<Connection>,
}

/// Finds connections; `None` if there is nothing of that name.
///
/// # Errors
/// The database's.
pub async fn find(app: &App, named: Named) -> Result<Option<Found>, StoreError> {
    app.db.read(Find(named)).await
}

struct Find(Named);

impl Unit for Find {
    type Out = Option<Found>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        match &self.0 {
            Named::Program(id) => by_program(tx, id.trim()).await,
            Named::Connection(id) => by_connection(tx, id.trim()).await,
        }
    }
}

async fn by_program(tx: &mut Tx<'_>, id: &str) -> Result<Option<Found>, StoreError> {
    let Some(program) = workspaces::find_program_by_public_id(tx, &id.to_ascii_uppercase()).await? else {
        return Ok(None);
    };
    let mode = workspaces::program_mode(tx, &program.workspace_id, &program.program_id).await?;
    let mut all = connections::list_of_program(tx, &program.workspace_id, &program.program_id).await?;
    all.retain(|one| one.mode == mode && one.status != "disconnected");
    Ok(Some(Found { program: Some(program), connections: all }))
}

async fn by_connection(tx: &mut Tx<'_>, id: &str) -> Result<Option<Found>, StoreError> {
    for (workspace_id, ..) in workspaces::list_workspaces(tx).await? {
        let Some(connection) = connections::find(tx, &workspace_id, id).await? else { continue };
        let mut program = None;
        for candidate in workspaces::list_programs(tx, &workspace_id).await? {
            let of = connections::list_of_program(tx, &workspace_id, &candidate.program_id).await?;
            if of.iter().any(|one| one.connection_id == id) {
                program = Some(candidate);
                break;
            }
        }
        let connections = if connection.status == "disconnected" { Vec::new() } else { vec![connection] };
        return Ok(Some(Found { program, connections }));
    }
    Ok(None)
}

struct Runs(String, String, i64);

impl Unit for Runs {
    type Out = Vec<Run>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Vec<Run>, StoreError> {
        imports::list(tx, &self.0, &self.1, self.2).await
    }
}

/// The last runs of a connection, the newest first.
///
/// # Errors
/// The database's.
pub async fn runs(app: &App, connection: &Connection, limit: i64) -> Result<Vec<Run>, StoreError> {
    app.db.read(Runs(connection.workspace_id.clone(), connection.connection_id.clone(), limit)).await
}

struct One(String, String, String);

impl Unit for One {
    type Out = Option<Run>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Option<Run>, StoreError> {
        imports::find(tx, &self.0, &self.1, &self.2).await
    }
}

/// One run of a connection.
///
/// # Errors
/// The database's.
pub async fn run_of(app: &App, connection: &Connection, run_id: &str) -> Result<Option<Run>, StoreError> {
    let (ws, con) = (connection.workspace_id.clone(), connection.connection_id.clone());
    app.db.read(One(ws, con, run_id.to_owned())).await
}
