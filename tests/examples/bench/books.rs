//! The database, read beside the server.

use crate::process::Fail;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Which database.
#[derive(Debug, Clone)]
pub(crate) enum Books {
    /// A file.
    Sqlite(PathBuf),
    /// An address.
    Postgres(String),
}

/// A connection that only reads.
enum Reader {
    Sqlite(rusqlite::Connection),
    Postgres(tokio_postgres::Client),
}

/// Is anything left to do? Each part is one step into an index of what is left.
const LEFT: &str = "SELECT (SELECT COUNT(*) FROM (SELECT 1 FROM event WHERE outcome = 'pending' LIMIT 1) a) \
     + (SELECT COUNT(*) FROM (SELECT 1 FROM scope WHERE generation > settled_generation LIMIT 1) b) \
     + (SELECT COUNT(*) FROM (SELECT 1 FROM sale WHERE unplaced LIMIT 1) c) \
     + (SELECT COUNT(*) FROM (SELECT 1 FROM sale WHERE unsettled AND merged_into IS NULL LIMIT 1) d) \
     + (SELECT COUNT(*) FROM (SELECT 1 FROM sale WHERE awaiting_since IS NOT NULL LIMIT 1) e)";

impl Books {
    /// The address as the server reads it.
    pub(crate) fn url(&self) -> String {
        match self {
            Self::Sqlite(path) => format!("sqlite:{}", path.display()),
            Self::Postgres(url) => url.clone(),
        }
    }

    async fn reader(&self) -> Result<Reader, Fail> {
        Ok(match self {
            Self::Sqlite(path) => {
                let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
                let connection = rusqlite::Connection::open_with_flags(path, flags)?;
                connection.busy_timeout(Duration::from_secs(10))?;
                Reader::Sqlite(connection)
            }
            Self::Postgres(url) => {
                let client = connect(url).await?;
                // What is asked again and again must not cost what is measured.
                client.batch_execute("SET enable_seqscan = off").await?;
                Reader::Postgres(client)
            }
        })
    }

    /// One number.
    pub(crate) async fn number(&self, sql: &str) -> Result<i64, Fail> {
        self.reader().await?.number(sql).await
    }

    /// Changes something past the server.
    pub(crate) async fn run(&self, sql: &str) -> Result<(), Fail> {
        match self {
            Self::Sqlite(path) => {
                let connection = rusqlite::Connection::open(path)?;
                connection.busy_timeout(Duration::from_secs(10))?;
                connection.execute_batch(sql)?;
            }
            Self::Postgres(url) => connect(url).await?.batch_execute(sql).await?,
        }
        Ok(())
    }

    /// Waits until nothing is left to do, and answers when that was.
    pub(crate) async fn at_rest(&self, limit: Duration) -> Result<Instant, Fail> {
        let reader = self.reader().await?;
        let began = Instant::now();
        loop {
            let left = reader.number(LEFT).await?;
            let now = Instant::now();
            if left == 0 {
                return Ok(now);
            }
            if began.elapsed() > limit {
                let sql = "SELECT COUNT(*) FROM event WHERE outcome = 'pending'";
                let pending = reader.number(sql).await?;
                return Err(format!("work was left after {} s; events: {pending}", limit.as_secs()).into());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// What the partners are owed by the ledger's entries alone, minor units.
    pub(crate) async fn owed(&self) -> Result<i64, Fail> {
        let side = |side: &str| {
            format!(
                "(SELECT COALESCE(CAST(SUM(e.amount) AS BIGINT), 0) FROM entry e JOIN account a \
                 ON a.workspace_id = e.workspace_id AND a.mode = e.mode AND a.currency = e.currency \
                 AND a.account_id = e.{side} WHERE a.kind IN ('pending', 'payable'))"
            )
        };
        self.number(&format!("SELECT {} - {}", side("credit_account"), side("debit_account"))).await
    }
}

/// Connects to PostgreSQL; the connection's own task ends with the client.
pub(crate) async fn connect(url: &str) -> Result<tokio_postgres::Client, Fail> {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            eprintln!("bench: PostgreSQL: {error}");
        }
    });
    Ok(client)
}

impl Reader {
    async fn number(&self, sql: &str) -> Result<i64, Fail> {
        Ok(match self {
            Self::Sqlite(connection) => connection.query_row(sql, [], |row| row.get(0))?,
            Self::Postgres(client) => client.query_one(sql, &[]).await?.get(0),
        })
    }
}
