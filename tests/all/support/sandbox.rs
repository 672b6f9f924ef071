//! `tributary sandbox` as a process of its own.

use super::books::Totals;
use super::process::{Running, free_port, tail};
use super::story::{RATE_PPM, commission_of_a_part};
use super::{Answer, World, eventually, rest};
use serde_json::{Value, json};
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
        Self::start_with(world, &[]).await
    }

    /// As [`Self::start`], with further arguments.
    pub async fn start_with(world: &mut World, more: &[&str]) -> Self {
        let port = free_port();
        let base = format!("http://127.0.0.1:{port}");
        world.set("TRIBUTARY_STRIPE_API_BASE", &base);
        let listen = format!("127.0.0.1:{port}");
        let command = world.prepared(&[&["sandbox", "--listen", &listen], more].concat());
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
        // A long history is made in one call.
        let request = request.timeout(Duration::from_secs(600));
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

    /// What partners must earn by the sandbox's own books, by key and currency. `customers` are those whom the
    /// merchant's server signed up, with their partners; `codes` are the texts of promotion codes, with theirs.
    pub async fn owed(
        &self,
        partners: &[&str],
        customers: &BTreeMap<String, String>,
        codes: &BTreeMap<String, String>,
    ) -> Totals {
        let terms =
            json!({ "percent_ppm": RATE_PPM, "partners": partners, "customers": customers, "codes": codes });
        let said = self.control("books/expected", &terms).await;
        let mut totals = Totals::new();
        for (partner, currencies) in said["partners"].as_object().expect("partners") {
            for (currency, sums) in currencies.as_object().expect("currencies") {
                let net = sums["net"].as_i64().unwrap_or_else(|| panic!("no net: {sums}"));
                totals.insert((partner.clone(), currency.clone()), net);
            }
        }
        totals
    }

    /// What all that was sold must bring, as if one partner had brought all of it, by currency. Reckoned here by
    /// fractions: it checks the sandbox's own reckoning, too.
    pub async fn owed_to_one(&self) -> BTreeMap<String, i64> {
        let books = self.look("books").await;
        let mut sums = BTreeMap::new();
        for sale in books["sales"].as_array().expect("sales") {
            let number = |name: &str| sale[name].as_i64().unwrap_or_else(|| panic!("no {name}: {sale}"));
            let base = number("total") - number("tax") - number("shipping");
            let back = number("refunded") + number("dispute_lost") + number("out_of_band");
            let kept = (number("captured") - back).max(0);
            let share = (number("paid"), number("total"));
            let currency = sale["currency"].as_str().expect("a currency").to_owned();
            *sums.entry(currency).or_insert(0) += commission_of_a_part(base, share, kept, number("captured"));
        }
        sums
    }

    /// The books of the world equal the sandbox's.
    pub async fn agree(&self, world: &World) {
        world.settled().await;
        let owed = self.owed_to_one().await;
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
