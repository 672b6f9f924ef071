//! Beginning, pausing and going on.

use super::steps::Kind;
use crate::App;
use crate::state::new_id;
use tributary_domain::ids::IdKind;
use tributary_store::connections::Connection;
use tributary_store::imports::{self, Run};
use tributary_store::{StoreError, Tx, Unit, reconcile};

/// How far behind the cursor a walk looks again, ms: events may become visible late.
pub const OVERLAP_MS: i64 = 3_600_000;
/// How long Stripe keeps events, ms.
pub const STRIPE_KEEPS_MS: i64 = 30 * 86_400_000;

/// What is to be read.
#[derive(Debug, Clone, Copy)]
pub struct Wish {
    /// Events, objects, or lists to compare with.
    pub kind: Kind,
    /// From when, ms UTC; `None`: events from where they were read last, objects from the beginning.
    pub since_at: Option<i64>,
    /// Up to when, ms UTC; `None` is now.
    pub until_at: Option<i64>,
    /// `start`, `hourly`, `person` or `command`.
    pub started_by: &'static str,
}

/// How it began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// A run of its own.
    New(Run),
    /// One was under way, paused perhaps; there is never a second one.
    UnderWay(Run),
}

impl Begun {
    /// The run.
    #[must_use]
    pub fn run(self) -> Run {
        match self {
            Self::New(run) | Self::UnderWay(run) => run,
        }
    }
}

/// Begins a run, unless one of its kind is under way for the connection.
///
/// # Errors
/// The database's.
pub async fn begin(app: &App, connection: &Connection, wish: &Wish) -> Result<Begun, StoreError> {
    let run = planned(connection, wish, new_id(IdKind::Import)?, app.now());
    app.db.write(Begin(run)).await
}

/// The row of a new run.
fn planned(connection: &Connection, wish: &Wish, run_id: String, now: i64) -> Run {
    let oldest = now.saturating_sub(STRIPE_KEEPS_MS);
    let (since_at, gap_from) = match wish.kind {
        Kind::Events => {
            let known = wish.since_at.unwrap_or(connection.cursor_at).max(0);
            // What came before the connection is history, and an import's business.
            let first = connection.created_at.min(known);
            let since = wish.since_at.unwrap_or_else(|| known.saturating_sub(OVERLAP_MS).max(first));
            (since.max(oldest), (known < oldest && known > 0).then_some(known))
        }
        Kind::Objects | Kind::Reconcile => (wish.since_at.unwrap_or(0).max(0), None),
    };
    Run {
        workspace_id: connection.workspace_id.clone(),
        connection_id: connection.connection_id.clone(),
        run_id,
        kind: wish.kind.as_str().to_owned(),
        state: "running".to_owned(),
        started_by: wish.started_by.to_owned(),
        since_at,
        until_at: wish.until_at.unwrap_or(now),
        gap_from,
        step: String::new(),
        cursor: String::new(),
        pages: 0,
        done: 0,
        fresh: 0,
        total: None,
        counts: "{}".to_owned(),
        notes: "[]".to_owned(),
        last_error: String::new(),
        attempts: 0,
        run_at: now,
        started_at: now,
        updated_at: now,
        finished_at: None,
    }
}

struct Begin(Run);

impl Unit for Begin {
    type Out = Begun;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Begun, StoreError> {
        let wanted = &self.0;
        if imports::begin(tx, wanted).await? {
            if wanted.kind == Kind::Reconcile.as_str() {
                reconcile::forget(tx, &wanted.workspace_id, &wanted.connection_id).await?;
            }
            return Ok(Begun::New(wanted.clone()));
        }
        let all = imports::list(tx, &wanted.workspace_id, &wanted.connection_id, 100).await?;
        let live = |run: &Run| run.kind == wanted.kind && matches!(run.state.as_str(), "running" | "paused");
        let run = all.into_iter().find(live);
        run.map(Begun::UnderWay).ok_or_else(|| StoreError::NotFound("the run under way".to_owned()))
    }
}

/// Stops a run after the page that is on its way; `false` if there is none that runs.
///
/// # Errors
/// The database's.
pub async fn pause(app: &App, run: &Run) -> Result<bool, StoreError> {
    app.db.write(Turn { run: run.clone(), from: &["running"], to: "paused", now: app.now() }).await
}

/// Lets a paused or failed run go on where it was, and one that waits go on at once; `false` if there is none, or
/// another of its kind is under way.
///
/// # Errors
/// The database's.
pub async fn resume(app: &App, run: &Run) -> Result<bool, StoreError> {
    let unit =
        Turn { run: run.clone(), from: &["paused", "failed", "running"], to: "running", now: app.now() };
    match app.db.write(unit).await {
        Err(StoreError::Conflict(_)) => Ok(false),
        turned => turned,
    }
}

struct Turn {
    run: Run,
    from: &'static [&'static str],
    to: &'static str,
    now: i64,
}

impl Unit for Turn {
    type Out = bool;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<bool, StoreError> {
        let r = &self.run;
        let Some(mut run) = imports::lock(tx, &r.workspace_id, &r.connection_id, &r.run_id).await? else {
            return Ok(false);
        };
        if !self.from.contains(&run.state.as_str()) {
            return Ok(false);
        }
        run.state = self.to.to_owned();
        (run.attempts, run.run_at, run.updated_at, run.finished_at) = (0, self.now, self.now, None);
        if self.to == "running" {
            run.last_error.clear();
        }
        imports::save(tx, &run).await?;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400_000;
    const NOW: i64 = 1_790_000_000_000;

    fn connection(cursor_at: i64) -> Connection {
        Connection {
            workspace_id: "wsp_1".into(),
            connection_id: "con_1".into(),
            mode: "test".into(),
            account_id: "acct_1".into(),
            account_name: String::new(),
            api_base: String::new(),
            api_key: Vec::new(),
            key_hint: String::new(),
            status: "connected".into(),
            status_reason: String::new(),
            warnings: "[]".into(),
            endpoint_id: None,
            endpoint_url: None,
            polling: false,
            cursor_at,
            created_at: NOW - 50 * DAY,
            permissions: "[]".into(),
            checked_at: None,
            auth: "key".into(),
            wiped: 0,
        }
    }

    fn events(cursor_at: i64, since_at: Option<i64>) -> Run {
        let wish = Wish { kind: Kind::Events, since_at, until_at: None, started_by: "start" };
        planned(&connection(cursor_at), &wish, "imp_1".into(), NOW)
    }

    #[test]
    fn events_are_read_from_an_hour_before_the_cursor_and_never_beyond_thirty_days() {
        let run = events(NOW - DAY, None);
        assert_eq!((run.since_at, run.gap_from, run.until_at), (NOW - DAY - OVERLAP_MS, None, NOW));
        let run = events(NOW - 29 * DAY, None);
        assert_eq!((run.since_at, run.gap_from), (NOW - 29 * DAY - OVERLAP_MS, None));
        let run = events(NOW - 40 * DAY, None);
        assert_eq!((run.since_at, run.gap_from), (NOW - 30 * DAY, Some(NOW - 40 * DAY)));
        let run = events(NOW, Some(NOW - 35 * DAY));
        assert_eq!((run.since_at, run.gap_from), (NOW - 30 * DAY, Some(NOW - 35 * DAY)));
    }

    #[test]
    fn what_came_before_the_connection_is_no_gap() {
        let run = events(NOW - 50 * DAY + 1, Some(NOW - 2 * DAY));
        assert_eq!((run.since_at, run.gap_from), (NOW - 2 * DAY, None));
        let fresh = Connection { created_at: NOW - 1000, ..connection(NOW - 1000) };
        let wish = Wish { kind: Kind::Events, since_at: None, until_at: None, started_by: "start" };
        assert_eq!(planned(&fresh, &wish, "imp_1".into(), NOW).since_at, NOW - 1000);
    }
}
