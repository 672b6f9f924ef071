//! Partners through the API.

use super::harness::Api;
use tributary_store::{P, StoreError, Tx, Unit};

#[tokio::test]
async fn a_partner_is_created_found_changed_and_deleted() {
    let api = Api::new().await;
    let body = r#"{"email":"Maya@Example.com","name":"Maya","surname":"Chen","tags":["gold",{"value":"de"}],
        "password":"Secret123"}"#;
    let (status, answer) = api.call("POST", "/v1/partners", body).await;
    assert_eq!(status, 201, "{answer}");
    let partner = &answer["data"];
    let (id, key) = (partner["id"].as_str().unwrap(), partner["key"].as_str().unwrap());
    assert!(id.starts_with("ptr_"));
    assert_eq!(key.len(), 8);
    assert_eq!(partner["email"], "maya@example.com");
    assert_eq!(partner["tags"], serde_json::json!([{"value":"gold"},{"value":"de"}]));
    assert_eq!(partner["status"], "active");
    assert_eq!(partner["approved"], true);
    assert_eq!(partner["created_at"], "2027-01-15T08:00:00.000000Z");
    let link = format!("https://shop.example/start?x=1&aff={key}");
    assert_eq!(partner["referral_link"], link.as_str());
    assert_eq!(partner["referral_links"][0]["url"], link.as_str());
    assert_eq!(partner["referral_links"][0]["default"], true);
    assert_eq!(partner["commissions"], serde_json::json!({"paid":[],"pending":[],"not_paid":[]}));

    for path in [
        format!("/v1/partners/{id}"),
        format!("/v1/partners/{key}"),
        format!("/v1/partner?key={key}"),
        format!("/v1/partner?id={id}"),
        "/v1/partner?email=MAYA@example.com".to_owned(),
    ] {
        let (status, found) = api.call("GET", &path, "").await;
        assert_eq!((status, &found["data"]["id"]), (200, &partner["id"]), "{path}");
    }
    // The PHP client puts the parameters of GET into a body.
    let (status, found) = api.call("GET", "/v1/partner", &format!(r#"{{"key":"{key}"}}"#)).await;
    assert_eq!((status, &found["data"]["id"]), (200, &partner["id"]));

    api.wait(1000);
    let change = r#"{"name":"Mia","status":"suspended"}"#;
    let (status, changed) = api.call("PUT", &format!("/v1/partners/{id}"), change).await;
    assert_eq!(status, 200);
    assert_eq!(changed["data"]["name"], "Mia");
    assert_eq!(changed["data"]["surname"], "Chen");
    assert_eq!(changed["data"]["approved"], false);
    assert_eq!(changed["data"]["updated_at"], "2027-01-15T08:00:01.000000Z");
    let older = r#"{"email":"maya@example.com","update":{"approved":true,"key":"MIA-1"}}"#;
    let (status, changed) = api.call("PUT", "/v1/partners", older).await;
    assert_eq!(status, 200, "{changed}");
    assert_eq!(changed["data"]["key"], "MIA-1");
    assert_eq!(changed["data"]["status"], "active");
    let (_, links) = api.call("GET", "/v1/partners/MIA-1/referral_links", "").await;
    let keys: Vec<_> = links["data"].as_array().unwrap().iter().map(|link| link["key"].clone()).collect();
    assert_eq!(keys, ["MIA-1", key], "the old link stays");

    assert_eq!(
        api.call("DELETE", &format!("/v1/partners/{id}"), "").await.1,
        serde_json::json!({"status":1})
    );
    assert_eq!(api.call("DELETE", &format!("/v1/partners/{id}"), "").await.0, 404);
    assert_eq!(api.call("GET", "/v1/partners/MIA-1", "").await.0, 404);
    // The address is free again, the key is not.
    let again = r#"{"email":"maya@example.com","key":"MIA-1"}"#;
    let (status, answer) = api.call("POST", "/v1/partners", again).await;
    assert_eq!(status, 422);
    assert_eq!(answer["errors"].as_object().unwrap().keys().collect::<Vec<_>>(), ["key"]);
    let (status, again) = api.call("POST", "/v1/partners", r#"{"email":"maya@example.com"}"#).await;
    assert_eq!(status, 201);
    assert_eq!(again["data"]["key"].as_str().unwrap().len(), 12, "the default key is lengthened");
}

#[tokio::test]
async fn what_is_taken_or_wrong_is_named() {
    let api = Api::new().await;
    api.partner("MAYA").await;
    for (body, fields) in [
        (r#"{}"#, vec!["email"]),
        (r#"{"email":"maya@partners.example"}"#, vec!["email"]),
        (r#"{"email":"MAYA@partners.example","id":"id-MAYA","key":"MAYA"}"#, vec!["email", "id", "key"]),
        (r#"{"email":"a@b.c","key":"no spaces"}"#, vec!["key"]),
        (r#"{"email":"a@b.c","status":"deleted"}"#, vec!["status"]),
        (
            r#"{"email":"a@b.c","emial":"x","referring_partner":{"key":"MAYA"}}"#,
            vec!["emial", "referring_partner"],
        ),
    ] {
        let (status, answer) = api.call("POST", "/v1/partners", body).await;
        assert_eq!(status, 422, "{body}");
        assert_eq!(answer["errors"].as_object().unwrap().keys().collect::<Vec<_>>(), fields, "{body}");
        assert!(!answer["message"].as_str().unwrap().is_empty());
    }
    let long = format!(r#"{{"email":"a@b.c","name":"{}"}}"#, "n".repeat(101));
    assert_eq!(api.call("POST", "/v1/partners", &long).await.0, 422);
    api.partner("THEO").await;
    let (status, answer) = api.call("PUT", "/v1/partners/THEO", r#"{"key":"MAYA","id":"other"}"#).await;
    assert_eq!(status, 422);
    assert_eq!(answer["errors"].as_object().unwrap().len(), 2);
    assert_eq!(api.call("PUT", "/v1/partners", r#"{"update":{"name":"x"}}"#).await.0, 422);
    assert_eq!(api.call("PUT", "/v1/partners", r#"{"key":"MAYA"}"#).await.0, 422);
    assert_eq!(api.call("PUT", "/v1/partners/nobody", r#"{"name":"x"}"#).await.0, 404);
    assert_eq!(api.call("DELETE", "/v1/partners", "").await.0, 422);
    assert_eq!(api.call("DELETE", "/v1/partners", r#"{"key":"THEO"}"#).await.0, 200);
    assert_eq!(api.call("DELETE", "/v1/partners?key=MAYA", "").await.0, 200);
}

#[tokio::test]
async fn lists_are_paged_and_their_links_lead_through() {
    let api = Api::new().await;
    for n in 0..7 {
        api.wait(1);
        api.partner(&format!("P{n}")).await;
    }
    let (_, page) = api.call("GET", "/v1/partners?limit=3", "").await;
    assert_eq!(page["data"][0]["key"], "P6");
    assert_eq!(page["status"], 1);
    assert_eq!(page["meta"]["path"], "http://api.example/v1/partners");
    assert_eq!(page["meta"]["from"], 1);
    assert_eq!(page["meta"]["to"], 3);
    assert_eq!(page["meta"]["per_page"], 3);
    assert_eq!(page["links"]["last"], serde_json::Value::Null);
    assert_eq!(page["links"]["prev"], serde_json::Value::Null);
    let mut seen = Vec::new();
    let mut next = Some("http://api.example/v1/partners?limit=3&sort=asc".to_owned());
    while let Some(address) = next {
        let (status, page) = api.call("GET", address.strip_prefix("http://api.example").unwrap(), "").await;
        assert_eq!(status, 200, "{page}");
        seen.extend(page["data"].as_array().unwrap().iter().map(|p| p["key"].as_str().unwrap().to_owned()));
        next = page["links"]["next"].as_str().map(str::to_owned);
    }
    assert_eq!(seen, ["P0", "P1", "P2", "P3", "P4", "P5", "P6"]);
    let (_, beyond) = api.call("GET", "/v1/partners?page=9", "").await;
    assert_eq!(beyond["meta"]["from"], serde_json::Value::Null);
    for query in ["limit=0", "limit=251", "limit=x", "page=0", "page=-1", "sort=up", "staus=x"] {
        assert_eq!(api.call("GET", &format!("/v1/partners?{query}"), "").await.0, 422, "{query}");
    }
    let (_, body) = api.call("GET", "/v1/partners", r#"{"limit":2}"#).await;
    assert_eq!(body["data"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn search_and_archive() {
    let api = Api::new().await;
    api.partner("MAYA").await;
    api.partner("THEO").await;
    for query in ["key=MAYA", "email=maya%40PARTNERS.example", "id=id-MAYA"] {
        let (_, found) = api.call("GET", &format!("/v1/partners:search?{query}"), "").await;
        assert_eq!(found["data"].as_array().unwrap().len(), 1, "{query}");
        assert_eq!(found["data"][0]["key"], "MAYA");
    }
    let (_, none) = api.call("GET", "/v1/partners:search?key=MAYA&id=id-THEO", "").await;
    assert!(none["data"].as_array().unwrap().is_empty());
    assert_eq!(api.call("GET", "/v1/partners:search", "").await.0, 422);

    for (verb, status) in [("archive", "archived"), ("archive", "archived"), ("revoke-archive", "active")] {
        api.wait(1);
        let (code, answer) = api.call("POST", &format!("/v1/partners/MAYA/{verb}"), "").await;
        assert_eq!((code, answer["data"]["status"].as_str()), (200, Some(status)));
    }
    assert_eq!(api.call("POST", "/v1/partners/nobody/archive", "").await.0, 404);
}

#[tokio::test]
async fn two_calls_that_race_for_one_address_leave_one_partner() {
    let api = Api::new().await;
    let body = r#"{"email":"maya@example.com"}"#;
    let (a, b) = tokio::join!(api.call("POST", "/v1/partners", body), api.call("POST", "/v1/partners", body));
    let mut codes = [a.0, b.0];
    codes.sort_unstable();
    assert_eq!(codes, [201, 422]);
}

struct Parameter(String, &'static str);
impl Unit for Parameter {
    type Out = u64;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<u64, StoreError> {
        let sql = "UPDATE program SET parameter = $2 WHERE workspace_id = $1";
        tx.exec(sql, &[P::T(&self.0), P::T(self.1)]).await
    }
}

#[tokio::test]
async fn links_have_the_parameter_of_their_program() {
    let api = Api::new().await;
    api.partner("MAYA").await;
    let program = Parameter(api.program.workspace_id.clone(), "via");
    assert_eq!(api.app.db.write(program).await.unwrap(), 1);
    let link = "https://shop.example/start?x=1&via=MAYA";
    let (_, partner) = api.call("GET", "/v1/partners/MAYA", "").await;
    assert_eq!(partner["data"]["referral_link"], link, "{partner}");
    assert_eq!(partner["data"]["referral_links"][0]["url"], link, "{partner}");
    let (_, links) = api.call("GET", "/v1/partners/MAYA/referral_links", "").await;
    assert_eq!(links["data"][0]["url"], link, "{links}");
    let (_, list) = api.call("GET", "/v1/partners", "").await;
    assert_eq!(list["data"][0]["referral_link"], link, "{list}");
}
