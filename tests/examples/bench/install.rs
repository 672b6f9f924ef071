//! Installations made by the command line, as a merchant makes them, and copies of them: one a measurement.

use crate::Plan;
use crate::books::{self, Books};
use crate::events::{Event, PARTNER, REGULAR, sign};
use crate::load::{self, Line};
use crate::process::{self, Fail, Running};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

const MASTER_KEY: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0";
const SECRET: &str = "whsec_the_bench_pasted_this_one_0123456789";
const FILE: &str = "tributary.db";

/// Which database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    /// Embedded.
    Sqlite,
    /// A server.
    Postgres,
}

impl Engine {
    /// Its name in figures.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}

/// An installation that is ready to be copied: a program at 30 %, a connection, a partner, one customer.
#[derive(Debug)]
pub(crate) struct Ground {
    /// The database.
    pub(crate) engine: Engine,
    binary: PathBuf,
    folder: PathBuf,
    stripe: String,
    program: String,
    books: Books,
    postgres: Option<String>,
    copies: AtomicU32,
}

impl Ground {
    /// Makes it.
    pub(crate) async fn lay(plan: &Plan, engine: Engine, folder: &Path, stripe: &str) -> Result<Self, Fail> {
        let folder = folder.join(engine.name());
        std::fs::create_dir_all(&folder)?;
        let mut ground = Self {
            engine,
            binary: plan.binary.clone(),
            books: Books::Sqlite(folder.join(FILE)),
            folder,
            stripe: stripe.to_owned(),
            program: String::new(),
            postgres: plan.postgres.clone().filter(|_| engine == Engine::Postgres),
            copies: AtomicU32::new(0),
        };
        if let Some(url) = ground.create("ground").await? {
            ground.books = Books::Postgres(url);
        }
        let settings = "setup --email owner@example.com --password-stdin --program Bench --kind affiliate \
             --currency usd --website https://shop.example --commission 30% --json";
        let said = process::json(ground.command(settings, 0), "a long password for the bench 1\n").await?;
        ground.program = text(&said, "program_public_id")?;
        let key = text(&said, "api_key")?;
        let connect = format!(
            "stripe connect --program {} --api-key-stdin --webhook-secret-stdin --json",
            ground.program
        );
        process::json(ground.command(&connect, 0), &format!("sk_test_bench\n{SECRET}\n")).await?;
        let served = ground.serve(&ground.books).await?;
        let partner = json!({ "key": PARTNER, "name": "Ada", "email": "ada@partners.example" });
        served.post("/v1/partners", &key, &partner).await?;
        let customer = json!({ "key": REGULAR, "partner": { "key": PARTNER } });
        served.post("/v1/customers", &key, &customer).await?;
        served.running.stop().await?;
        Ok(ground)
    }

    fn command(&self, arguments: &str, port: u16) -> tokio::process::Command {
        self.command_on(&self.books, arguments, port)
    }

    fn command_on(&self, books: &Books, arguments: &str, port: u16) -> tokio::process::Command {
        let mut command = process::command(&self.binary, &self.folder);
        command
            .args(arguments.split_whitespace())
            .env("TRIBUTARY_DATABASE_URL", books.url())
            .env("TRIBUTARY_MASTER_KEY", MASTER_KEY)
            .env("TRIBUTARY_LISTEN", format!("127.0.0.1:{port}"))
            .env("TRIBUTARY_PUBLIC_URL", format!("http://127.0.0.1:{port}"))
            .env("TRIBUTARY_STRIPE_API_BASE", &self.stripe)
            // As behind a proxy: the visitors of links come from many addresses.
            .env("TRIBUTARY_CLIENT_ADDRESS_HEADER", "X-Forwarded-For");
        command
    }

    async fn create(&self, name: &str) -> Result<Option<String>, Fail> {
        let Some(server) = &self.postgres else { return Ok(None) };
        let server = server.trim_end_matches('/');
        let database = format!("bench_{}_{name}", std::process::id());
        let client = books::connect(&format!("{server}/postgres")).await?;
        let template = match &self.books {
            Books::Postgres(url) => url.rsplit('/').next().map(|from| format!(" TEMPLATE {from}")),
            Books::Sqlite(_) => None,
        };
        let sql = format!("CREATE DATABASE {database}{}", template.unwrap_or_default());
        client.batch_execute(&sql).await?;
        Ok(Some(format!("{server}/{database}")))
    }

    /// A fresh copy with a server on it.
    pub(crate) async fn copy(&self) -> Result<Served<'_>, Fail> {
        let books = self.books_copy().await?;
        self.serve(&books).await
    }

    /// A fresh copy of the database alone.
    pub(crate) async fn books_copy(&self) -> Result<Books, Fail> {
        let name = format!("copy{}", self.copies.fetch_add(1, Ordering::Relaxed));
        Ok(match self.create(&name).await? {
            Some(url) => Books::Postgres(url),
            None => {
                let folder = self.folder.join(&name);
                std::fs::create_dir(&folder)?;
                for suffix in ["", "-wal"] {
                    let from = self.folder.join(format!("{FILE}{suffix}"));
                    if from.exists() {
                        std::fs::copy(from, folder.join(format!("{FILE}{suffix}")))?;
                    }
                }
                Books::Sqlite(folder.join(FILE))
            }
        })
    }

    /// A server on a database of this installation.
    pub(crate) async fn serve(&self, books: &Books) -> Result<Served<'_>, Fail> {
        let port = process::free_port()?;
        let command = self.command_on(books, "serve --json", port);
        let began = Instant::now();
        let mut running = Running::start(command, self.folder.join(format!("serve-{port}.log")))?;
        let address = ready(&mut running, port, "/readyz").await?;
        let start_us = load::us_since(began);
        Ok(Served { ground: self, running, address, start_us, books: books.clone() })
    }
}

/// Waits until a path is answered with 200.
pub(crate) async fn ready(server: &mut Running, port: u16, path: &str) -> Result<SocketAddr, Fail> {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let request = load::request("GET", path, &[], b"");
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(60) {
        if let Ok(mut line) = Line::open(address).await
            && line.ask(&request).await?.0 == 200
        {
            return Ok(address);
        }
        if let Some(said) = server.ended()? {
            return Err(format!("the server {said}").into());
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    Err("the server was not ready within 60 s".into())
}

fn text(said: &Value, name: &str) -> Result<String, Fail> {
    Ok(said[name].as_str().ok_or_else(|| format!("no {name} in {said}"))?.to_owned())
}

/// A server on a database of its own.
#[derive(Debug)]
pub(crate) struct Served<'g> {
    ground: &'g Ground,
    /// The process.
    pub(crate) running: Running,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// From its start to its first ready answer, µs.
    pub(crate) start_us: u64,
    /// Its database.
    pub(crate) books: Books,
}

impl Served<'_> {
    async fn post(&self, path: &str, key: &str, body: &Value) -> Result<(), Fail> {
        let bearer = format!("Bearer {key}");
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        let request = load::request("POST", path, &headers, body.to_string().as_bytes());
        match Line::open(self.address).await?.ask(&request).await? {
            (200 | 201, _) => Ok(()),
            (status, said) => {
                Err(format!("{path} answered {status}: {}", String::from_utf8_lossy(said)).into())
            }
        }
    }

    /// The program's public id.
    pub(crate) fn program(&self) -> &str {
        &self.ground.program
    }

    /// The name of its database in figures.
    pub(crate) const fn engine(&self) -> &'static str {
        self.ground.engine.name()
    }

    /// Events as signed requests, signed now.
    pub(crate) fn signed(&self, events: &[Event]) -> Result<Arc<Vec<Vec<u8>>>, Fail> {
        let path = format!("/v1/integrations/stripe/{}/webhook", self.ground.program);
        let t = process::now_s();
        let requests = events.iter().map(|event| {
            let signature = sign(SECRET, t, &event.body)?;
            let headers = [
                ("user-agent", "Stripe/1.0 (+https://stripe.com/docs/webhooks)"),
                ("content-type", "application/json; charset=utf-8"),
                ("stripe-signature", signature.as_str()),
            ];
            Ok(load::request("POST", &path, &headers, &event.body))
        });
        Ok(Arc::new(requests.collect::<Result<_, Fail>>()?))
    }

    /// `tributary verify --json` beside the server: it must find nothing, and nothing may wait. Answers its time, µs.
    pub(crate) async fn verify(&self) -> Result<u64, Fail> {
        let began = Instant::now();
        let said = process::json(self.ground.command_on(&self.books, "verify --json", 0), "").await?;
        let us = load::us_since(began);
        if said["ok"] != json!(true) || said["waiting"] != json!(0) {
            return Err(format!("verify is not content: {said}").into());
        }
        Ok(us)
    }

    /// Stops the server and removes its database.
    pub(crate) async fn end(self) -> Result<(), Fail> {
        self.running.stop().await?;
        match &self.books {
            Books::Sqlite(path) => {
                let folder = path.parent().ok_or("a file has a folder")?;
                std::fs::remove_dir_all(folder)?;
            }
            Books::Postgres(url) => {
                let (server, database) = url.rsplit_once('/').ok_or("an address has a database")?;
                let client = books::connect(&format!("{server}/postgres")).await?;
                client.batch_execute(&format!("DROP DATABASE {database}")).await?;
            }
        }
        Ok(())
    }
}
