//! Keys, modes, unknown paths, bodies that cannot be read, and the API's own description.

use super::harness::Api;
use axum::body::Body;
use axum::http::Request;
use tributary_store::{StoreError, Tx, Unit};

#[tokio::test]
async fn a_good_key_opens_its_program_and_nothing_else_does() {
    let api = Api::new().await;
    let (status, answer) = api.call("GET", "/v1/test", "").await;
    assert_eq!((status, &answer["status"]), (200, &1.into()));
    assert_eq!(answer["data"]["program"]["pub_id"], api.program.public_id.as_str());
    assert_eq!(answer["data"]["program"]["mode"], "test");

    let mut typo = api.token.clone().into_bytes();
    typo[10] = if typo[10] == b'A' { b'B' } else { b'A' };
    let typo = String::from_utf8(typo).unwrap();
    let unknown = crate::api::new_api_token().unwrap();
    for (token, word) in
        [(typo.as_str(), "typing mistake"), (unknown.as_str(), "unknown or was revoked"), ("sk_test", "trb_")]
    {
        let (status, answer) = api.call_with(token, &[], "GET", "/v1/test", "").await;
        assert_eq!(status, 401);
        let message = answer["message"].as_str().unwrap();
        assert!(message.starts_with("Unauthenticated. ") && message.contains(word), "{message}");
    }
    for header in ["", "Basic abc", "Bearer"] {
        let request = Request::get("/v1/partners").header("authorization", header);
        assert_eq!(api.raw(request.body(Body::empty()).unwrap()).await.0, 401, "{header}");
    }
    let (status, headers, _) = api.raw(Request::get("/v1/test").body(Body::empty()).unwrap()).await;
    assert_eq!((status.as_u16(), headers["www-authenticate"].to_str().unwrap()), (401, "Bearer"));
}

struct Revoke(String);
impl Unit for Revoke {
    type Out = bool;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<bool, StoreError> {
        let sql = "SELECT key_id FROM api_key WHERE workspace_id = $1";
        let row = tx.opt(sql, &[tributary_store::P::T(&self.0)]).await?.unwrap();
        tributary_store::api::keys::revoke(tx, &self.0, &row.text(0)?, 1).await
    }
}

#[tokio::test]
async fn a_revoked_key_is_refused() {
    let api = Api::new().await;
    assert!(api.app.db.write(Revoke(api.program.workspace_id.clone())).await.unwrap());
    assert_eq!(api.call("GET", "/v1/test", "").await.0, 401);
}

#[tokio::test]
async fn modes_and_programs_do_not_see_each_other() {
    let api = Api::new().await;
    api.partner("MAYA").await;
    api.customer("u1", "MAYA").await;
    let live = [("Tributary-Mode", "live")];
    let call = |path: &'static str| api.call_with(&api.token, &live, "GET", path, "");
    assert_eq!(call("/v1/partners/MAYA").await.0, 200);
    assert_eq!(call("/v1/customers/u1").await.0, 404);
    assert_eq!(call("/v1/customers").await.1["data"].as_array().unwrap().len(), 0);
    let odd = [("Tributary-Mode", "both")];
    assert_eq!(api.call_with(&api.token, &odd, "GET", "/v1/test", "").await.0, 422);

    let other = api.other_program().await;
    for path in ["/v1/partners/MAYA", "/v1/customers/u1", "/v1/transactions/x"] {
        assert_eq!(api.call_with(&other, &[], "GET", path, "").await.0, 404, "{path}");
    }
    let body = r#"{"key":"u2","partner":{"key":"MAYA"}}"#;
    let (status, answer) = api.call_with(&other, &[], "POST", "/v1/customers", body).await;
    assert_eq!(status, 422);
    assert!(answer["errors"]["partner"].is_array());
}

#[tokio::test]
async fn unknown_paths_and_methods_are_answered_in_json() {
    let api = Api::new().await;
    for path in ["/v1", "/v1/", "/v1/nothing", "/v1/partners/a/b/c", "/v1/partners:find"] {
        let (status, answer) = api.call("GET", path, "").await;
        assert_eq!(status, 404, "{path}");
        assert!(answer["message"].is_string());
    }
    for (method, path) in [("PATCH", "/v1/partners"), ("POST", "/v1/test"), ("PUT", "/v1/partners:search")] {
        let (status, answer) = api.call(method, path, "").await;
        assert_eq!(status, 405, "{method} {path}");
        assert!(answer["message"].as_str().unwrap().contains(method));
    }
}

#[tokio::test]
async fn bodies_that_cannot_be_read_are_refused() {
    let api = Api::new().await;
    for path in ["/v1/partners", "/v1/customers", "/v1/transactions"] {
        for body in ["{", "[1]", "\"x\"", "nonsense", "{\"a\":}"] {
            let (status, answer) = api.call("POST", path, body).await;
            assert_eq!(status, 400, "{path} {body}");
            assert!(answer["message"].as_str().unwrap().contains("JSON object"));
        }
        let deep = format!("{{\"email\":{}", "[".repeat(300_000));
        assert_eq!(api.call("POST", path, &deep).await.0, 400);
        let large = format!("{{\"email\":\"{}\"}}", "x".repeat(1024 * 1024));
        assert_eq!(api.call("POST", path, &large).await.0, 413);
        let large = format!("{{\"key\":\"{}\"}}", "x".repeat(1024 * 1024));
        assert_eq!(api.call("DELETE", path, &large).await.0, 413);
        let larger = "x".repeat(9 * 1024 * 1024);
        let request = Request::post(path).header("authorization", format!("Bearer {}", api.token));
        let (status, headers, _) = api.raw(request.body(Body::from(larger)).unwrap()).await;
        assert_eq!((status.as_u16(), &headers["connection"]), (413, &"close".parse().unwrap()));
    }
    let (status, answer) = api.call("POST", "/v1/partners", r#"{"email":"a@b.c","name":"a\u0000"}"#).await;
    assert_eq!(status, 422);
    assert!(answer["errors"]["name"].is_array());
}

#[tokio::test]
async fn the_description_is_served_and_stable() {
    let api = Api::new().await;
    let request = Request::get("/v1/openapi.json").body(Body::empty()).unwrap();
    let (status, _, bytes) = api.raw(request).await;
    assert_eq!(status, 200);
    assert_eq!(String::from_utf8(bytes).unwrap(), crate::api::openapi_json());
    assert_eq!(crate::api::openapi_json(), crate::api::openapi_json());
    let document: serde_json::Value = serde_json::from_str(&crate::api::openapi_json()).unwrap();
    let paths = document["paths"].as_object().unwrap();
    assert_eq!(paths.len(), 19);
    let operations = paths.values().map(|path| path.as_object().unwrap().len()).sum::<usize>();
    assert_eq!(operations, 34);
    for (path, item) in paths {
        for (method, operation) in item.as_object().unwrap() {
            assert!(operation["security"].is_array(), "{method} {path}");
            assert!(operation["summary"].is_string() || operation["description"].is_string());
        }
    }
}

/// What the document promises to accept is not refused as unknown.
#[tokio::test]
async fn every_field_of_the_document_is_known_to_its_endpoint() {
    let api = Api::new().await;
    api.partner("MAYA").await;
    api.customer("u1", "MAYA").await;
    let document: serde_json::Value = serde_json::from_str(&crate::api::openapi_json()).unwrap();
    let mut checked = 0;
    for (path, method) in [
        ("/v1/partners", "post"),
        ("/v1/partners/{id}", "put"),
        ("/v1/partners", "put"),
        ("/v1/customers", "post"),
        ("/v1/customers/{id}", "put"),
        ("/v1/customers", "put"),
        ("/v1/transactions", "post"),
        ("/v1/transactions", "put"),
    ] {
        let schema = &document["paths"][path][method]["requestBody"]["content"]["application/json"]["schema"];
        let name = schema["$ref"].as_str().unwrap().rsplit('/').next().unwrap();
        let fields = document["components"]["schemas"][name]["properties"].as_object().unwrap();
        let body: serde_json::Map<_, _> =
            fields.keys().map(|field| (field.clone(), serde_json::Value::Null)).collect();
        let body = serde_json::Value::Object(body).to_string();
        let path = path.replace("{id}", if path.contains("partners") { "MAYA" } else { "u1" });
        let (_, answer) = api.call(&method.to_uppercase(), &path, &body).await;
        let text = answer.to_string();
        assert!(!text.contains("is not known."), "{method} {path}: {text}");
        checked += fields.len();
    }
    assert!(checked > 40);
}

/// `TRIBUTARY_WRITE_OPENAPI=1` writes the file instead of comparing.
#[test]
fn the_document_in_docs_is_the_one_of_the_code() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");
    let text = crate::api::openapi_json();
    if std::env::var_os("TRIBUTARY_WRITE_OPENAPI").is_some() {
        std::fs::write(path, &text).unwrap();
    }
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    assert!(kept == text, "docs/openapi.json is not current: run this test with TRIBUTARY_WRITE_OPENAPI=1");
}
