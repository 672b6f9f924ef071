//! `tributary migrate`

use crate::config::Config;
use crate::failure::{Exit, Failure};
use crate::master_key::make_folder;
use crate::output::Output;
use serde::Serialize;
use tributary_store::Db;
use tributary_store::db::Location;

#[derive(Debug, Serialize)]
struct Answer {
    database: String,
    applied: usize,
}

pub(super) async fn run(config: &Config, out: &Output) -> Result<Exit, Failure> {
    if matches!(config.database, Location::Sqlite(_)) {
        make_folder(&config.folder())?;
    }
    let db = Db::open(&config.database).await?;
    let applied = db.migrate().await?;
    db.close().await;
    out.answer(&Answer { database: config.database_words(), applied }, |answer| match answer.applied {
        0 => format!("{}: the schema is up to date.", answer.database),
        n => format!("{}: {n} migrations applied.", answer.database),
    })?;
    Ok(Exit::Ok)
}
