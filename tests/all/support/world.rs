//! One Tributary of its own: folder, database, server, and a Stripe double.

use super::database::{Database, Engine};
use super::process::{self, Output, Running, free_port};
use super::rest::{client, read};
use super::webhook;
use super::{Answer, FakeStripe, eventually, now_s, postgres};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tempfile::TempDir;
use tokio::process::Command;

/// The master key of all tests.
pub const MASTER_KEY: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
/// A program's public id that is the same in every world, for digests that are compared.
const COMMON_PROGRAM: &str = "TESTPRGM";
/// How long one command of the command line may take, as a rule.
const COMMAND_LIMIT: Duration = Duration::from_secs(60);
/// Who owns the test's workspace.
pub const EMAIL: &str = "owner@example.com";
/// And the password.
pub const PASSWORD: &str = "a long password for the tests 1";

/// A whole installation. Its processes end with it; if the test fails, the server's last words are printed.
#[derive(Debug)]
pub struct World {
    /// The database's kind.
    pub engine: Engine,
    /// The database.
    pub database: Database,
    /// The folder of everything that belongs to it.
    pub folder: TempDir,
    /// The Stripe double that connections are made to.
    pub stripe: FakeStripe,
    /// The program's public id.
    pub program: String,
    /// The program's key for the REST API.
    pub api_key: String,
    /// The signing secret that was pasted.
    pub secret: String,
    /// The HTTP client.
    pub http: reqwest::Client,
    /// How long one command of the command line may take.
    pub command_limit: Duration,
    port: u16,
    server: Mutex<Option<Running>>,
    environment: Vec<(String, String)>,
    /// Last, so that the server has ended before.
    spent: Option<postgres::Spent>,
}

impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!(
                "--- the server's last words ({:?}) ---\n{}\n---",
                self.engine,
                process::tail(&self.log(), 40)
            );
        }
    }
}

impl World {
    /// A fresh installation whose server is not started and which knows no program yet.
    pub async fn empty(engine: Engine) -> Self {
        let folder = tempfile::Builder::new().prefix("tributary-test-").tempdir().expect("a folder");
        let database = match engine {
            Engine::Sqlite => Database::Sqlite(folder.path().join("tributary.db")),
            Engine::Postgres => Database::Postgres(postgres::fresh_database().await),
        };
        let spent = match &database {
            Database::Sqlite(_) => None,
            Database::Postgres(url) => Some(postgres::Spent(url.clone())),
        };
        let mut world = Self::on(engine, folder, database).await;
        world.spent = spent;
        world
    }

    /// An installation on a database that exists already.
    pub async fn on(engine: Engine, folder: TempDir, database: Database) -> Self {
        Self {
            engine,
            database,
            folder,
            stripe: FakeStripe::start().await,
            program: String::new(),
            api_key: String::new(),
            secret: "whsec_pasted_by_the_test_0123456789".to_owned(),
            http: client(),
            command_limit: COMMAND_LIMIT,
            port: free_port(),
            server: Mutex::new(None),
            environment: Vec::new(),
            spent: None,
        }
    }

    /// With a program (affiliate, USD, 30 % for life), the server running, nothing connected.
    pub async fn started(engine: Engine) -> Self {
        let mut world = Self::empty(engine).await;
        world.setup().await;
        world.serve().await;
        world
    }

    /// With the Stripe double connected by a pasted secret, and the partner `ADA`.
    pub async fn connected(engine: Engine) -> Self {
        let world = Self::started(engine).await;
        world.connect().await;
        world.partner("ADA").await;
        world
    }

    /// As [`Self::connected`]; the program's public id is the same in every such world, so that digests compare.
    pub async fn comparable(engine: Engine) -> Self {
        let mut world = Self::empty(engine).await;
        world.set_up_comparable().await;
        world.serve().await;
        world.connect().await;
        world.partner("ADA").await;
        world
    }

    /// [`Self::setup`] with the public id that all comparable worlds share.
    pub async fn set_up_comparable(&mut self) {
        self.setup().await;
        let (old, new) = (self.program.clone(), COMMON_PROGRAM);
        let sql = format!(
            "UPDATE program SET public_id = '{new}' WHERE public_id = '{old}'; \
             UPDATE route SET token = '{new}' WHERE kind = 'program' AND token = '{old}'"
        );
        self.database.damage(&sql).await;
        self.program = COMMON_PROGRAM.to_owned();
    }

    /// Sets an environment variable for every later process of this world.
    pub fn set(&mut self, name: &str, value: &str) {
        self.environment.retain(|(known, _)| known != name);
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// The address of the server.
    pub fn base(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The server's log.
    pub fn log(&self) -> PathBuf {
        self.folder.path().join("serve.log")
    }

    /// A command of the binary in this world's environment.
    pub fn prepared(&self, arguments: &[&str]) -> Command {
        let mut command = process::command(process::binary(), self.folder.path());
        command
            .args(arguments)
            .env("TRIBUTARY_DATABASE_URL", self.database.url())
            .env("TRIBUTARY_MASTER_KEY", MASTER_KEY)
            .env("TRIBUTARY_LISTEN", format!("127.0.0.1:{}", self.port))
            .env("TRIBUTARY_PUBLIC_URL", self.base())
            .env("TRIBUTARY_STRIPE_API_BASE", &self.stripe.base)
            .env("TRIBUTARY_LINK_DELAY_MS", "200")
            .env("TRIBUTARY_POLL_SECONDS", "1")
            .envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs a command of the binary to its end.
    pub async fn command(&self, arguments: &[&str], stdin: &str) -> Output {
        process::run(self.prepared(arguments), stdin, self.command_limit).await
    }

    /// `tributary setup` with the usual program.
    pub async fn setup(&mut self) {
        let said = self.setup_program("Test program", "usd", "30%").await.ok().json();
        let text = |name: &str| said[name].as_str().unwrap_or_else(|| panic!("no {name}: {said}")).to_owned();
        self.program = text("program_public_id");
        self.api_key = text("api_key");
        assert!(
            self.program.len() == 8
                && self.program.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()),
            "a program's public id is 8 capital letters and digits: {said}"
        );
        assert!(said["partner_portal_url"].as_str().is_some_and(|url| url.starts_with("http")), "{said}");
    }

    /// `tributary setup` for one more program.
    pub async fn setup_program(&self, name: &str, currency: &str, commission: &str) -> Output {
        let arguments = [
            "setup",
            "--email",
            EMAIL,
            "--password-stdin",
            "--program",
            name,
            "--kind",
            "affiliate",
            "--currency",
            currency,
            "--website",
            "https://shop.example",
            "--commission",
            commission,
            "--json",
        ];
        self.command(&arguments, &format!("{PASSWORD}\n")).await
    }

    /// Starts the server and waits until it can serve.
    pub async fn serve(&self) {
        self.launch();
        self.ready().await;
    }

    /// Starts the server and does not wait.
    pub fn launch(&self) {
        self.adopt(Running::start(self.prepared(&["serve"]), self.log()));
    }

    /// Waits until `/readyz` says yes.
    pub async fn ready(&self) {
        let url = format!("{}/readyz", self.base());
        eventually("the server is ready", Duration::from_secs(60), || async {
            if let Some(code) = self.server.lock().unwrap_or_else(PoisonError::into_inner).as_mut()?.ended() {
                panic!("serve ended with {code}:\n{}", process::tail(&self.log(), 30));
            }
            let answer = self.http.get(&url).send().await.ok()?;
            answer.status().is_success().then_some(())
        })
        .await;
    }

    /// Takes a process that was started in another way as this world's server.
    pub fn adopt(&self, running: Running) {
        *self.server.lock().unwrap_or_else(PoisonError::into_inner) = Some(running);
    }

    /// The server's process id.
    pub fn server_id(&self) -> u32 {
        self.server.lock().unwrap_or_else(PoisonError::into_inner).as_ref().expect("a server runs").id()
    }

    /// A page or document, without a key.
    pub async fn page(&self, path: &str) -> Answer {
        let answer = self.http.get(format!("{}{path}", self.base())).send().await;
        read(answer.unwrap_or_else(|error| panic!("{path}: {error:?}"))).await
    }

    fn take_server(&self) -> Option<Running> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// `kill -9`.
    pub async fn kill(&self) {
        self.take_server().expect("a server runs").kill().await;
    }

    /// SIGTERM; the server has 10 s to drain.
    pub async fn stop(&self) -> i32 {
        self.take_server().expect("a server runs").terminate(Duration::from_secs(15)).await
    }

    /// `tributary stripe connect` with a key and a pasted secret; no webhook endpoint is made.
    pub async fn connect(&self) -> Value {
        let said =
            self.connect_with(&self.program, "sk_test_the_usual_one", Some(&self.secret)).await.ok().json();
        assert_eq!(said["account_id"], "acct_fake", "{said}");
        assert_eq!(said["livemode"], false, "{said}");
        let path = format!("/v1/integrations/stripe/{}/webhook", self.program);
        assert!(said["webhook_url"].as_str().is_some_and(|url| url.ends_with(&path)), "{said}");
        said
    }

    /// `tributary stripe connect`.
    pub async fn connect_with(&self, program: &str, key: &str, secret: Option<&str>) -> Output {
        let mut arguments = vec!["stripe", "connect", "--program", program, "--api-key-stdin", "--json"];
        let mut stdin = format!("{key}\n");
        if let Some(secret) = secret {
            arguments.push("--webhook-secret-stdin");
            stdin.push_str(&format!("{secret}\n"));
        }
        self.command(&arguments, &stdin).await
    }

    /// Makes a partner by the API.
    pub async fn partner(&self, key: &str) -> Value {
        let body =
            json!({ "email": format!("{}@partners.example", key.to_lowercase()), "name": key, "key": key });
        let answer = self.post("/v1/partners", &body).await;
        assert!(matches!(answer.status, 200 | 201), "{answer:?}");
        answer.data().clone()
    }

    /// Makes a customer of a partner by the API.
    pub async fn customer(&self, key: &str, email: Option<&str>, partner_key: &str) -> Value {
        let mut body = json!({ "key": key, "partner": { "key": partner_key } });
        if let Some(email) = email {
            body["email"] = json!(email);
        }
        let answer = self.post("/v1/customers", &body).await;
        assert!(matches!(answer.status, 200 | 201), "{answer:?}");
        answer.data().clone()
    }

    /// Where Stripe sends events of a program.
    pub fn webhook_url(&self, program: &str) -> String {
        format!("{}/v1/integrations/stripe/{program}/webhook", self.base())
    }

    /// Sends a body with a header to the program's address, as it is.
    pub async fn send(&self, body: impl Into<reqwest::Body>, header: Option<&str>) -> Answer {
        self.send_to(&self.program, body, header).await
    }

    /// Sends a body to any program's address.
    pub async fn send_to(
        &self,
        program: &str,
        body: impl Into<reqwest::Body>,
        header: Option<&str>,
    ) -> Answer {
        self.try_send(program, body, header).await.unwrap_or_else(|error| panic!("{error:?}"))
    }

    /// As [`Self::send_to`]; a failed connection is told.
    pub async fn try_send(
        &self,
        program: &str,
        body: impl Into<reqwest::Body>,
        header: Option<&str>,
    ) -> Result<Answer, reqwest::Error> {
        let mut request =
            self.http.post(self.webhook_url(program)).header("content-type", "application/json");
        if let Some(header) = header {
            request = request.header("Stripe-Signature", header);
        }
        Ok(read(request.body(body).send().await?).await)
    }

    /// Signs and sends one event as Stripe would; the server had to take it.
    pub async fn deliver(&self, event: &Value) {
        let body = webhook::print(event);
        let header = webhook::sign(&self.secret, now_s(), &body);
        let answer = self.send(body, Some(&header)).await;
        assert!((200..300).contains(&answer.status), "{}: {answer:?}", event["id"]);
    }

    /// Delivers events one after the other.
    pub async fn deliver_all(&self, events: &[Value]) {
        for event in events {
            self.deliver(event).await;
        }
    }
}
