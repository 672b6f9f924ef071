//! A database that is being filled from another one.

use crate::track::parts::Parted;
use crate::{P, StoreError, Tx, Unit};

/// Begins to fill a database. With `resume`, goes on with a copy of the same kind that was cut off; answers whether it
/// does.
#[derive(Debug)]
pub struct Begin {
    /// `replay` or `copy`.
    pub what: String,
    /// ms UTC.
    pub at: i64,
    /// May it go on where an earlier run stopped?
    pub resume: bool,
}

impl Unit for Begin {
    type Out = bool;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<bool, StoreError> {
        let begun = what(tx).await?;
        if self.resume && begun.as_ref() == Some(&self.what) {
            return Ok(true);
        }
        if let Some(what) = begun {
            return Err(StoreError::Invalid(format!(
                "a {what} into that database was cut off; drop the database and give a fresh one"
            )));
        }
        for sql in ["SELECT 1 FROM workspace LIMIT 1", "SELECT 1 FROM route LIMIT 1"] {
            if tx.opt(sql, &[]).await?.is_some() {
                return Err(StoreError::Invalid(
                    "that database holds an installation already; give one that is empty".into(),
                ));
            }
        }
        let sql = "INSERT INTO copy_state (workspace_id, name, what, at) VALUES ('', '*', $1, $2)";
        tx.exec(sql, &[P::T(&self.what), P::I(self.at)]).await?;
        Ok(false)
    }
}

/// Notes that a table was copied whole.
#[derive(Debug)]
pub struct Copied {
    /// The table.
    pub name: &'static str,
    /// ms UTC.
    pub at: i64,
}

impl Unit for Copied {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let sql = "INSERT INTO copy_state (workspace_id, name, what, at) VALUES ('', $1, 'table', $2) ON CONFLICT DO NOTHING";
        tx.exec(sql, &[P::T(self.name), P::I(self.at)]).await?;
        Ok(())
    }
}

/// Was a table copied whole?
#[derive(Debug)]
pub struct IsCopied(pub &'static str);

impl Unit for IsCopied {
    type Out = bool;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM copy_state WHERE workspace_id = '' AND name = $1";
        Ok(tx.opt(sql, &[P::T(self.0)]).await?.is_some())
    }
}

/// Journals that came with their seal wait for none.
#[derive(Debug)]
pub struct Settle;

impl Unit for Settle {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let sql = "DELETE FROM unsealed WHERE EXISTS (SELECT 1 FROM seal s WHERE s.workspace_id = unsealed.workspace_id \
             AND s.journal_id = unsealed.journal_id)";
        tx.exec(sql, &[]).await?;
        Ok(())
    }
}

/// How many rows a table has.
#[derive(Debug)]
pub struct Rows(pub &'static str);

impl Unit for Rows {
    type Out = i64;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<i64, StoreError> {
        let sql = super::schema::statement(format!("SELECT COUNT(*) FROM {}", self.0));
        tx.opt(sql, &[]).await?.map_or(Ok(0), |row| row.int(0))
    }
}

/// The database is complete.
#[derive(Debug)]
pub struct End;

impl Unit for End {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        tx.exec("DELETE FROM copy_state WHERE workspace_id = ''", &[]).await?;
        Ok(())
    }
}

/// What is being written into the database from elsewhere, while that is not complete.
#[derive(Debug)]
pub struct Unfinished;

impl Unit for Unfinished {
    type Out = Option<String>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        what(tx).await
    }
}

async fn what(tx: &mut Tx<'_>) -> Result<Option<String>, StoreError> {
    let sql = "SELECT what FROM copy_state WHERE workspace_id = '' AND name = '*'";
    tx.opt(sql, &[]).await?.map(|row| row.text(0)).transpose()
}

/// The first and the last instant (ms UTC) of a table's rows; `None` if there are none.
#[derive(Debug)]
pub struct Ends(pub Parted);

impl Unit for Ends {
    type Out = Option<(i64, i64)>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let sql = match self.0 {
            Parted::Visits => "SELECT MIN(at), MAX(at) FROM visit",
            Parted::Payloads => "SELECT MIN(created_at), MAX(created_at) FROM event_payload",
        };
        let Some(row) = tx.opt(sql, &[]).await? else { return Ok(None) };
        Ok(row.opt_int(0)?.zip(row.opt_int(1)?))
    }
}
