//! Working on a run until it is done, paused, or must wait.

use super::heart::{LEASE_MS, Lease};
use super::keep::{Held, Keep, Kept, held};
use super::read::{Read, read};
use super::steps::{self, Step};
use crate::App;
use crate::connect::credential::NoClient;
use crate::pipeline::fetch::{back_off_ms, set_status};
use crate::pipeline::worker;
use tributary_store::connections::{self, Connection};
use tributary_store::db::Background;
use tributary_store::imports::{self, Run};
use tributary_store::{StoreError, Tx, Unit};
use tributary_stripe::client::ApiError;
use tributary_stripe::lists::List;

/// Failures one after the other before a run is given up; a person lets it go on.
const TRIES: i64 = 12;
/// The longest pause between two tries, ms.
const PAUSE_MAX_MS: i64 = 300_000;

/// Who places and settles what a page brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settling {
    /// The pipeline of this process, which is woken after each page.
    Pipeline,
    /// The caller, after each page: a command, beside a server or without one.
    Here,
}

/// Works on runs in the name of one process.
pub struct Runner<'a> {
    app: &'a App,
    holder: String,
    settling: Settling,
}

impl<'a> Runner<'a> {
    /// A runner under a name that no other process has.
    #[must_use]
    pub const fn new(app: &'a App, holder: String, settling: Settling) -> Self {
        Self { app, holder, settling }
    }

    /// Works on a run page by page until it is done, paused or failed, must wait for Stripe, or belongs to somebody
    /// else. Returns the run as it stands; `told` hears of every page.
    ///
    /// # Errors
    /// The database's. What was kept before stays; a later call goes on there.
    pub async fn work(&self, run: &Run, told: &(dyn Fn(&Run) + Sync)) -> Result<Run, StoreError> {
        let lease = Lease {
            workspace_id: run.workspace_id.clone(),
            connection_id: run.connection_id.clone(),
            holder: self.holder.clone(),
        };
        let worked = self.walk(&lease, run.clone(), told).await;
        // Also after an error: whoever goes on must not wait for the lease's end.
        let given = lease.give(self.app).await;
        let run = worked?;
        given?;
        Ok(run)
    }

    async fn walk(
        &self,
        lease: &Lease,
        mut run: Run,
        told: &(dyn Fn(&Run) + Sync),
    ) -> Result<Run, StoreError> {
        loop {
            let now = self.app.now();
            let (found, connection, gives_way) = self.app.db.read(Load(run.clone(), now)).await?;
            run = found;
            let waits = run.state != "running" || run.run_at > now || gives_way;
            if waits || !lease.take(self.app).await? {
                return Ok(run);
            }
            let Some((step, _)) = steps::current(&run) else { return Ok(run) };
            if connection.status == "disconnected" {
                let words = "The account is not connected any more.".to_owned();
                return self.fail(&run, Verdict::Stop(words)).await;
            }
            match self.page(lease, &connection, &run, step).await? {
                Some(kept) => run = kept,
                None => return Ok(self.app.db.read(Load(run.clone(), now)).await?.0),
            }
            told(&run);
        }
    }

    /// One page; `None` if the run is not ours any more.
    async fn page(
        &self,
        lease: &Lease,
        connection: &Connection,
        run: &Run,
        step: Step,
    ) -> Result<Option<Run>, StoreError> {
        let app = self.app;
        let data_key = app.data_key(&connection.workspace_id).await?;
        let client = match app.clients.of(app, connection).await {
            Ok(client) => client.beside(),
            Err(NoClient::Store(error)) => return Err(error),
            Err(NoClient::Unavailable(words)) => {
                return self.fail(run, Verdict::Later(words, None)).await.map(Some);
            }
            Err(NoClient::Refused(words)) => {
                set_status(app, connection, "broken", &words).await?;
                return self.fail(run, Verdict::Later(words, None)).await.map(Some);
            }
        };
        let Some(answer) = lease.hold(app, read(&client, run, step)).await? else { return Ok(None) };
        let (held, next, notes) = match answer {
            Ok(answer) => match held(app, &data_key, connection, run, &answer) {
                Ok((held, notes)) => {
                    let Read { next, .. } = answer;
                    (held, next, notes)
                }
                Err(StoreError::Invalid(words)) => {
                    return self.fail(run, Verdict::Later(words, None)).await.map(Some);
                }
                Err(error) => return Err(error),
            },
            Err(error) => {
                if matches!(error, ApiError::Unauthorised { .. }) {
                    set_status(app, connection, "broken", &error.to_string()).await?;
                }
                match verdict(&error, step, run) {
                    Verdict::Skip(note) => (Held::Nothing, None, vec![note]),
                    other => return self.fail(run, other).await.map(Some),
                }
            }
        };
        let now = app.now();
        let keep = Keep {
            connection: connection.clone(),
            data_key,
            holder: self.holder.clone(),
            run: run.clone(),
            step,
            held,
            next,
            note: notes.into_iter().next(),
            now,
            lease_until: now.saturating_add(LEASE_MS),
        };
        let Kept::Kept(run) = app.db.write(Background(keep)).await? else { return Ok(None) };
        match self.settling {
            Settling::Pipeline => app.wake.notify_one(),
            Settling::Here => {
                lease.hold(app, worker::drain(app)).await?.transpose()?;
            }
        }
        Ok(Some(*run))
    }

    async fn fail(&self, run: &Run, verdict: Verdict) -> Result<Run, StoreError> {
        let unit = Fail { run: run.clone(), verdict, now: self.app.now() };
        let run = self.app.db.write(unit).await?;
        tracing::warn!(run = run.run_id, state = run.state, error = run.last_error, "reading the past");
        Ok(run)
    }
}

/// What follows from a failed call.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Verdict {
    /// The list is left out, and the run says so.
    Skip(String),
    /// The list is begun anew: its cursor is known no more.
    Anew(String),
    /// Again after a while; after so many seconds if Stripe said so.
    Later(String, Option<u64>),
    /// Nothing helps but a person.
    Stop(String),
}

fn verdict(error: &ApiError, step: Step, run: &Run) -> Verdict {
    let words = error.to_string();
    let optional = matches!(step, Step::List(list) if list.is_optional());
    match error {
        ApiError::Forbidden { .. } if optional => {
            Verdict::Skip(format!("The {} were left out. {words}", step.words()))
        }
        // An API of before invoice payments names the payment in the invoice itself.
        ApiError::NoSuchCall { .. } if optional || step == Step::List(List::InvoicePayments) => {
            Verdict::Skip(format!("The {} were left out. {words}", step.words()))
        }
        ApiError::Invalid { param, .. }
            if param.as_deref() == Some("starting_after") && run.attempts == 0 =>
        {
            Verdict::Anew(words)
        }
        ApiError::RateLimited { retry_after_s } => Verdict::Later(words, *retry_after_s),
        ApiError::Unavailable { .. }
        | ApiError::UnknownOutcome { .. }
        | ApiError::NotJson { .. }
        | ApiError::Unexpected { .. } => Verdict::Later(words, None),
        ApiError::Forbidden { .. } => Verdict::Stop(format!("The {} cannot be read. {words}", step.words())),
        _ => Verdict::Stop(words),
    }
}

/// The run as it stands, its connection, and whether a shorter run of the connection goes first.
struct Load(Run, i64);

impl Unit for Load {
    type Out = (Run, Connection, bool);
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let (ws, con, id) = (&self.0.workspace_id, &self.0.connection_id, &self.0.run_id);
        let run = imports::find(tx, ws, con, id).await?;
        let run = run.ok_or_else(|| StoreError::NotFound(format!("run {id}")))?;
        let connection = connections::find(tx, ws, con).await?;
        let connection = connection.ok_or_else(|| StoreError::NotFound(format!("connection {con}")))?;
        let gives_way = run.kind == "objects" && imports::others_due(tx, ws, con, self.1).await?;
        Ok((run, connection, gives_way))
    }
}

struct Fail {
    run: Run,
    verdict: Verdict,
    now: i64,
}

impl Unit for Fail {
    type Out = Run;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Run, StoreError> {
        let r = &self.run;
        let found = imports::lock(tx, &r.workspace_id, &r.connection_id, &r.run_id).await?;
        let mut run = found.ok_or_else(|| StoreError::NotFound(format!("run {}", r.run_id)))?;
        if run.state != "running" {
            return Ok(run);
        }
        run.attempts = run.attempts.saturating_add(1);
        run.updated_at = self.now;
        let pause = back_off_ms(run.attempts - 1).min(PAUSE_MAX_MS);
        match &self.verdict {
            Verdict::Later(words, after_s) if run.attempts < TRIES => {
                let asked = after_s.and_then(|s| i64::try_from(s).ok()).unwrap_or(0).saturating_mul(1000);
                run.run_at = self.now.saturating_add(pause.max(asked.min(PAUSE_MAX_MS)));
                run.last_error.clone_from(words);
            }
            Verdict::Anew(words) => {
                (run.cursor, run.pages) = (String::new(), 0);
                run.run_at = self.now.saturating_add(pause);
                run.last_error.clone_from(words);
            }
            Verdict::Later(words, _) | Verdict::Stop(words) | Verdict::Skip(words) => {
                run.state = "failed".to_owned();
                run.finished_at = Some(self.now);
                run.last_error.clone_from(words);
            }
        }
        imports::save(tx, &run).await?;
        Ok(run)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run() -> Run {
        Run {
            workspace_id: String::new(),
            connection_id: String::new(),
            run_id: String::new(),
            kind: "objects".into(),
            state: "running".into(),
            started_by: "person".into(),
            since_at: 0,
            until_at: 0,
            gap_from: None,
            step: String::new(),
            cursor: String::new(),
            pages: 0,
            done: 0,
            fresh: 0,
            total: None,
            counts: "{}".into(),
            notes: "[]".into(),
            last_error: String::new(),
            attempts: 0,
            run_at: 0,
            started_at: 0,
            updated_at: 0,
            finished_at: None,
        }
    }

    #[test]
    fn every_failure_ends_in_a_state() {
        let message = String::from("m");
        let forbidden =
            ApiError::Forbidden { permission: Some("charge_read".into()), message: message.clone() };
        let of = |error: &ApiError, list| verdict(error, Step::List(list), &run());
        assert!(
            matches!(of(&forbidden, List::Customers), Verdict::Skip(words) if words.contains("customers"))
        );
        assert!(
            matches!(of(&forbidden, List::Charges), Verdict::Stop(words) if words.contains("charge_read"))
        );
        let unauthorised = ApiError::Unauthorised { message: message.clone() };
        assert!(matches!(of(&unauthorised, List::Customers), Verdict::Stop(_)));
        let limited = ApiError::RateLimited { retry_after_s: Some(7) };
        assert!(matches!(of(&limited, List::Charges), Verdict::Later(_, Some(7))));
        let none = ApiError::NoSuchCall { path: "/v1/invoice_payments".into() };
        assert!(matches!(of(&none, List::InvoicePayments), Verdict::Skip(_)));
        assert!(matches!(of(&none, List::Charges), Verdict::Stop(_)));
        let gone =
            ApiError::Invalid { status: 400, code: None, param: Some("starting_after".into()), message };
        assert!(matches!(of(&gone, List::Charges), Verdict::Anew(_)));
        let again = Run { attempts: 1, ..run() };
        assert!(matches!(verdict(&gone, Step::List(List::Charges), &again), Verdict::Stop(_)));
        let endless = ApiError::EndlessList { path: String::new(), page: 2, reason: "r" };
        assert!(matches!(of(&endless, List::Charges), Verdict::Stop(_)));
        let html = ApiError::NotJson { status: 200, host: String::new() };
        assert!(matches!(of(&html, List::Charges), Verdict::Later(..)));
    }
}
