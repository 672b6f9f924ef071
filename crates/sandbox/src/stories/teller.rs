//! Who tells a story: makes requests and writes down what came of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::Options;
use crate::config::TributaryTarget;
use crate::money;
use crate::params;
use crate::shared::{Shared, WorldKey};

/// Plays the merchant's backend and the buyer.
#[derive(Debug)]
pub struct Teller {
    /// What was done, in order.
    pub steps: Vec<Value>,
    /// Ids of what was made, by role.
    pub ids: BTreeMap<String, Value>,
    /// Keys of the customers whom Tributary was told of.
    pub signed_up: Vec<String>,
    /// What the story was told.
    pub options: Options,
    shared: Arc<Shared>,
    key: WorldKey,
    tributary: Option<TributaryTarget>,
}

impl Teller {
    /// A teller in one world.
    pub fn new(
        shared: Arc<Shared>,
        key: WorldKey,
        tributary: Option<TributaryTarget>,
        options: Options,
    ) -> Self {
        Self {
            steps: Vec::new(),
            ids: BTreeMap::new(),
            signed_up: Vec::new(),
            options,
            shared,
            key,
            tributary,
        }
    }

    /// The partner's key, `demo-partner` unless the story was told another.
    pub fn partner(&self) -> String {
        self.options.partner_key.clone().unwrap_or_else(|| "demo-partner".to_owned())
    }

    /// The currency of the prices.
    pub fn currency(&self) -> String {
        self.options.currency.clone().unwrap_or_else(|| "usd".to_owned())
    }

    /// A short text that no earlier story of this world used.
    pub fn fresh(&self) -> Result<String, Value> {
        self.shared
            .world(&self.key, |world| world.ids.letters(8).to_lowercase())
            .map_err(|error| json!({ "step": "find a fresh name", "message": error.message }))
    }

    /// Remembers an id under a role; later ones of the same role join it in a list.
    pub fn remember(&mut self, role: &str, object: &Value, path: &str) {
        let Some(id) = params::owned(object, path).map(Value::String) else { return };
        match self.ids.get_mut(role) {
            None => {
                self.ids.insert(role.to_owned(), id);
            }
            Some(Value::Array(list)) => list.push(id),
            Some(one) => *one = Value::Array(vec![one.take(), id]),
        }
    }

    /// A request to Stripe, that is, to this sandbox.
    pub async fn stripe(&mut self, method: &str, path: &str, form: &[(&str, &str)]) -> Result<Value, Value> {
        let mode = if self.key.1 { "live" } else { "test" };
        let secret = match self.key.0.as_str() {
            "default" => format!("sk_{mode}_sandboxStory"),
            account => format!("sk_{mode}_acct-{account}_sandboxStory"),
        };
        let url = format!("{}/v1/{path}", self.shared.base_url);
        let request = match method {
            "GET" => self.shared.client.get(url),
            "DELETE" => self.shared.client.delete(url),
            _ => self.shared.client.post(url).form(form),
        };
        let request = request.bearer_auth(secret);
        self.send("stripe", method, &format!("/v1/{path}"), request).await
    }

    /// A control request: what the buyer, the bank or time does.
    pub async fn control(&mut self, path: &str, body: Value) -> Result<Value, Value> {
        let mode = if self.key.1 { "live" } else { "test" };
        let url = format!("{}/_sandbox/{path}?account={}&mode={mode}", self.shared.base_url, self.key.0);
        let request = self.shared.client.post(url).json(&body);
        self.send("buyer", "POST", &format!("/_sandbox/{path}"), request).await
    }

    /// A request to Tributary's REST API; `None` if the story was told of no Tributary.
    pub async fn tributary(&mut self, path: &str, body: Value) -> Result<Option<Value>, Value> {
        let Some(target) = self.tributary.clone() else {
            self.steps
                .push(json!({ "to": "tributary", "path": path, "left_out": "no tributary_url was given" }));
            return Ok(None);
        };
        let url = format!("{}{path}", target.base_url.trim_end_matches('/'));
        let request = self.shared.client.post(url).bearer_auth(target.api_key).json(&body);
        self.send("tributary", "POST", path, request).await.map(Some)
    }

    /// The tax and shipping of the day.
    pub fn settings(&self) -> Result<Value, Value> {
        self.shared
            .world(&self.key, |world| json!(world.settings))
            .map_err(|error| json!({ "step": "read the settings", "message": error.message }))
    }

    /// What Tributary says that the partner has, by currency in minor units; `None` without Tributary, or where it
    /// does not answer.
    pub async fn real(&self) -> Option<BTreeMap<String, i64>> {
        let target = self.tributary.as_ref()?;
        let url = format!("{}/v1/partners/{}", target.base_url.trim_end_matches('/'), self.partner());
        let answer = self.shared.client.get(url).bearer_auth(&target.api_key).send().await.ok()?;
        let text = answer.error_for_status().ok()?.text().await.ok()?;
        let said: Value = serde_json::from_str(&text).ok()?;
        let mut sums = BTreeMap::new();
        for part in ["pending", "not_paid"] {
            for item in params::list(&said, &format!("data.commissions.{part}")) {
                let currency = params::owned(item, "currency")?.to_lowercase();
                let amount = money::minor(&item["amount"].to_string(), &currency)?;
                *sums.entry(currency).or_insert(0) += amount;
            }
        }
        Some(sums)
    }

    async fn send(
        &mut self,
        to: &str,
        method: &str,
        path: &str,
        request: reqwest::RequestBuilder,
    ) -> Result<Value, Value> {
        let mut step = json!({ "to": to, "method": method, "path": path });
        let failed = |step: &Value, message: String| json!({ "step": step, "message": message });
        let answer = request.send().await.map_err(|e| failed(&step, e.to_string()))?;
        let status = answer.status();
        step["status"] = json!(status.as_u16());
        let text = answer.text().await.map_err(|e| failed(&step, e.to_string()))?;
        let body: Value = serde_json::from_str(&text).unwrap_or(Value::String(text));
        step["object"] = params::at(&body, "object").cloned().unwrap_or(Value::Null);
        step["id"] = params::at(&body, "id").cloned().unwrap_or(Value::Null);
        self.steps.push(step.clone());
        if status.is_success() { Ok(body) } else { Err(failed(&step, body.to_string())) }
    }

    /// The id in an answer.
    pub fn id(answer: &Value) -> String {
        params::owned(answer, "id").unwrap_or_default()
    }
}
