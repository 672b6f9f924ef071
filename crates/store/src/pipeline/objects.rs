//! Facts, and what is known of each object: the alias table.

use crate::{P, StoreError, Tx};
use std::collections::{BTreeMap, BTreeSet};
use tributary_domain::fact::Fact;
use tributary_domain::merge::ObjectState;

const PROGRAM: &str =
    "SELECT program_id FROM program WHERE workspace_id = $1 AND program_id = $2 FOR NO KEY UPDATE";

/// What the alias table says of one object id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alias {
    /// The sale that the object belongs to.
    pub sale_id: Option<String>,
    /// All that is known of it; `None` if it was only named.
    pub state: Option<ObjectState>,
}

/// The program whose API a pseudo connection (`api:PROGRAM:MODE`) stands for.
#[must_use]
pub fn api_program(connection_id: &str) -> Option<&str> {
    let rest = connection_id.strip_prefix("api:")?;
    Some(rest.rsplit_once(':').map_or(rest, |(program, _)| program))
}

/// Waits until no other node projects for this connection. SQLite has one writer anyway.
///
/// The lock leaves the row's key free: events of the connection, whose foreign key looks at it, come in meanwhile.
///
/// # Errors
/// The database's.
pub async fn lock_connection(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
) -> Result<(), StoreError> {
    if !tx.is_postgres() {
        return Ok(());
    }
    if let Some(program_id) = api_program(connection_id) {
        tx.opt(PROGRAM, &[P::T(workspace_id), P::T(program_id)]).await?;
    } else {
        let sql = "SELECT connection_id FROM connection WHERE workspace_id = $1 AND connection_id = $2 FOR NO KEY UPDATE";
        tx.opt(sql, &[P::T(workspace_id), P::T(connection_id)]).await?;
    }
    Ok(())
}

/// The same for all connections that ever fed a program and for the program itself, in order of their ids.
///
/// # Errors
/// The database's.
pub async fn lock_program(tx: &mut Tx<'_>, workspace_id: &str, program_id: &str) -> Result<(), StoreError> {
    if tx.is_postgres() {
        let sql = "SELECT c.connection_id FROM connection c WHERE c.workspace_id = $1 AND c.connection_id IN \
             (SELECT f.connection_id FROM feed_span f WHERE f.workspace_id = $1 AND f.program_id = $2) ORDER BY c.connection_id FOR NO KEY UPDATE OF c";
        tx.rows(sql, &[P::T(workspace_id), P::T(program_id)]).await?;
        tx.rows(PROGRAM, &[P::T(workspace_id), P::T(program_id)]).await?;
    }
    Ok(())
}

/// The same for several connections and programs: first those connections and all that ever fed one of the programs, then
/// the programs, each in order of their ids. One program after the other would take them in another order than somebody
/// else does, and the two would wait for each other.
///
/// # Errors
/// The database's.
pub async fn lock_each(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connections: &BTreeSet<&str>,
    programs: &BTreeSet<&str>,
) -> Result<(), StoreError> {
    if !tx.is_postgres() {
        return Ok(());
    }
    if let (true, 1, Some(program)) = (connections.is_empty(), programs.len(), programs.first()) {
        return lock_program(tx, workspace_id, program).await;
    }
    let ws = P::T(workspace_id);
    let sql = "SELECT DISTINCT connection_id FROM feed_span WHERE workspace_id = $1 AND program_id = $2";
    let mut rows: BTreeSet<String> = BTreeSet::new();
    let mut programs = programs.clone();
    for connection in connections {
        // The API's own has no row: its program stands for it.
        match api_program(connection) {
            Some(program) => drop(programs.insert(program)),
            None => drop(rows.insert((*connection).to_owned())),
        }
    }
    for program in &programs {
        for row in tx.rows(sql, &[ws, P::T(program)]).await? {
            rows.insert(row.text(0)?);
        }
    }
    for connection in &rows {
        lock_connection(tx, workspace_id, connection).await?;
    }
    for program in &programs {
        tx.opt(PROGRAM, &[ws, P::T(program)]).await?;
    }
    Ok(())
}

/// The same for everything that there is: all connections, then all programs, each in order of their ids.
///
/// # Errors
/// The database's.
pub async fn lock_all(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    if tx.is_postgres() {
        for sql in [
            // Every unit that runs ends first, however many there are.
            "SET LOCAL lock_timeout = 0",
            "SELECT connection_id FROM connection ORDER BY connection_id FOR NO KEY UPDATE",
            "SELECT program_id FROM program ORDER BY program_id FOR NO KEY UPDATE",
        ] {
            tx.exec(sql, &[]).await?;
        }
    }
    Ok(())
}

/// Keeps the facts of one source, replacing what an earlier run understood of it.
///
/// # Errors
/// The database's.
pub async fn insert_facts(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
    facts: &[(&str, &[Fact])],
) -> Result<(), StoreError> {
    let mut rows: Vec<(&str, i64, &Fact, String)> = Vec::new();
    for (source, of_source) in facts {
        for (n, fact) in (0_i64..).zip(of_source.iter()) {
            rows.push((source, n, fact, json(fact)?));
        }
    }
    let sql = "INSERT INTO fact (workspace_id, connection_id, source_id, n, object_id, at, body) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (workspace_id, connection_id, source_id, n) \
         DO UPDATE SET object_id = excluded.object_id, at = excluded.at, body = excluded.body";
    let (ws, con) = (P::T(workspace_id), P::T(connection_id));
    let sets: Vec<_> = rows
        .iter()
        .map(|(source, n, fact, body)| {
            vec![ws, con, P::T(source), P::I(*n), P::T(&fact.object_id), P::I(fact.at), P::T(body)]
        })
        .collect();
    tx.exec_each(sql, &sets).await?;
    Ok(())
}

/// The facts of one source as they were understood, in their order: replay's fallback where raw was purged.
///
/// # Errors
/// The database's.
pub async fn facts_of_source(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
    source_id: &str,
) -> Result<Vec<Fact>, StoreError> {
    let sql =
        "SELECT body FROM fact WHERE workspace_id = $1 AND connection_id = $2 AND source_id = $3 ORDER BY n";
    let rows = tx.rows(sql, &[P::T(workspace_id), P::T(connection_id), P::T(source_id)]).await?;
    rows.iter().map(|row| unjson(&row.text(0)?)).collect()
}

/// What is known of each of the ids.
///
/// # Errors
/// The database's.
pub async fn load_aliases(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
    ids: &[String],
) -> Result<BTreeMap<String, Alias>, StoreError> {
    let sql =
        "SELECT sale_id, state FROM alias WHERE workspace_id = $1 AND connection_id = $2 AND object_id = $3";
    let sets: Vec<_> = ids.iter().map(|id| vec![P::T(workspace_id), P::T(connection_id), P::T(id)]).collect();
    let mut found = BTreeMap::new();
    for (id, rows) in ids.iter().zip(tx.rows_each(sql, &sets).await?) {
        if let Some(row) = rows.first() {
            let state = row.opt_text(1)?.map(|text| unjson(&text)).transpose()?;
            found.insert(id.clone(), Alias { sale_id: row.opt_text(0)?, state });
        }
    }
    Ok(found)
}

/// All objects of the given sales.
///
/// # Errors
/// The database's.
pub async fn load_members(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    sale_ids: &[String],
) -> Result<BTreeMap<String, Alias>, StoreError> {
    let sql = "SELECT object_id, state FROM alias WHERE workspace_id = $1 AND sale_id = $2";
    let sets: Vec<_> = sale_ids.iter().map(|id| vec![P::T(workspace_id), P::T(id)]).collect();
    let mut found = BTreeMap::new();
    for (sale_id, rows) in sale_ids.iter().zip(tx.rows_each(sql, &sets).await?) {
        for row in rows {
            let state = row.opt_text(1)?.map(|text| unjson(&text)).transpose()?;
            found.insert(row.text(0)?, Alias { sale_id: Some(sale_id.clone()), state });
        }
    }
    Ok(found)
}

/// Writes what is known of objects.
///
/// # Errors
/// The database's.
pub async fn upsert_aliases<'a>(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
    aliases: impl Iterator<Item = (&'a String, &'a Alias)>,
) -> Result<(), StoreError> {
    let mut rows = Vec::new();
    for (id, alias) in aliases {
        rows.push((id, alias.sale_id.as_deref(), alias.state.as_ref().map(json).transpose()?));
    }
    let sql = "INSERT INTO alias (workspace_id, connection_id, object_id, sale_id, state) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (workspace_id, connection_id, object_id) \
         DO UPDATE SET sale_id = excluded.sale_id, state = excluded.state";
    let (ws, con) = (P::T(workspace_id), P::T(connection_id));
    let sets: Vec<_> = rows
        .iter()
        .map(|(id, sale, state)| vec![ws, con, P::T(id), P::opt_t(*sale), P::opt_t(state.as_deref())])
        .collect();
    tx.exec_each(sql, &sets).await?;
    Ok(())
}

pub(crate) fn json<T: serde::Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|e| StoreError::Inconsistent(e.to_string()))
}

pub(crate) fn unjson<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|e| StoreError::Inconsistent(format!("{e} in a stored row")))
}
