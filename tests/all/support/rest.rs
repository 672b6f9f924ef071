//! A client of the REST API that looks at the bytes too.

use super::World;
use serde_json::Value;
use std::time::Duration;

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The body.
    pub text: String,
    /// The body as JSON; null if it is none.
    pub json: Value,
    /// `Content-Type`, or empty.
    pub content_type: String,
}

impl Answer {
    /// The answer, which had to have this status.
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "unexpected answer: {self:?}");
        self
    }

    /// `data` of the answer.
    pub fn data(&self) -> &Value {
        &self.json["data"]
    }

    /// An error as it must look: `message`, and with 422 `errors` by field.
    pub fn expect_error(self, status: u16) -> Self {
        let answer = self.expect(status);
        let message = answer.json["message"].as_str().unwrap_or_default();
        assert!(message.len() > 5, "an error needs a message: {answer:?}");
        assert!(answer.content_type.starts_with("application/json"), "{answer:?}");
        if status == 422 {
            let errors = answer.json["errors"].as_object().unwrap_or_else(|| panic!("no errors: {answer:?}"));
            assert!(!errors.is_empty(), "{answer:?}");
            for said in errors.values() {
                let said = said.as_array().unwrap_or_else(|| panic!("no list of sentences: {answer:?}"));
                assert!(said.iter().all(Value::is_string) && !said.is_empty(), "{answer:?}");
            }
        }
        answer
    }
}

/// A client with a deadline, without redirects and without a proxy.
pub fn client() -> reqwest::Client {
    // The second call finds the provider installed: that is fine.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_secs(30))
        .build()
        .expect("a client")
}

/// Reads an answer to its end.
pub async fn read(response: reqwest::Response) -> Answer {
    let status = response.status().as_u16();
    let content_type =
        response.headers().get("content-type").and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
    let text = response.text().await.expect("the body can be read");
    let json = serde_json::from_str(&text).unwrap_or(Value::Null);
    Answer { status, text, json, content_type }
}

impl World {
    /// A request with the program's key; `body` is sent as it is.
    pub async fn request(&self, method: &str, path: &str, body: Option<String>) -> Answer {
        self.request_as(&self.api_key, method, path, body).await
    }

    /// A request with another key.
    pub async fn request_as(&self, key: &str, method: &str, path: &str, body: Option<String>) -> Answer {
        let method = reqwest::Method::from_bytes(method.as_bytes()).expect("a method");
        let mut request = self.http.request(method, format!("{}{path}", self.base())).bearer_auth(key);
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body);
        }
        read(request.send().await.unwrap_or_else(|error| panic!("{path}: {error:?}"))).await
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Answer {
        self.request("GET", path, None).await
    }

    /// POST.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.request("POST", path, Some(body.to_string())).await
    }

    /// PUT.
    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        self.request("PUT", path, Some(body.to_string())).await
    }

    /// DELETE.
    pub async fn delete(&self, path: &str) -> Answer {
        self.request("DELETE", path, None).await
    }
}
