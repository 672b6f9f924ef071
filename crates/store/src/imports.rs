//! Runs that read an account's past, and who works on them.

use crate::{P, Row, StoreError, Tx};

/// A run: how far a walk over events or lists is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The workspace.
    pub workspace_id: String,
    /// The connection.
    pub connection_id: String,
    /// `imp_…`
    pub run_id: String,
    /// `events`, `objects` or `reconcile`.
    pub kind: String,
    /// `running`, `paused`, `done` or `failed`.
    pub state: String,
    /// `start`, `hourly`, `person` or `command`.
    pub started_by: String,
    /// From when it reads, ms UTC; 0 is from the beginning.
    pub since_at: i64,
    /// Up to when it reads, ms UTC.
    pub until_at: i64,
    /// What lies before `since_at` and can be read as events no more, ms UTC.
    pub gap_from: Option<i64>,
    /// The list that is read; empty before the first and after the last.
    pub step: String,
    /// The last object that was kept of that list; empty at its beginning.
    pub cursor: String,
    /// Pages of that list so far.
    pub pages: i64,
    /// Objects read.
    pub done: i64,
    /// Events that were new, or objects that were kept.
    pub fresh: i64,
    /// How many there are in all, where that is known.
    pub total: Option<i64>,
    /// JSON: objects read by list.
    pub counts: String,
    /// JSON array of sentences.
    pub notes: String,
    /// Why the last try failed, in a sentence; else empty.
    pub last_error: String,
    /// Tries that failed, one after the other.
    pub attempts: i64,
    /// When to go on, ms UTC.
    pub run_at: i64,
    /// ms UTC
    pub started_at: i64,
    /// ms UTC
    pub updated_at: i64,
    /// ms UTC
    pub finished_at: Option<i64>,
}

macro_rules! columns {
    () => {
        "workspace_id, connection_id, run_id, kind, state, started_by, since_at, until_at, gap_from, step, cursor, \
         pages, done, fresh, total, counts, notes, last_error, attempts, run_at, started_at, updated_at, finished_at"
    };
}

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT ", columns!(), " FROM import_run WHERE workspace_id = $1 ", $rest)
    };
}

fn run(row: &Row) -> Result<Run, StoreError> {
    Ok(Run {
        workspace_id: row.text(0)?,
        connection_id: row.text(1)?,
        run_id: row.text(2)?,
        kind: row.text(3)?,
        state: row.text(4)?,
        started_by: row.text(5)?,
        since_at: row.int(6)?,
        until_at: row.int(7)?,
        gap_from: row.opt_int(8)?,
        step: row.text(9)?,
        cursor: row.text(10)?,
        pages: row.int(11)?,
        done: row.int(12)?,
        fresh: row.int(13)?,
        total: row.opt_int(14)?,
        counts: row.text(15)?,
        notes: row.text(16)?,
        last_error: row.text(17)?,
        attempts: row.int(18)?,
        run_at: row.int(19)?,
        started_at: row.int(20)?,
        updated_at: row.int(21)?,
        finished_at: row.opt_int(22)?,
    })
}

/// Begins a run; `false` if one of its kind is under way for the connection.
///
/// # Errors
/// The database's.
pub async fn begin(tx: &mut Tx<'_>, r: &Run) -> Result<bool, StoreError> {
    let sql = concat!(
        "INSERT INTO import_run (",
        columns!(),
        ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, \
         $22, $23) ON CONFLICT (workspace_id, connection_id, kind) WHERE state IN ('running', 'paused') DO NOTHING"
    );
    Ok(tx.exec(sql, &params(r)).await? == 1)
}

fn params(r: &Run) -> [P<'_>; 23] {
    [
        P::T(&r.workspace_id),
        P::T(&r.connection_id),
        P::T(&r.run_id),
        P::T(&r.kind),
        P::T(&r.state),
        P::T(&r.started_by),
        P::I(r.since_at),
        P::I(r.until_at),
        P::opt_i(r.gap_from),
        P::T(&r.step),
        P::T(&r.cursor),
        P::I(r.pages),
        P::I(r.done),
        P::I(r.fresh),
        P::opt_i(r.total),
        P::T(&r.counts),
        P::T(&r.notes),
        P::T(&r.last_error),
        P::I(r.attempts),
        P::I(r.run_at),
        P::I(r.started_at),
        P::I(r.updated_at),
        P::opt_i(r.finished_at),
    ]
}

/// Writes how far a run is. Its state is the caller's to decide: it read the row in the same transaction.
///
/// # Errors
/// [`StoreError::NotFound`] if there is no such run.
pub async fn save(tx: &mut Tx<'_>, r: &Run) -> Result<(), StoreError> {
    let sql = "UPDATE import_run SET state = $4, step = $5, cursor = $6, pages = $7, done = $8, fresh = $9, \
         total = $10, counts = $11, notes = $12, last_error = $13, attempts = $14, run_at = $15, updated_at = $16, \
         finished_at = $17 WHERE workspace_id = $1 AND connection_id = $2 AND run_id = $3";
    let params = [
        P::T(&r.workspace_id),
        P::T(&r.connection_id),
        P::T(&r.run_id),
        P::T(&r.state),
        P::T(&r.step),
        P::T(&r.cursor),
        P::I(r.pages),
        P::I(r.done),
        P::I(r.fresh),
        P::opt_i(r.total),
        P::T(&r.counts),
        P::T(&r.notes),
        P::T(&r.last_error),
        P::I(r.attempts),
        P::I(r.run_at),
        P::I(r.updated_at),
        P::opt_i(r.finished_at),
    ];
    match tx.exec(sql, &params).await? {
        1 => Ok(()),
        _ => Err(StoreError::NotFound(format!("run {}", r.run_id))),
    }
}

/// One run.
///
/// # Errors
/// The database's.
pub async fn find(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
    run_id: &str,
) -> Result<Option<Run>, StoreError> {
    let sql = select!("AND connection_id = $2 AND run_id = $3");
    one(tx, sql, workspace_id, connection_id, run_id).await
}

/// The same for who is going to save it: nobody else changes it until then.
///
/// # Errors
/// The database's.
pub async fn lock(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
    run_id: &str,
) -> Result<Option<Run>, StoreError> {
    let sql = if tx.is_postgres() {
        select!("AND connection_id = $2 AND run_id = $3 FOR UPDATE")
    } else {
        select!("AND connection_id = $2 AND run_id = $3")
    };
    one(tx, sql, workspace_id, connection_id, run_id).await
}

async fn one(
    tx: &mut Tx<'_>,
    sql: &'static str,
    workspace_id: &str,
    connection_id: &str,
    run_id: &str,
) -> Result<Option<Run>, StoreError> {
    tx.opt(sql, &[P::T(workspace_id), P::T(connection_id), P::T(run_id)])
        .await?
        .map(|row| run(&row))
        .transpose()
}

/// The runs of a connection, the newest first.
///
/// # Errors
/// The database's.
pub async fn list(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
    limit: i64,
) -> Result<Vec<Run>, StoreError> {
    let sql = select!("AND connection_id = $2 ORDER BY started_at DESC, run_id DESC LIMIT $3");
    tx.rows(sql, &[P::T(workspace_id), P::T(connection_id), P::I(limit)]).await?.iter().map(run).collect()
}

/// The last run of a kind that a connection had.
///
/// # Errors
/// The database's.
pub async fn last(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
    kind: &str,
) -> Result<Option<Run>, StoreError> {
    let sql = select!("AND connection_id = $2 AND kind = $3 ORDER BY started_at DESC, run_id DESC LIMIT 1");
    let row = tx.opt(sql, &[P::T(workspace_id), P::T(connection_id), P::T(kind)]).await?;
    row.map(|row| run(&row)).transpose()
}

/// Runs of a workspace that are to be worked on now, at most 100: whole histories last.
///
/// # Errors
/// The database's.
pub async fn due(tx: &mut Tx<'_>, workspace_id: &str, now: i64) -> Result<Vec<Run>, StoreError> {
    let sql = select!(
        "AND state = 'running' AND run_at <= $2 \
         ORDER BY CASE kind WHEN 'objects' THEN 1 ELSE 0 END, started_at LIMIT 100"
    );
    tx.rows(sql, &[P::T(workspace_id), P::I(now)]).await?.iter().map(run).collect()
}

/// Is a run of the connection due that goes before an import of its whole history?
///
/// # Errors
/// The database's.
pub async fn others_due(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
    now: i64,
) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM import_run WHERE workspace_id = $1 AND connection_id = $2 AND state = 'running' \
         AND run_at <= $3 AND kind <> 'objects' LIMIT 1";
    Ok(tx.opt(sql, &[P::T(workspace_id), P::T(connection_id), P::I(now)]).await?.is_some())
}

/// Removes runs of a kind that ended before `before`: the last 20 of a connection stay.
///
/// # Errors
/// The database's.
pub async fn forget(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
    kind: &str,
    before: i64,
) -> Result<u64, StoreError> {
    let sql = "DELETE FROM import_run WHERE workspace_id = $1 AND connection_id = $2 AND kind = $3 \
         AND state IN ('done', 'failed') AND started_at < $4 AND gap_from IS NULL AND run_id NOT IN \
         (SELECT run_id FROM import_run WHERE workspace_id = $1 AND connection_id = $2 AND kind = $3 \
         ORDER BY started_at DESC, run_id DESC LIMIT 20)";
    tx.exec(sql, &[P::T(workspace_id), P::T(connection_id), P::T(kind), P::I(before)]).await
}

/// From when nothing could be read as events, where no import has read it since; ms UTC.
///
/// # Errors
/// The database's.
pub async fn open_gap(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
) -> Result<Option<i64>, StoreError> {
    let sql = "SELECT g.gap_from FROM import_run g WHERE g.workspace_id = $1 AND g.connection_id = $2 \
         AND g.gap_from IS NOT NULL AND NOT EXISTS (SELECT 1 FROM import_run o WHERE o.workspace_id = $1 \
         AND o.connection_id = $2 AND o.kind = 'objects' AND o.state = 'done' AND o.since_at <= g.gap_from \
         AND o.started_at >= g.started_at) ORDER BY g.gap_from LIMIT 1";
    let row = tx.opt(sql, &[P::T(workspace_id), P::T(connection_id)]).await?;
    row.map(|row| row.int(0)).transpose()
}

/// Takes or renews the lease on a connection's runs; `false` while somebody else holds it.
///
/// # Errors
/// The database's.
pub async fn lease(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
    holder: &str,
    now: i64,
    until: i64,
) -> Result<bool, StoreError> {
    let sql = "INSERT INTO import_lease (workspace_id, connection_id, holder, until_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (workspace_id, connection_id) DO UPDATE SET holder = excluded.holder, \
         until_at = excluded.until_at WHERE import_lease.until_at <= $5 OR import_lease.holder = excluded.holder";
    let params = [P::T(workspace_id), P::T(connection_id), P::T(holder), P::I(until), P::I(now)];
    Ok(tx.exec(sql, &params).await? == 1)
}

/// Gives the lease back.
///
/// # Errors
/// The database's.
pub async fn release(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
    holder: &str,
) -> Result<(), StoreError> {
    let sql =
        "UPDATE import_lease SET until_at = 0 WHERE workspace_id = $1 AND connection_id = $2 AND holder = $3";
    tx.exec(sql, &[P::T(workspace_id), P::T(connection_id), P::T(holder)]).await?;
    Ok(())
}
