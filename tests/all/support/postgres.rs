//! PostgreSQL for the tests: the server that `TRIBUTARY_TEST_POSTGRES` names, else one started here.

use super::database::connect;
use super::process::{self, Output, free_port};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{LazyLock, mpsc};
use std::time::Duration;
use tokio::process::Command;
use tokio::sync::OnceCell;

/// A server of its own, in a folder of its own. It is stopped, and the folder removed, when this process ends
/// however it ends: a watcher waits for the end of a pipe.
#[derive(Debug)]
pub struct Server {
    data: PathBuf,
    port: u16,
    _watcher: tokio::process::Child,
}

/// Where Debian and others keep the server's programs.
fn program(name: &str) -> PathBuf {
    let mut folders: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .filter(|folder| folder.join(name).exists())
        .collect();
    folders.sort();
    folders.pop().map_or_else(|| PathBuf::from(name), |folder| folder.join(name))
}

/// PostgreSQL refuses to run as root: then its own user is taken.
fn as_postgres(name: &str) -> Command {
    let program = program(name);
    let mut command = if is_root() {
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--"]).arg(program);
        command
    } else {
        Command::new(program)
    };
    command.current_dir("/").kill_on_drop(true);
    command
}

fn is_root() -> bool {
    std::process::Command::new("id").arg("-u").output().is_ok_and(|o| o.stdout.starts_with(b"0\n"))
}

impl Server {
    /// Starts a server on a free port of 127.0.0.1.
    pub async fn start() -> Self {
        let data = tempfile::Builder::new().prefix("tributary-postgres-").tempdir().expect("a folder").keep();
        if is_root() {
            let owned =
                std::process::Command::new("chown").arg("postgres").arg(&data).status().expect("chown runs");
            assert!(owned.success(), "chown failed");
        }
        let cluster = data.join("data");
        let mut initdb = as_postgres("initdb");
        initdb.args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-D"]).arg(&cluster);
        process::run(initdb, "", Duration::from_secs(60)).await.ok();
        let watcher = watch(&data);
        let server = Self { data, port: free_port(), _watcher: watcher };
        server.up().await;
        server
    }

    /// Starts the server after [`Self::down`].
    pub async fn up(&self) {
        let options = format!(
            "-c listen_addresses=127.0.0.1 -p {} -k {} -c max_connections=300",
            self.port,
            self.data.display()
        );
        self.control(&["-o", &options, "start"]).await.ok();
    }

    /// Stops the server at once; its data stay.
    pub async fn down(&self) {
        self.control(&["-m", "immediate", "stop"]).await.ok();
    }

    async fn control(&self, arguments: &[&str]) -> Output {
        let mut command = as_postgres("pg_ctl");
        command
            .arg("-D")
            .arg(self.data.join("data"))
            .arg("-l")
            .arg(self.data.join("log"))
            .arg("-w")
            .args(arguments);
        // The server inherits the outputs: pipes would keep the caller waiting for their end.
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let status = tokio::time::timeout(Duration::from_secs(60), command.status()).await;
        let code = status.expect("pg_ctl took too long").expect("pg_ctl runs").code().unwrap_or(-1);
        let log = process::tail(&self.data.join("log"), 20);
        Output { code, stdout: String::new(), stderr: log }
    }

    /// The address, without a database.
    pub fn address(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}", self.port)
    }
}

fn watch(data: &Path) -> tokio::process::Child {
    let stop = if is_root() { "runuser -u postgres -- " } else { "" };
    let script = format!(
        "cat >/dev/null; cd /; {stop}{} -D {data}/data -m immediate stop >/dev/null 2>&1; rm -rf {data}",
        program("pg_ctl").display(),
        data = data.display()
    );
    let mut command = Command::new("sh");
    // A group of its own: the terminal's Ctrl-C must not end the watcher before it has worked.
    command
        .args(["-c", &script])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0);
    command.spawn().expect("sh runs")
}

/// The address of the tests' common server, without a database.
pub async fn shared() -> &'static str {
    static SHARED: OnceCell<(String, Option<Server>)> = OnceCell::const_new();
    let (address, _) = SHARED
        .get_or_init(|| async {
            match std::env::var("TRIBUTARY_TEST_POSTGRES") {
                Ok(address) => (address.trim_end_matches('/').to_owned(), None),
                Err(_) => {
                    let server = Server::start().await;
                    (server.address(), Some(server))
                }
            }
        })
        .await;
    address
}

/// A fresh name for a database.
fn fresh_name() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let n = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("t_{}_{}_{n}", super::now_s(), std::process::id())
}

/// A new database with the tables in it: a copy of a template that was migrated once.
pub async fn fresh_database() -> String {
    static TEMPLATE: OnceCell<String> = OnceCell::const_new();
    let address = shared().await;
    let template = TEMPLATE.get_or_init(|| migrated_template(address)).await;
    let name = fresh_name();
    let client = connect(&format!("{address}/postgres")).await;
    let sql = format!("CREATE DATABASE {name} TEMPLATE {template}");
    client.batch_execute(&sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    format!("{address}/{name}")
}

/// A database of one test, by its address: dropped with it, or the disk fills with hundreds of them. That of a test which
/// failed stays, to be looked into.
#[derive(Debug)]
pub struct Spent(pub String);

impl Drop for Spent {
    fn drop(&mut self) {
        static JANITOR: LazyLock<mpsc::Sender<String>> = LazyLock::new(|| {
            let (sender, spent) = mpsc::channel();
            std::thread::spawn(move || sweep(&spent));
            sender
        });
        if !std::thread::panicking() {
            // At the end of all tests nobody listens any more, and the whole server goes.
            let _ = JANITOR.send(std::mem::take(&mut self.0));
        }
    }
}

/// Drops databases one after another: each takes a checkpoint.
fn sweep(spent: &mpsc::Receiver<String>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    while let Ok(url) = spent.recv() {
        let Some((address, name)) = url.rsplit_once('/') else { continue };
        runtime.block_on(async {
            let client = connect(&format!("{address}/postgres")).await;
            let sql = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
            if let Err(error) = client.batch_execute(&sql).await {
                eprintln!("{sql}: {error:?}");
            }
        });
    }
}

/// An empty database, without tables.
pub async fn empty_database(address: &str) -> String {
    let name = fresh_name();
    let client = connect(&format!("{address}/postgres")).await;
    client.batch_execute(&format!("CREATE DATABASE {name}")).await.expect("a database can be made");
    format!("{address}/{name}")
}

async fn migrated_template(address: &str) -> String {
    let url = empty_database(address).await;
    let folder = tempfile::tempdir().expect("a folder");
    let mut migrate = process::command(process::binary(), folder.path());
    migrate.args(["migrate", "--json"]).env("TRIBUTARY_DATABASE_URL", &url);
    process::run(migrate, "", Duration::from_secs(60)).await.ok();
    url.rsplit('/').next().expect("a name").to_owned()
}
