//! `tributary serve`

mod lock;

use crate::config::Config;
use crate::failure::{Exit, Failure};
use crate::master_key;
use crate::open::{Begin, app_at, installation};
use crate::output::Output;
use lock::Lock;
pub(super) use lock::process_of;
use serde::Serialize;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tributary_server::App;
use tributary_store::db::Location;

/// Requests and jobs that run when the server is told to stop have this long.
const DRAIN: Duration = Duration::from_secs(10);

#[derive(Debug, Serialize)]
struct Started {
    url: String,
    listen: SocketAddr,
    pid: u32,
    database: String,
    set_up: bool,
    /// The page that sets up, with its one-time token; only while nothing is set up.
    #[serde(skip_serializing_if = "Option::is_none")]
    setup_url: Option<String>,
}

pub(super) async fn run(config: &Config, out: &Output) -> Result<Exit, Failure> {
    let _lock = match &config.database {
        Location::Sqlite(path) => {
            master_key::make_folder(&config.folder())?;
            Some(Lock::take(path)?)
        }
        Location::Postgres(_) => None,
    };
    let (db, master) = installation(config, Begin::Make, out).await?;
    remarks(config, &master, out);
    let listener = bind(config.listen).await?;
    let listen =
        listener.local_addr().map_err(|e| Failure::unavailable(format!("The address is not known: {e}.")))?;
    let app = app_at(config, listen, db, master)?;
    announce(config, &app, listen, out).await?;
    let ended = serve(app.clone(), listener, out).await;
    if tokio::time::timeout(DRAIN, app.db.close()).await.is_err() {
        out.say("The database was still writing and was left to its log; nothing that was answered is lost.");
    }
    ended
}

async fn bind(listen: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(listen).await.map_err(|e| {
        let reason = match e.kind() {
            ErrorKind::AddrInUse => "another process listens there".to_owned(),
            ErrorKind::PermissionDenied => "this user may not take that port".to_owned(),
            ErrorKind::AddrNotAvailable => "this machine has no such address".to_owned(),
            _ => e.to_string(),
        };
        Failure::unavailable(format!(
            "Cannot listen on {listen}: {reason}. Set TRIBUTARY_LISTEN to another address, such as 127.0.0.1:8790."
        ))
    })
}

fn remarks(config: &Config, master: &master_key::Master, out: &Output) {
    let file = master_key::file_of(config);
    if config.master_key.is_none() && master_key::is_open_to_others(&file) {
        out.say(&format!("Others on this machine can read {}. Run `chmod 600` on it.", master.origin));
    }
    for name in &config.unknown_names {
        out.say(&format!("{name} is set, but there is no such setting."));
    }
}

async fn announce(config: &Config, app: &App, listen: SocketAddr, out: &Output) -> Result<(), Failure> {
    let set_up = app.first_run.is_set_up(app).await?;
    let url = app.settings.public_url.as_str().trim_end_matches('/').to_owned();
    let setup_url = match set_up {
        true => None,
        false => Some(format!("{url}/setup?token={}", app.first_run.begin()?)),
    };
    let started = Started {
        url,
        listen,
        pid: std::process::id(),
        database: config.database_words(),
        set_up,
        setup_url,
    };
    if let Some(setup_url) = &started.setup_url {
        out.say(&format!(
            "Set up in the browser (this link opens until the first account exists):\n  {setup_url}"
        ));
    }
    out.answer(&started, |started| {
        format!("Tributary serves {} ({}; listening on {listen}).", started.url, started.database)
    })
}

/// Serves until a signal comes, then gives running work its time.
async fn serve(app: App, listener: TcpListener, out: &Output) -> Result<Exit, Failure> {
    let (stop, stopped) = watch::channel(false);
    let mut told = stopped.clone();
    tokio::spawn(async move {
        stop_signal().await;
        stop.send_replace(true);
        // The sender stays until the process ends, so that waiting on it never ends by its loss.
        std::future::pending::<()>().await;
    });
    let mut late = stopped;
    let shutdown = async move {
        // An error means that the sender is gone, which is a reason to stop, too.
        let _gone = told.wait_for(|stop| *stop).await;
    };
    let too_late = async move {
        let _gone = late.wait_for(|stop| *stop).await;
        tokio::time::sleep(DRAIN).await;
    };
    tokio::select! {
        ended = tributary_server::serve(app, listener, shutdown) => {
            ended.map_err(|e| Failure::unavailable(format!("The server stopped: {e}.")))?;
        }
        () = too_late => out.say("Not everything ended within 10 s; what was cut off will be done again."),
    }
    Ok(Exit::Ok)
}

/// Waits for SIGTERM or Ctrl-C.
pub(super) async fn stop_signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let Ok(mut terminate) = signal(SignalKind::terminate()) else {
            return interrupt().await;
        };
        tokio::select! {
            _ = terminate.recv() => {}
            () = interrupt() => {}
        }
    }
    #[cfg(not(unix))]
    interrupt().await;
}

async fn interrupt() {
    if let Err(error) = tokio::signal::ctrl_c().await {
        tracing::error!(%error, "Ctrl-C cannot be listened to");
        std::future::pending::<()>().await;
    }
}
