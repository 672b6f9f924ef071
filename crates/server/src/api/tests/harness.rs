//! A server's state on a temporary SQLite file, with a program and a key.

use crate::api;
use crate::clock::Clock;
use crate::state::{App, Settings, new_id};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::Value;
use tower::ServiceExt;
use tributary_domain::ids::{IdKind, public_id};
use tributary_domain::money::Rate;
use tributary_domain::terms::Terms;
use tributary_store::db::Location;
use tributary_store::vault::{Key, random};
use tributary_store::workspaces::{self, Program};
use tributary_store::{Db, P, StoreError, Tx, Unit, connections, connections::Connection};

/// The clock's first instant: 2027-01-15T08:00:00Z.
pub const START: i64 = 1_800_000_000_000;

/// Puts a connection `con_1` in test mode there, which feeds nothing yet.
struct Connect(String);

impl Unit for Connect {
    type Out = Connection;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Connection, StoreError> {
        let sql = "INSERT INTO connection (workspace_id, connection_id, mode, account_id, account_name, api_base, api_key, \
             key_hint, status, status_reason, warnings, polling, cursor_at, created_at, updated_at) VALUES ($1, 'con_1', 'test', \
             'acct_1', '', 'http://127.0.0.1:1', X'00', '', 'connected', '', '[]', FALSE, 0, 0, 0) ON CONFLICT DO NOTHING";
        tx.exec(sql, &[P::T(&self.0)]).await?;
        let found = connections::find(tx, &self.0, "con_1").await?;
        found.ok_or_else(|| StoreError::NotFound("con_1".to_owned()))
    }
}

/// The first number of a query over one workspace (`$1`).
struct Number(String, &'static str);

impl Unit for Number {
    type Out = i64;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<i64, StoreError> {
        tx.opt(self.1, &[P::T(&self.0)]).await?.map_or(Ok(0), |row| row.int(0))
    }
}

pub struct Api {
    _folder: tempfile::TempDir,
    pub app: App,
    pub program: Program,
    pub token: String,
}

struct Found {
    program: Program,
    token: String,
    new_workspace: bool,
}

impl Unit for Found {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        if self.new_workspace {
            let ws = &self.program.workspace_id;
            workspaces::insert_workspace(tx, &Key::new([7; 32]), ws, "Acme", START).await?;
        }
        let terms = Terms::percent_for_life(Rate::parse_percent("30%").unwrap());
        let terms = serde_json::to_string(&terms).unwrap();
        workspaces::insert_program(tx, &self.program, &terms).await?;
        let id = new_id(IdKind::ApiKey)?;
        workspaces::insert_api_key(tx, &self.program, &id, "test", &self.token, START).await
    }
}

fn program(workspace_id: &str, name: &str) -> Program {
    Program {
        workspace_id: workspace_id.into(),
        program_id: new_id(IdKind::Program).unwrap(),
        public_id: public_id(random().unwrap()),
        name: name.into(),
        kind: "affiliate".into(),
        currency: "usd".into(),
        website: "https://shop.example/start?x=1".into(),
        created_at: START,
        ..Program::default()
    }
}

impl Api {
    /// A connection `con_1` in test mode.
    pub async fn connection(&self) -> Connection {
        self.app.db.write(Connect(self.program.workspace_id.clone())).await.unwrap()
    }

    /// The first number of a query over the workspace (`$1`).
    pub async fn number(&self, sql: &'static str) -> i64 {
        self.app.db.read(Number(self.program.workspace_id.clone(), sql)).await.unwrap()
    }

    pub async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(&Location::Sqlite(folder.path().join("api.db"))).await.unwrap();
        db.migrate().await.unwrap();
        let settings = Settings {
            listen: "127.0.0.1:8787".parse().unwrap(),
            public_url: "http://api.example".parse().unwrap(),
            stripe_api_base: "http://127.0.0.1:1".into(),
            poll_seconds: 10,
            link_delay_ms: 0,
            raw_payload_days: 0,
        };
        let app = App::new(db, Key::new([7; 32]), Clock::fixed(START), settings);
        let program = program(&new_id(IdKind::Workspace).unwrap(), "Partners");
        let token = api::new_api_token().unwrap();
        let found = Found { program: program.clone(), token: token.clone(), new_workspace: true };
        app.db.write(found).await.unwrap();
        Self { _folder: folder, app, program, token }
    }

    /// The key of another program in the same workspace.
    pub async fn other_program(&self) -> String {
        let token = api::new_api_token().unwrap();
        let program = program(&self.program.workspace_id, "Others");
        self.app.db.write(Found { program, token: token.clone(), new_workspace: false }).await.unwrap();
        token
    }

    /// Time goes by.
    pub fn wait(&self, ms: i64) {
        self.app.clock.set(self.app.now() + ms);
    }

    pub async fn raw(&self, request: Request<Body>) -> (StatusCode, axum::http::HeaderMap, Vec<u8>) {
        let answer = api::router().with_state(self.app.clone()).oneshot(request).await.unwrap();
        let (parts, body) = answer.into_parts();
        let body = axum::body::to_bytes(body, 10 << 20).await.unwrap().to_vec();
        (parts.status, parts.headers, body)
    }

    pub async fn call(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        self.call_with(&self.token, &[], method, path, body).await
    }

    pub async fn call_with(
        &self,
        token: &str,
        headers: &[(&str, &str)],
        method: &str,
        path: &str,
        body: &str,
    ) -> (u16, Value) {
        let mut request =
            Request::builder().method(method).uri(path).header("authorization", format!("Bearer {token}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (status, headers, bytes) = self.raw(request.body(Body::from(body.to_owned())).unwrap()).await;
        let value = serde_json::from_slice(&bytes).unwrap_or_else(|e| {
            panic!("{method} {path}: {e}: {}", String::from_utf8_lossy(&bytes));
        });
        assert_eq!(headers["content-type"], "application/json");
        assert_ne!(status, StatusCode::INTERNAL_SERVER_ERROR, "{method} {path}: {value}");
        (status.as_u16(), value)
    }

    /// The raw text of an answer, to see numbers as they are written.
    pub async fn text(&self, path: &str) -> String {
        let request = Request::get(path).header("authorization", format!("Bearer {}", self.token));
        let (_, _, bytes) = self.raw(request.body(Body::empty()).unwrap()).await;
        String::from_utf8(bytes).unwrap()
    }

    /// A partner with a key.
    pub async fn partner(&self, key: &str) -> Value {
        let body = format!(r#"{{"email":"{key}@partners.example","key":"{key}","id":"id-{key}"}}"#);
        let (status, answer) = self.call("POST", "/v1/partners", &body).await;
        assert_eq!(status, 201, "{answer}");
        answer["data"].clone()
    }

    /// A customer of a partner.
    pub async fn customer(&self, key: &str, partner: &str) -> Value {
        let body =
            format!(r#"{{"key":"{key}","email":"{key}@customers.example","partner":{{"key":"{partner}"}}}}"#);
        let (status, answer) = self.call("POST", "/v1/customers", &body).await;
        assert_eq!(status, 201, "{answer}");
        answer["data"].clone()
    }
}
