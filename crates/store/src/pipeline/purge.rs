//! The end of raw payloads: what was understood of them stays.

use crate::{P, StoreError, Tx, Unit};

/// Payloads looked at in one transaction.
const BATCH: i64 = 1_000;

/// The key of an event: workspace, connection, id.
pub type Key = (String, String, String);

/// A monthly part of the payloads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The table's name.
    pub name: String,
    /// Its first instant, ms UTC.
    pub from_ms: i64,
    /// The first instant after it, ms UTC.
    pub to_ms: i64,
}

/// The monthly parts, oldest first; `None` where the database has none.
#[derive(Debug)]
pub struct Parts;

impl Unit for Parts {
    type Out = Option<Vec<Part>>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        if !tx.is_postgres() {
            return Ok(None);
        }
        // FOR VALUES FROM ('1') TO ('2')
        let sql = "SELECT name, CAST(substring(bound FROM 'FROM \\(''(-?[0-9]+)''\\)') AS BIGINT) AS from_ms, \
             CAST(substring(bound FROM 'TO \\(''(-?[0-9]+)''\\)') AS BIGINT) AS to_ms FROM (\
             SELECT CAST(c.relname AS TEXT) AS name, pg_get_expr(c.relpartbound, c.oid) AS bound FROM pg_inherits i \
             JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = to_regclass('event_payload')) parts \
             WHERE bound LIKE 'FOR VALUES%' ORDER BY 2";
        let rows = tx.rows(sql, &[]).await?;
        let part =
            |row: &crate::Row| Ok(Part { name: row.text(0)?, from_ms: row.int(1)?, to_ms: row.int(2)? });
        rows.iter().map(part).collect::<Result<_, StoreError>>().map(Some)
    }
}

/// Drops a part whose events are all marked; answers whether it did.
#[derive(Debug)]
pub struct DropPart(pub String);

impl Unit for DropPart {
    type Out = bool;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<bool, StoreError> {
        let row = tx.opt("SELECT drop_payload_part($1)", &[P::T(&self.0)]).await?;
        row.map_or(Ok(false), |row| row.flag(0))
    }
}

/// One batch of payloads, by the events' own time: marks those that are done with, and deletes their payloads if
/// `delete`. Answers how many were marked, and where to go on.
#[derive(Debug)]
pub struct Payloads {
    /// The first instant, ms UTC.
    pub from_ms: i64,
    /// The first instant after it, ms UTC.
    pub to_ms: i64,
    /// The last key of the batch before.
    pub after: Option<Key>,
    /// Delete, or mark only?
    pub delete: bool,
    /// ms UTC.
    pub now: i64,
}

impl Unit for Payloads {
    type Out = (u64, Option<Key>);
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let sql = "SELECT p.workspace_id, p.connection_id, p.event_id, p.created_at, e.purged_at IS NOT NULL \
             FROM event_payload p JOIN event e ON e.workspace_id = p.workspace_id \
             AND e.connection_id = p.connection_id AND e.event_id = p.event_id \
             WHERE p.created_at >= $1 AND p.created_at < $2 AND (p.workspace_id, p.connection_id, p.event_id) > \
             ($3, $4, $5) AND e.outcome IN ('processed', 'ignored') \
             ORDER BY p.workspace_id, p.connection_id, p.event_id LIMIT $6";
        let first = (String::new(), String::new(), String::new());
        let (ws, con, id) = self.after.as_ref().unwrap_or(&first);
        let params = [P::I(self.from_ms), P::I(self.to_ms), P::T(ws), P::T(con), P::T(id), P::I(BATCH)];
        let rows = tx.rows(sql, &params).await?;
        let mut keys = Vec::with_capacity(rows.len());
        for row in &rows {
            keys.push(((row.text(0)?, row.text(1)?, row.text(2)?), row.int(3)?, row.flag(4)?));
        }
        let sql = "UPDATE event SET purged_at = $4 WHERE workspace_id = $1 AND connection_id = $2 AND event_id = $3";
        let marks: Vec<Vec<P<'_>>> = keys
            .iter()
            .filter(|(_, _, marked)| !marked)
            .map(|((ws, con, id), _, _)| vec![P::T(ws), P::T(con), P::T(id), P::I(self.now)])
            .collect();
        let marked = tx.exec_each(sql, &marks).await?;
        if self.delete {
            let sql = "DELETE FROM event_payload WHERE workspace_id = $1 AND connection_id = $2 AND event_id = $3 \
                 AND created_at = $4";
            let gone: Vec<Vec<P<'_>>> = keys
                .iter()
                .map(|((ws, con, id), at, _)| vec![P::T(ws), P::T(con), P::T(id), P::I(*at)])
                .collect();
            tx.exec_each(sql, &gone).await?;
        }
        let full = i64::try_from(keys.len()) == Ok(BATCH);
        Ok((marked, keys.pop().map(|(key, _, _)| key).filter(|_| full)))
    }
}

/// One batch of a workspace's kept answers that were fetched before an instant: their bodies are emptied. Answers how
/// many were, and where to go on; `None` at the end.
#[derive(Debug)]
pub struct Observations {
    /// The workspace.
    pub workspace_id: String,
    /// ms UTC.
    pub before: i64,
    /// The last (connection, observation) of the batch before.
    pub after: (String, String),
    /// ms UTC.
    pub now: i64,
}

impl Unit for Observations {
    type Out = Option<(u64, (String, String))>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let sql = "SELECT connection_id, observation_id FROM observation WHERE workspace_id = $1 \
             AND (connection_id, observation_id) > ($2, $3) AND fetched_at < $4 AND purged_at IS NULL \
             ORDER BY connection_id, observation_id LIMIT $5";
        let ws = P::T(&self.workspace_id);
        let params = [ws, P::T(&self.after.0), P::T(&self.after.1), P::I(self.before), P::I(BATCH)];
        let rows = tx.rows(sql, &params).await?;
        let keys = rows.iter().map(|row| Ok((row.text(0)?, row.text(1)?)));
        let mut keys: Vec<(String, String)> = keys.collect::<Result<_, StoreError>>()?;
        empty_bodies(tx, &self.workspace_id, &keys, self.now).await?;
        let count = keys.len() as u64;
        Ok(keys.pop().map(|last| (count, last)))
    }
}

/// Empties the bodies of kept answers (connection, observation).
///
/// # Errors
/// The database's.
pub async fn empty_bodies(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    keys: &[(String, String)],
    now: i64,
) -> Result<(), StoreError> {
    let sql = "UPDATE observation SET body = $4, purged_at = $5 WHERE workspace_id = $1 AND connection_id = $2 \
         AND observation_id = $3";
    let sets: Vec<Vec<P<'_>>> = keys
        .iter()
        .map(|(con, id)| vec![P::T(workspace_id), P::T(con), P::T(id), P::B(&[]), P::I(now)])
        .collect();
    tx.exec_each(sql, &sets).await?;
    Ok(())
}

/// Takes the payloads of events (connection, event) away and marks them.
///
/// # Errors
/// The database's.
pub async fn drop_payloads(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    keys: &[(String, String)],
    now: i64,
) -> Result<(), StoreError> {
    let sql = "DELETE FROM event_payload WHERE workspace_id = $1 AND connection_id = $2 AND event_id = $3";
    let sets: Vec<Vec<P<'_>>> =
        keys.iter().map(|(con, id)| vec![P::T(workspace_id), P::T(con), P::T(id)]).collect();
    tx.exec_each(sql, &sets).await?;
    let sql =
        "UPDATE event SET purged_at = $4 WHERE workspace_id = $1 AND connection_id = $2 AND event_id = $3";
    let sets: Vec<Vec<P<'_>>> =
        keys.iter().map(|(con, id)| vec![P::T(workspace_id), P::T(con), P::T(id), P::I(now)]).collect();
    tx.exec_each(sql, &sets).await?;
    Ok(())
}
