//! Opening an installation: database, schema, master key.

use crate::config::Config;
use crate::failure::Failure;
use crate::master_key::{self, Master};
use crate::output::Output;
use std::net::SocketAddr;
use tributary_server::clock::Clock;
use tributary_server::{App, Settings};
use tributary_store::Db;
use tributary_store::db::Location;
use tributary_store::whole::state::Unfinished;

/// How much a command may change before it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Begin {
    /// Makes what is missing: file, schema, master key.
    Make,
    /// Takes what is there.
    Take,
}

/// Opens the database. A file that is not there is made only by [`Begin::Make`].
pub(crate) async fn database(config: &Config, begin: Begin) -> Result<Db, Failure> {
    if let Location::Sqlite(path) = &config.database {
        match begin {
            Begin::Make => master_key::make_folder(&config.folder())?,
            Begin::Take if !path.exists() => {
                return Err(Failure::unavailable(format!(
                    "There is no database at {}. Run `tributary setup` or `tributary serve` first, or set \
                     TRIBUTARY_DATABASE_URL.",
                    path.display()
                )));
            }
            Begin::Take => {}
        }
    }
    let db = Db::open(&config.database).await?;
    if begin == Begin::Make {
        db.migrate().await?;
    }
    db.check_schema().await?;
    if let Some(what) = db.read(Unfinished).await? {
        return Err(Failure::problem(format!(
            "This database is not complete: a {what} into it was cut off, or still runs. Take the database that it came \
             from, or copy again into an empty one."
        )));
    }
    Ok(db)
}

/// Opens the database and its master key.
pub(crate) async fn installation(
    config: &Config,
    begin: Begin,
    out: &Output,
) -> Result<(Db, Master), Failure> {
    let db = database(config, begin).await?;
    let master = master_key::find(config, &db, begin == Begin::Make).await?;
    if let Some(path) = &master.made {
        out.say(&format!(
            "A master key was made: {}. Keep a copy of it somewhere safe; without it the secrets in the database cannot \
             be read.",
            path.display()
        ));
    }
    Ok((db, master))
}

/// Everything that commands work with, as if the server listened at the configured address.
pub(crate) async fn app(config: &Config, begin: Begin, out: &Output) -> Result<App, Failure> {
    let (db, master) = installation(config, begin, out).await?;
    app_at(config, config.listen, db, master)
}

/// The same for a known address.
pub(crate) fn app_at(config: &Config, listen: SocketAddr, db: Db, master: Master) -> Result<App, Failure> {
    let settings = Settings {
        listen,
        public_url: config.public_url_at(listen)?,
        stripe_api_base: config.stripe_api_base.clone(),
        poll_seconds: config.poll_seconds,
        link_delay_ms: config.link_delay_ms,
        raw_payload_days: config.raw_payload_days,
    };
    let mut app = App::new(db, master.key, Clock::default(), settings);
    app.outside = std::sync::Arc::new(config.outside.clone());
    if let Some(header) = &config.client_address_header {
        app.track.trust(header.clone());
    }
    if !config.stripe_app_secrets.is_empty() {
        app.stripe_app.require_signature(config.stripe_app_secrets.clone());
    }
    Ok(app)
}
