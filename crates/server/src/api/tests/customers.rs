//! Customers through the API.

use super::harness::Api;

#[tokio::test]
async fn a_customer_is_created_found_changed_and_deleted() {
    let api = Api::new().await;
    api.partner("MAYA").await;
    api.partner("THEO").await;
    let body = r#"{"key":"user_1","email":"Ida@Example.com","name":"Ida","tags":["vip"],
        "partner":{"key":"MAYA"},"options":{"referral_url":"https://shop.example/?aff=MAYA"}}"#;
    let (status, answer) = api.call("POST", "/v1/customers", body).await;
    assert_eq!(status, 201, "{answer}");
    let customer = answer["data"].clone();
    assert_eq!(customer["key"], "user_1");
    assert_eq!(customer["partner"], "id-MAYA");
    assert_eq!(customer["email"], "ida@example.com");
    assert_eq!(customer["deleted"], false);
    assert_eq!(customer["deleted_at"], serde_json::Value::Null);
    assert_eq!(customer["tags"], serde_json::json!([{"value":"vip"}]));

    let id = customer["id"].as_str().unwrap();
    for name in ["user_1", id, "ida@example.com", "IDA@example.com"] {
        let (status, found) = api.call("GET", &format!("/v1/customers/{name}"), "").await;
        assert_eq!((status, &found["data"]), (200, &customer), "{name}");
    }
    for query in
        ["key=user_1".to_owned(), format!("id={id}"), "email=ida%40example.com".to_owned(), "name=ida".into()]
    {
        let (_, found) = api.call("GET", &format!("/v1/customers:search?{query}"), "").await;
        assert_eq!(found["data"][0], customer, "{query}");
    }
    assert_eq!(
        api.call("GET", "/v1/customers:search?email=nobody", "").await.1["data"],
        serde_json::json!([])
    );

    api.wait(5);
    let (status, changed) =
        api.call("PUT", "/v1/customers/user_1", r#"{"surname":"Ray","partner":{"id":"id-THEO"}}"#).await;
    assert_eq!(status, 200, "{changed}");
    assert_eq!(changed["data"]["partner"], "id-THEO");
    assert_eq!(changed["data"]["name"], "Ida");
    let older = r#"{"key":"user_1","update":{"key":"user_2","email":"new@example.com"}}"#;
    let (status, changed) = api.call("PUT", "/v1/customers", older).await;
    assert_eq!((status, changed["data"]["key"].as_str()), (200, Some("user_2")));
    assert_eq!(api.call("GET", "/v1/customers/user_1", "").await.0, 404);
    assert_eq!(api.call("GET", "/v1/customers/ida@example.com", "").await.0, 404);
    assert_eq!(api.call("GET", "/v1/customers/new@example.com", "").await.0, 200);

    for (verb, status) in [("archive", "archived"), ("revoke-archive", "active")] {
        let (code, answer) = api.call("POST", &format!("/v1/customers/user_2/{verb}"), "").await;
        assert_eq!((code, answer["data"]["status"].as_str()), (200, Some(status)));
    }
    assert_eq!(api.call("DELETE", "/v1/customers", r#"{"key":"user_2"}"#).await.0, 200);
    assert_eq!(api.call("GET", "/v1/customers/user_2", "").await.0, 404);
    assert_eq!(api.call("GET", "/v1/customers", "").await.1["data"], serde_json::json!([]));
    let (status, answer) =
        api.call("POST", "/v1/customers", r#"{"key":"user_2","partner":{"key":"MAYA"}}"#).await;
    assert_eq!(status, 409);
    assert!(answer["message"].as_str().unwrap().contains("deleted"));
}

#[tokio::test]
async fn a_key_is_created_once_and_a_partner_must_be_known() {
    let api = Api::new().await;
    api.partner("MAYA").await;
    api.partner("THEO").await;
    let first = api.customer("u1", "MAYA").await;
    for partner in ["MAYA", "THEO"] {
        let body = format!(r#"{{"key":"u1","name":"changed","partner":{{"key":"{partner}"}}}}"#);
        assert_eq!(api.call("POST", "/v1/customers", &body).await.0, 409);
    }
    assert_eq!(api.call("GET", "/v1/customers/u1", "").await.1["data"], first);
    for (body, field) in [
        (r#"{"key":"u2"}"#, "partner"),
        (r#"{"key":"u2","partner":{"key":"NOBODY"}}"#, "partner"),
        (r#"{"partner":{"key":"MAYA"}}"#, "key"),
        (r#"{"key":"u2","email":"x","partner":{"key":"MAYA"}}"#, "email"),
    ] {
        let (status, answer) = api.call("POST", "/v1/customers", body).await;
        assert_eq!(status, 422, "{body}");
        assert!(answer["errors"][field].is_array(), "{body}: {answer}");
    }
    let long = format!(r#"{{"key":"{}","partner":{{"key":"MAYA"}}}}"#, "k".repeat(65));
    assert_eq!(api.call("POST", "/v1/customers", &long).await.0, 422);
    let nested =
        r#"{"customer":{"key":77,"email":"n@x.example"},"partner":{"email":"maya@partners.example"}}"#;
    let (status, answer) = api.call("POST", "/v1/customers", nested).await;
    assert_eq!((status, answer["data"]["key"].as_str()), (201, Some("77")), "{answer}");
    let (status, answer) = api.call("PUT", "/v1/customers/77", r#"{"key":"u1"}"#).await;
    assert_eq!(status, 422, "{answer}");
}

#[tokio::test]
async fn lists_are_filtered_by_partner_in_every_spelling() {
    let api = Api::new().await;
    api.partner("MAYA").await;
    api.partner("THEO").await;
    api.customer("u1", "MAYA").await;
    api.wait(1);
    api.customer("u2", "THEO").await;
    assert_eq!(api.call("GET", "/v1/customers", "").await.1["data"][0]["key"], "u2");
    for query in ["partner_key=MAYA", "partner%5Bemail%5D=maya@partners.example", "partner.id=id-MAYA"] {
        let (_, page) = api.call("GET", &format!("/v1/customers?{query}&limit=1"), "").await;
        assert_eq!(page["data"].as_array().unwrap().len(), 1, "{query}");
        assert_eq!(page["data"][0]["key"], "u1", "{query}");
    }
    let (_, none) = api.call("GET", "/v1/customers?partner_key=NOBODY", "").await;
    assert_eq!(none["data"], serde_json::json!([]));
    let (_, by_body) = api.call("GET", "/v1/customers", r#"{"partner":{"key":"THEO"}}"#).await;
    assert_eq!(by_body["data"][0]["key"], "u2");
    let (_, maya) = api.call("GET", "/v1/partners/MAYA", "").await;
    assert_eq!(maya["data"]["referrals"]["signups"], 1);
}

#[tokio::test]
async fn a_customer_may_come_with_its_first_transaction() {
    let api = Api::new().await;
    api.partner("MAYA").await;
    let body =
        r#"{"key":"u1","partner":{"key":"MAYA"},"transaction":{"key":"o1","amount":10,"action":"sale"}}"#;
    assert_eq!(api.call("POST", "/v1/customers", body).await.0, 201);
    let (_, list) = api.call("GET", "/v1/customers/u1/transactions", "").await;
    assert_eq!(list["data"][0]["key"], "o1");
    assert_eq!(list["data"][0]["rewards"][0]["amount"].to_string(), "3.0");
    assert_eq!(api.call("GET", "/v1/customers/nobody/transactions", "").await.0, 404);
}
