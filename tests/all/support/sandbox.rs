//! `tributary sandbox` as a process of its own.

use super::process::{Running, free_port, tail};
use super::story::commission;
use super::{Answer, World, eventually, rest};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// A running sandbox. It dies with this value.
#[derive(Debug)]
pub struct Sandbox {
    /// Where it listens.
    pub base: String,
    running: Running,
    http: reqwest::Client,
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- the sandbox's last words ---\n{}\n---", tail(&self.running.log, 20));
        }
    }
}

impl Sandbox {
    /// Starts one for a world; from now on the world's connections are made to it.
    pub async fn start(world: &mut World) -> Self {
        let port = free_port();
        let base = format!("http://127.0.0.1:{port}");
        world.set("TRIBUTARY_STRIPE_API_BASE", &base);
        let command = world.prepared(&["sandbox", "--listen", &format!("127.0.0.1:{port}")]);
        let running = Running::start(command, world.folder.path().join("sandbox.log"));
        let sandbox = Self { base, running, http: rest::client() };
        eventually("the sandbox answers", Duration::from_secs(60), || async {
            sandbox.http.get(format!("{}/_sandbox/state", sandbox.base)).send().await.ok().map(|_| ())
        })
        .await;
        sandbox
    }

    /// A world with a program and a server, on a sandbox; nothing is connected yet.
    pub async fn with_world(engine: super::Engine) -> (World, Self) {
        let mut world = World::empty(engine).await;
        let sandbox = Self::start(&mut world).await;
        world.setup().await;
        world.serve().await;
        (world, sandbox)
    }

    /// Posts to a control route.
    pub async fn control(&self, path: &str, body: &Value) -> Value {
        let url = format!("{}/_sandbox/{path}", self.base);
        let request = self.http.post(&url).header("content-type", "application/json").body(body.to_string());
        rest::read(request.send().await.expect("the sandbox answers")).await.expect(200).json
    }

    /// Reads a control route.
    pub async fn look(&self, path: &str) -> Value {
        let url = format!("{}/_sandbox/{path}", self.base);
        rest::read(self.http.get(&url).send().await.expect("the sandbox answers")).await.expect(200).json
    }

    /// A call of Stripe's API: a form body for POST.
    pub async fn stripe(&self, key: &str, method: &str, path: &str, form: &[(&str, &str)]) -> Answer {
        let method = reqwest::Method::from_bytes(method.as_bytes()).expect("a method");
        let mut request = self.http.request(method, format!("{}/v1/{path}", self.base)).bearer_auth(key);
        if !form.is_empty() {
            request = request.form(form);
        }
        rest::read(request.send().await.expect("the sandbox answers")).await
    }

    /// The webhook endpoints of the account in test mode.
    pub async fn endpoints(&self) -> Vec<Value> {
        let list =
            self.stripe("sk_test_looking", "GET", "webhook_endpoints?limit=100", &[]).await.expect(200);
        list.data().as_array().expect("a list").clone()
    }

    /// Plays a story with the partner `ADA`; nothing in it may fail, and nothing may break Stripe's document.
    pub async fn play(&self, world: &World, story: &str) -> Value {
        let arguments = [
            "sandbox",
            "play",
            story,
            "--sandbox",
            &self.base,
            "--tributary",
            &world.base(),
            "--api-key-stdin",
            "--partner-key",
            "ADA",
            "--json",
        ];
        let told = world.command(&arguments, &format!("{}\n", world.api_key)).await.ok().json();
        assert!(told["failed"].is_null(), "{story}: {told}");
        told
    }

    /// What partners must earn by the sandbox's own books, all of it `ADA`'s, by currency.
    pub async fn owed(&self) -> BTreeMap<String, i64> {
        let books = self.look("books").await;
        let mut sums = BTreeMap::new();
        for sale in books["sales"].as_array().expect("sales") {
            let number = |name: &str| sale[name].as_i64().unwrap_or_else(|| panic!("no {name}: {sale}"));
            let base = number("total") - number("tax") - number("shipping");
            let kept = number("captured") - number("refunded");
            let currency = sale["currency"].as_str().expect("a currency").to_owned();
            *sums.entry(currency).or_insert(0) += commission(base, kept, number("captured"));
        }
        sums
    }

    /// The books of the world equal the sandbox's.
    pub async fn agree(&self, world: &World) {
        world.settled().await;
        let owed = self.owed().await;
        assert!(!owed.is_empty(), "the sandbox sold nothing");
        let expected: Vec<_> = owed.into_iter().map(|(currency, amount)| ("ADA", currency, amount)).collect();
        world.expect_totals(&expected).await;
    }

    /// Ends it; it says by its exit status whether Stripe's document was kept to.
    pub async fn stop(mut self) {
        let code = self.running.terminate(Duration::from_secs(15)).await;
        assert_eq!(code, 0, "the sandbox saw violations:\n{}", tail(&self.running.log, 40));
    }
}
