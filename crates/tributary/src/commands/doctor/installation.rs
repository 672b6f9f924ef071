//! Configuration, key, database, and every connection.

use super::{Report, checklist};
use crate::config::Config;
use crate::master_key;
use crate::open::{Begin, app_at, database};
use crate::output::Output;
use tributary_server::App;
use tributary_server::connect::check;
use tributary_store::connections::{self, Connection};
use tributary_store::db::Location;
use tributary_store::{Db, StoreError, Tx, Unit, health, workspaces};

pub(super) async fn look(config: &Config, report: &mut Report, out: &Output) {
    settings(config, report);
    let db = match database(config, Begin::Take).await {
        Ok(db) => db,
        Err(failure) => {
            report.unreachable = failure.exit == crate::failure::Exit::Unavailable;
            report.bad("database", failure.message);
            return;
        }
    };
    engine(config, &db, report).await;
    let master = match master_key::find(config, &db, false).await {
        Ok(master) => master,
        Err(failure) => return report.bad("master key", failure.message),
    };
    key_file(config, &master, report);
    match app_at(config, config.listen, db, master) {
        Ok(app) => of_connections(&app, report, out).await,
        Err(failure) => report.bad("public URL", failure.message),
    }
}

fn settings(config: &Config, report: &mut Report) {
    let file = config.file.as_ref().map_or("no tributary.toml".to_owned(), |path| path.display().to_string());
    if config.unknown_names.is_empty() {
        report.good("configuration", file);
    } else {
        report.bad("configuration", format!("there is no setting {}", config.unknown_names.join(", ")));
    }
    match &config.public_url {
        Some(url) if url.scheme() == "https" => report.good("public URL", url.as_str()),
        Some(url) => {
            report.good("public URL", format!("{url} is not https: browsers' sessions are not protected"))
        }
        None => report.good("public URL", "not set: reachable on this machine only, events are polled"),
    }
}

async fn engine(config: &Config, db: &Db, report: &mut Report) {
    match db.read(Version).await {
        Ok(version) => report.good("database", format!("{version} ({})", config.database_words())),
        Err(error) => report.failed("database", &error),
    }
    if let Location::Sqlite(path) = &config.database {
        match crate::commands::serve::process_of(path) {
            Some(pid) => report.good("server", format!("process {pid} serves this database")),
            None => report.good("server", "none runs on this database"),
        }
    }
}

fn key_file(config: &Config, master: &master_key::Master, report: &mut Report) {
    let file = master_key::file_of(config);
    if config.master_key.is_none() && master_key::is_open_to_others(&file) {
        report.bad("master key", format!("others can read {}; run `chmod 600` on it", master.origin));
    } else {
        report.good("master key", format!("{} fits the database", master.origin));
    }
}

async fn of_connections(app: &App, report: &mut Report, out: &Output) {
    let all = match app.db.read(AllConnections).await {
        Ok(all) => all,
        Err(error) => return report.failed("connections", &error),
    };
    if all.is_empty() {
        report.good("connections", "none yet: run `tributary stripe connect`");
    }
    let count = u64::try_from(all.len()).unwrap_or(u64::MAX);
    for (at, connection) in (1..).zip(&all) {
        out.progress("connections", at, count);
        match check(app, connection).await {
            Ok(checkup) => {
                if report.walks {
                    match checklist::walk(app, connection, &checkup).await {
                        Ok(walk) => report.checklists.push(walk),
                        Err(error) => report.failed("checklist", &error),
                    }
                }
                report.connections.push(checkup);
            }
            Err(error) if error.is_unavailable() => return report.failed("connections", &error),
            Err(error) => report.bad("connection", format!("{}: {error}", connection.connection_id)),
        }
    }
    out.progress_done();
}

struct Version;

impl Unit for Version {
    type Out = String;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<String, StoreError> {
        health::engine_version(tx).await
    }
}

struct AllConnections;

impl Unit for AllConnections {
    type Out = Vec<Connection>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Vec<Connection>, StoreError> {
        let mut all = Vec::new();
        for (workspace_id, _, _) in workspaces::list_workspaces(tx).await? {
            all.extend(connections::list(tx, &workspace_id).await?);
        }
        all.retain(|one| one.status != "disconnected");
        Ok(all)
    }
}
