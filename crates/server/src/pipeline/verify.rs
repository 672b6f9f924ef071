//! Verify: the ledger's invariants, counters, inbox and keys. Every problem names its row.

mod books;
mod chain;
mod rows;
mod seals;

use crate::App;
use serde::Serialize;
use tributary_store::pipeline::recount;
use tributary_store::{StoreError, Tx, Unit, workspaces};

pub use books::{Books, read_books, shared_root};

/// Problems listed at most.
const PROBLEMS_MAX: usize = 200;

/// Something that must not be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The table.
    pub table: String,
    /// The row's key.
    pub row: String,
    /// What is wrong.
    pub problem: String,
}

/// What an account holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Balance {
    /// `test` or `live`.
    pub mode: String,
    /// The program's name.
    pub program: String,
    /// The partner's key; empty for the program's expense.
    pub partner: String,
    /// Lower case.
    pub currency: String,
    /// `expense`, `pending` or `payable`.
    pub account: String,
    /// Minor units; expense is what the program has cost.
    pub amount: i64,
}

/// The outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// No problem was found.
    pub ok: bool,
    /// One text that stands for the books: equal books, equal digest.
    pub digest: String,
    /// Events not yet processed or parked, sales that wait for Stripe, scopes not yet settled.
    pub waiting: i64,
    /// The instant that digest and balances are of, ms UTC; only where one was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub as_of: Option<i64>,
    /// What the accounts hold; with an instant, what they held by the journals written until then.
    pub balances: Vec<Balance>,
    /// At most 200.
    pub problems: Vec<Problem>,
}

/// Collects problems up to the limit.
#[derive(Default)]
pub struct Problems(Vec<Problem>);

impl Problems {
    fn add(&mut self, table: &str, row: impl Into<String>, problem: impl Into<String>) {
        if self.0.len() < PROBLEMS_MAX {
            self.0.push(Problem { table: table.to_owned(), row: row.into(), problem: problem.into() });
        }
    }
}

/// Verifies everything. With `as_of` (ms UTC) the digest is of what was sold until then, and tells what was in its hold
/// at that instant from what was payable.
///
/// # Errors
/// The database's. A problem found is no error.
pub async fn run(app: &App, as_of: Option<i64>) -> Result<Report, StoreError> {
    let mut keys = Vec::new();
    for (workspace_id, ..) in app.db.read(Workspaces).await? {
        keys.push((workspace_id.clone(), app.data_key(&workspace_id).await?));
    }
    app.db.read(Verify { keys, as_of }).await
}

/// Counts every counter anew from the rows that it counts. What was not kept as rows (visits that did not count) stays.
///
/// # Errors
/// The database's; then nothing of that workspace was changed.
pub async fn rebuild(app: &App) -> Result<(), StoreError> {
    for (workspace_id, ..) in app.db.read(Workspaces).await? {
        app.db.write(Rebuild(workspace_id)).await?;
    }
    Ok(())
}

struct Rebuild(String);
impl Unit for Rebuild {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        recount::rebuild(tx, &self.0).await
    }
}

struct Workspaces;
impl Unit for Workspaces {
    type Out = Vec<(String, String, Vec<u8>)>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        workspaces::list_workspaces(tx).await
    }
}

struct Verify {
    keys: Vec<(String, tributary_store::vault::Key)>,
    as_of: Option<i64>,
}

impl Unit for Verify {
    type Out = Report;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Report, StoreError> {
        let mut problems = Problems::default();
        let mut books = Books::default();
        let (mut balances, mut waiting) = (Vec::new(), 0);
        let known: Vec<String> = self.keys.iter().map(|(id, _)| id.clone()).collect();
        rows::foreign_workspaces(tx, &known, &mut problems).await?;
        for (workspace_id, data_key) in &self.keys {
            chain::check(tx, workspace_id, &mut problems).await?;
            seals::check(tx, workspace_id, &mut problems).await?;
            rows::check(tx, workspace_id, data_key, &mut problems).await?;
            read_books(tx, workspace_id, self.as_of, &mut books).await?;
            balances.extend(books::balances(tx, workspace_id, self.as_of).await?);
            waiting += rows::waiting(tx, workspace_id).await?;
        }
        let problems = problems.0;
        let (ok, digest) = (problems.is_empty(), books.books.digest());
        Ok(Report { ok, digest, waiting, as_of: self.as_of, balances, problems })
    }
}
