//! A look into the database past the server: rows as text, and damage made by hand.

use std::path::PathBuf;
use std::time::Duration;

/// Which database a test runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// A file of its own.
    Sqlite,
    /// A database of its own on the tests' server.
    Postgres,
}

/// One row; `None` is NULL. Flags are `1` and `0` on both engines, bytes are lower-case hex.
pub type Row = Vec<Option<String>>;

/// Where the data lie.
#[derive(Debug, Clone)]
pub enum Database {
    /// A file.
    Sqlite(PathBuf),
    /// An address, with the database's name.
    Postgres(String),
}

impl Database {
    /// As the server wants it.
    pub fn url(&self) -> String {
        match self {
            Self::Sqlite(path) => format!("sqlite:{}", path.display()),
            Self::Postgres(url) => url.clone(),
        }
    }

    /// The rows of a query. Use plain SQL that both engines know.
    pub async fn rows(&self, sql: &str) -> Vec<Row> {
        match self {
            Self::Sqlite(path) => sqlite_rows(path, sql),
            Self::Postgres(url) => postgres_rows(url, sql).await,
        }
    }

    /// The first column of the first row as a number.
    pub async fn number(&self, sql: &str) -> i64 {
        self.text(sql).await.parse().unwrap_or_else(|_| panic!("{sql}: no number"))
    }

    /// The first column of the first row.
    pub async fn text(&self, sql: &str) -> String {
        let rows = self.rows(sql).await;
        let first = rows.first().unwrap_or_else(|| panic!("{sql}: no row"));
        first[0].clone().unwrap_or_else(|| panic!("{sql}: NULL"))
    }

    /// The first column of all rows.
    pub async fn column(&self, sql: &str) -> Vec<String> {
        self.rows(sql).await.into_iter().map(|row| row[0].clone().unwrap_or_default()).collect()
    }

    /// Changes data as an administrator would who goes around every guard: no triggers, no foreign keys.
    pub async fn damage(&self, sql: &str) {
        match self {
            Self::Sqlite(path) => sqlite_damage(path, sql),
            Self::Postgres(url) => {
                let client = connect(url).await;
                let sql = format!("SET session_replication_role = replica; {sql}");
                client.batch_execute(&sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
            }
        }
    }
}

fn sqlite_rows(path: &std::path::Path, sql: &str) -> Vec<Row> {
    let connection = rusqlite::Connection::open(path).expect("the file opens");
    connection.busy_timeout(Duration::from_secs(10)).expect("a time limit");
    let mut statement = connection.prepare(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    let width = statement.column_count();
    let mut rows = statement.query([]).expect("the query runs");
    let mut found = Vec::new();
    while let Some(row) = rows.next().unwrap_or_else(|error| panic!("{sql}: {error}")) {
        found.push((0..width).map(|at| sqlite_text(row.get_ref(at).expect("a column"))).collect());
    }
    found
}

fn sqlite_text(value: rusqlite::types::ValueRef<'_>) -> Option<String> {
    use rusqlite::types::ValueRef;
    match value {
        ValueRef::Null => None,
        ValueRef::Integer(number) => Some(number.to_string()),
        ValueRef::Real(number) => Some(number.to_string()),
        ValueRef::Text(text) => Some(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => Some(hex::encode(bytes)),
    }
}

fn sqlite_damage(path: &std::path::Path, sql: &str) {
    let connection = rusqlite::Connection::open(path).expect("the file opens");
    connection.busy_timeout(Duration::from_secs(10)).expect("a time limit");
    let found: Vec<(String, String)> = connection
        .prepare("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        .and_then(|mut statement| {
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect()
        })
        .expect("the triggers are listed");
    let mut script =
        "PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON; BEGIN IMMEDIATE;".to_owned();
    for (name, _) in &found {
        script.push_str(&format!("DROP TRIGGER {name};"));
    }
    script.push_str(sql);
    script.push(';');
    for (_, text) in &found {
        script.push_str(text);
        script.push(';');
    }
    script.push_str("COMMIT;");
    connection.execute_batch(&script).unwrap_or_else(|error| panic!("{sql}: {error}"));
}

/// A connection; its driver runs beside it.
pub async fn connect(url: &str) -> tokio_postgres::Client {
    let (client, driver) = tokio_postgres::connect(url, tokio_postgres::NoTls)
        .await
        .unwrap_or_else(|error| panic!("{url}: {error:?}"));
    tokio::spawn(driver);
    client
}

async fn postgres_rows(url: &str, sql: &str) -> Vec<Row> {
    let client = connect(url).await;
    let messages = client.simple_query(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    let rows = messages.into_iter().filter_map(|message| match message {
        tokio_postgres::SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    });
    rows.map(|row| (0..row.len()).map(|at| row.get(at).map(postgres_text)).collect()).collect()
}

/// Flags come as `t` and `f`, bytes as `\x…`.
fn postgres_text(text: &str) -> String {
    match text {
        "t" => "1".to_owned(),
        "f" => "0".to_owned(),
        _ => text.strip_prefix("\\x").unwrap_or(text).to_owned(),
    }
}
