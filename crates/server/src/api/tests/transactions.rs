//! Transactions through the API, with the rewards that they earn.

use super::harness::Api;

const SALE: &str =
    r#"{"customer":{"key":"u1"},"key":"order-1","amount":99.99,"amount_units":"USD","action":"sale"}"#;

async fn ready() -> Api {
    let api = Api::new().await;
    api.partner("MAYA").await;
    api.customer("u1", "MAYA").await;
    api
}

#[tokio::test]
async fn a_transaction_earns_and_is_counted() {
    let api = ready().await;
    let (status, answer) = api.call("POST", "/v1/transactions", SALE).await;
    assert_eq!(status, 201, "{answer}");
    let t = &answer["data"];
    assert_eq!(t["key"], "order-1");
    assert_eq!(t["action"], "sale");
    assert_eq!(t["amount_units"], "USD");
    assert_eq!(t["partner"], "id-MAYA");
    assert_eq!(t["customer"], "u1");
    assert_eq!(t["source"], "api");
    assert_eq!(t["created_at"], "2027-01-15T08:00:00.000000Z");
    let reward = &t["rewards"][0];
    assert_eq!(reward["key"], "order-1");
    assert_eq!(reward["status"], "ok");
    assert_eq!(reward["state"], "pending");
    assert_eq!(reward["partner"], "id-MAYA");
    assert_eq!(reward["customer"], "u1");
    assert_eq!(reward["is_currency"], true);
    // 30 % of 99.99 is 29.997: rounded half to even once, to the cent.
    let text = api.text("/v1/transactions/order-1").await;
    assert!(text.contains(r#""amount":99.99,"#), "{text}");
    assert!(text.contains(r#""amount":30.00,"#), "{text}");

    let text = api.text("/v1/partners/MAYA").await;
    assert!(text.contains(r#""pending":[{"amount":30.00,"currency":"USD"}],"not_paid":[]"#), "{text}");
    assert!(
        text.contains(r#""revenue":[{"amount":99.99,"currency":"USD"}],"sales_count":1,"paid_accounts":1"#),
        "{text}"
    );
}

#[tokio::test]
async fn the_same_again_changes_nothing_and_other_content_is_refused() {
    let api = ready().await;
    assert_eq!(api.call("POST", "/v1/transactions", SALE).await.0, 201);
    api.wait(1000);
    let (status, again) = api.call("POST", "/v1/transactions", SALE).await;
    assert_eq!(status, 200);
    assert_eq!(again["data"]["rewards"].as_array().unwrap().len(), 1);
    assert_eq!(again["data"]["created_at"], "2027-01-15T08:00:00.000000Z");
    let other = SALE.replace("99.99", "99.98");
    let (status, answer) = api.call("POST", "/v1/transactions", &other).await;
    assert_eq!(status, 409);
    assert!(answer["message"].as_str().unwrap().contains("order-1"));
    let (_, partner) = api.call("GET", "/v1/partners/MAYA", "").await;
    assert_eq!(partner["data"]["referrals"]["sales_count"], 1);
}

#[tokio::test]
async fn unknown_customers_and_odd_amounts_are_refused() {
    let api = ready().await;
    for (body, field) in [
        (r#"{"customer":{"key":"nobody"},"key":"o","amount":1}"#, "customer"),
        (r#"{"customer":{"key":"u1"},"key":"o","amount":1.001}"#, "amount"),
        (r#"{"customer":{"key":"u1"},"key":"o","amount":1.5,"amount_units":"jpy"}"#, "amount"),
        (r#"{"customer":{"key":"u1"},"key":"o","amount":-5}"#, "amount"),
        (r#"{"customer":{"key":"u1"},"key":"o","amount":1e20}"#, "amount"),
        (r#"{"customer":{"key":"u1"},"key":"o"}"#, "amount"),
        (r#"{"customer":{"key":"u1"},"key":"a\nb","amount":1}"#, "key"),
        (r#"{"customer":{"key":"new"},"key":"o","amount":1,"options":{"create_customer":true}}"#, "partner"),
    ] {
        let (status, answer) = api.call("POST", "/v1/transactions", body).await;
        assert_eq!(status, 422, "{body}: {answer}");
        assert!(answer["errors"][field].is_array(), "{body}: {answer}");
    }
    let long = format!(r#"{{"customer":{{"key":"u1"}},"key":"{}","amount":1}}"#, "k".repeat(256));
    assert_eq!(api.call("POST", "/v1/transactions", &long).await.0, 422);
    let session = format!(r#"{{"customer":{{"key":"u1"}},"key":"cs_test_{}","amount":1}}"#, "k".repeat(200));
    assert_eq!(api.call("POST", "/v1/transactions", &session).await.0, 201);
    assert_eq!(api.call("GET", "/v1/transactions", "").await.1["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_customer_can_be_created_along_and_several_come_at_once() {
    let api = ready().await;
    let body = r#"{"customer":{"key":"u9","email":"u9@x.example","partner":{"key":"MAYA"}},
        "options":{"create_customer":true},"transactions":[{"key":"a","amount":10},{"key":"b","amount":"20.50"}]}"#;
    let (status, answer) = api.call("POST", "/v1/transactions", body).await;
    assert_eq!(status, 201, "{answer}");
    assert_eq!(answer["data"].as_array().unwrap().len(), 2);
    assert_eq!(answer["data"][1]["rewards"][0]["amount"].to_string(), "6.15");
    assert_eq!(api.call("POST", "/v1/transactions", body).await.0, 200, "once more");
    // One wrong among several: nothing is kept.
    let body = r#"{"customer":{"key":"u10","partner":{"key":"MAYA"}},"options":{"create_customer":true},
        "transactions":[{"key":"c","amount":10},{"key":"a","amount":11}]}"#;
    assert_eq!(api.call("POST", "/v1/transactions", body).await.0, 409);
    assert_eq!(api.call("GET", "/v1/transactions/c", "").await.0, 404);
    assert_eq!(api.call("GET", "/v1/customers/u10", "").await.0, 404);
}

#[tokio::test]
async fn a_transaction_is_changed_archived_restored_and_deleted() {
    let api = ready().await;
    api.call("POST", "/v1/transactions", SALE).await;
    let (status, changed) = api
        .call("PUT", "/v1/transactions/order-1", r#"{"amount":50,"action":"upgrade","product_id":"p1"}"#)
        .await;
    assert_eq!(status, 200, "{changed}");
    assert_eq!(changed["data"]["action"], "upgrade");
    assert_eq!(changed["data"]["product_type_data"]["product_id"], "p1");
    let text = api.text("/v1/transactions/order-1").await;
    assert!(text.contains(r#""amount":50.00,"#) && text.contains(r#""amount":15.00,"#), "{text}");
    let older = r#"{"key":"order-1","update":{"amount":"60"}}"#;
    assert_eq!(api.call("PUT", "/v1/transactions", older).await.0, 200);
    assert!(api.text("/v1/transactions/order-1").await.contains(r#""amount":18.00,"#));
    for (body, status) in [
        (r#"{"amount":1.001}"#, 422),
        (r#"{"amount_units":"eur"}"#, 422),
        (r#"{"amont":1}"#, 422),
        ("{", 400),
    ] {
        assert_eq!(api.call("PUT", "/v1/transactions/order-1", body).await.0, status, "{body}");
    }
    assert_eq!(api.call("PUT", "/v1/transactions/none", r#"{"amount":1}"#).await.0, 404);

    let (status, archived) = api.call("POST", "/v1/transactions/order-1/archive", "").await;
    assert_eq!((status, archived["data"]["status"].as_str()), (200, Some("archived")));
    assert_eq!(archived["data"]["rewards"][0]["state"], "reversed");
    let (_, partner) = api.call("GET", "/v1/partners/MAYA", "").await;
    assert_eq!(partner["data"]["commissions"]["pending"], serde_json::json!([]));
    let (_, restored) = api.call("POST", "/v1/transactions/order-1/revoke-archive", "").await;
    assert_eq!(restored["data"]["status"], "ok");
    assert_eq!(restored["data"]["rewards"][0]["amount"].to_string(), "18.0");

    assert_eq!(api.call("DELETE", "/v1/transactions", r#"{"key":"order-1"}"#).await.0, 200);
    assert_eq!(api.call("DELETE", "/v1/transactions/order-1", "").await.0, 404);
    assert_eq!(api.call("GET", "/v1/transactions/order-1", "").await.0, 404);
    assert_eq!(api.call("GET", "/v1/transactions", "").await.1["data"], serde_json::json!([]));
    assert_eq!(api.call("POST", "/v1/transactions/order-1/archive", "").await.0, 404);
    assert_eq!(api.call("POST", "/v1/transactions", SALE).await.0, 409);
    let (_, partner) = api.call("GET", "/v1/partners/MAYA", "").await;
    assert_eq!(partner["data"]["commissions"]["pending"], serde_json::json!([]));
}

#[tokio::test]
async fn lists_are_filtered_by_key_partner_and_customer() {
    let api = ready().await;
    api.partner("THEO").await;
    api.customer("u2", "THEO").await;
    for (customer, key) in [("u1", "a"), ("u1", "b"), ("u2", "c")] {
        api.wait(1000);
        let body = format!(r#"{{"customer":{{"key":"{customer}"}},"key":"{key}","amount":10}}"#);
        assert_eq!(api.call("POST", "/v1/transactions", &body).await.0, 201);
    }
    for (query, keys) in [
        ("", vec!["c", "b", "a"]),
        ("sort=asc", vec!["a", "b", "c"]),
        ("key=b", vec!["b"]),
        ("key=none", vec![]),
        ("partner_key=MAYA", vec!["b", "a"]),
        ("partner%5Bid%5D=id-THEO", vec!["c"]),
        ("partner_email=nobody@x", vec![]),
        ("customer.key=u2", vec!["c"]),
        ("customer.email=u1@customers.example", vec!["b", "a"]),
        ("customer.key=u2&partner_key=MAYA", vec![]),
    ] {
        let (status, page) = api.call("GET", &format!("/v1/transactions?{query}"), "").await;
        assert_eq!(status, 200, "{query}");
        let found: Vec<_> =
            page["data"].as_array().unwrap().iter().map(|t| t["key"].as_str().unwrap()).collect();
        assert_eq!(found, keys, "{query}");
    }
}

#[tokio::test]
async fn a_reward_may_be_set_or_refused_by_the_caller() {
    let api = ready().await;
    let body = r#"{"customer":{"key":"u1"},"key":"r","amount":100,"reward":12.34}"#;
    let (_, answer) = api.call("POST", "/v1/transactions", body).await;
    assert_eq!(answer["data"]["rewards"][0]["amount"].to_string(), "12.34", "{answer}");
    for (key, field) in [("n", r#""rewardable":false"#), ("m", r#""rewarded":true"#)] {
        let body = format!(r#"{{"customer":{{"key":"u1"}},"key":"{key}","amount":100,{field}}}"#);
        let (status, answer) = api.call("POST", "/v1/transactions", &body).await;
        assert_eq!((status, &answer["data"]["rewards"]), (201, &serde_json::json!([])));
        assert_eq!(answer["data"]["rewardable"], false);
    }
    let zero = r#"{"customer":{"key":"u1"},"key":"z","amount":0}"#;
    let (status, answer) = api.call("POST", "/v1/transactions", zero).await;
    assert_eq!((status, answer["data"]["state"].as_str()), (201, Some("nothing_to_pay")), "{answer}");
}

#[tokio::test]
async fn a_reward_may_come_without_an_amount() {
    let api = ready().await;
    let body = r#"{"customer":{"key":"u1"},"key":"lead","action":"lead","reward":12.34}"#;
    let (status, answer) = api.call("POST", "/v1/transactions", body).await;
    let (amount, reward) = (&answer["data"]["amount"], &answer["data"]["rewards"][0]["amount"]);
    assert_eq!(
        (status, amount.to_string(), reward.to_string()),
        (201, "0.0".into(), "12.34".into()),
        "{answer}"
    );
    assert_eq!(answer["data"]["state"], "paid");
    assert_eq!(api.call("POST", "/v1/transactions", body).await.0, 200, "once more");
    let other = body.replace("12.34", "12.35");
    assert_eq!(api.call("POST", "/v1/transactions", &other).await.0, 409);
    // In another currency the reward is said anew, or it would be read in the wrong one.
    let put = async |body: &str| api.call("PUT", "/v1/transactions/lead", body).await;
    let (status, answer) = put(r#"{"amount_units":"jpy"}"#).await;
    assert!(status == 422 && answer["errors"]["reward"].is_array(), "{answer}");
    let (status, answer) = put(r#"{"amount_units":"jpy","reward":900}"#).await;
    assert_eq!(
        (status, answer["data"]["rewards"][0]["amount_units"].as_str()),
        (200, Some("JPY")),
        "{answer}"
    );
    assert_eq!(api.call("DELETE", "/v1/transactions/lead", "").await.0, 200);
    let (_, partner) = api.call("GET", "/v1/partners/MAYA", "").await;
    assert_eq!(partner["data"]["commissions"]["pending"], serde_json::json!([]), "taken back");
}

#[tokio::test]
async fn a_deleted_customer_keeps_what_it_earned() {
    let api = ready().await;
    api.call("POST", "/v1/transactions", SALE).await;
    api.wait(10);
    assert_eq!(api.call("DELETE", "/v1/customers/u1", "").await.0, 200);
    let text = api.text("/v1/partners/MAYA").await;
    assert!(text.contains(r#""pending":[{"amount":30.00,"currency":"USD"}]"#), "{text}");
}

struct StripeSale {
    workspace_id: String,
    program_id: String,
}

impl tributary_store::Unit for StripeSale {
    type Out = ();
    async fn run(&self, tx: &mut tributary_store::Tx<'_>) -> Result<(), tributary_store::StoreError> {
        use tributary_store::P;
        let both = [P::T(&self.workspace_id), P::T(&self.program_id)];
        tx.exec(
            "INSERT INTO connection (workspace_id, connection_id, mode, account_id, account_name, api_base, api_key, \
             key_hint, status, status_reason, warnings, polling, cursor_at, created_at, updated_at) \
             VALUES ($1, 'con_1', 'test', 'acct_1', '', 'http://127.0.0.1:1', X'00', '', 'connected', '', '[]', \
             FALSE, 0, 0, 0)",
            &both[..1],
        )
        .await?;
        tx.exec(
            "INSERT INTO connection_program (workspace_id, connection_id, program_id, created_at) \
             VALUES ($1, 'con_1', $2, 0)",
            &both,
        )
        .await?;
        tx.exec(
            "INSERT INTO feed_span (workspace_id, connection_id, program_id, from_ms) VALUES ($1, 'con_1', $2, 0)",
            &both,
        )
        .await?;
        tx.exec(
            "INSERT INTO sale (workspace_id, sale_id, connection_id, mode, root_id, state, occurred_at, currency, \
             total, tax, shipping, discount, paid, captured, refunded, tax_unknown, rewardable, buyer_id, \
             program_id, place_reason, unplaced, unsettled, outcome, updated_at) VALUES ($1, 'sal_1', 'con_1', \
             'test', 'in_1', 'paid', 1700000000000, 'jpy', 1200, 100, 0, 0, 1200, 1200, 200, FALSE, TRUE, 'cus_1', \
             $2, '', FALSE, FALSE, '', 0)",
            &both,
        )
        .await?;
        for object in ["in_1", "pi_1", "ch_1"] {
            let sql = "INSERT INTO alias (workspace_id, connection_id, object_id, sale_id) \
                 VALUES ($1, 'con_1', $2, 'sal_1')";
            tx.exec(sql, &[P::T(&self.workspace_id), P::T(object)]).await?;
        }
        Ok(())
    }
}

struct Decisions(String);
impl tributary_store::Unit for Decisions {
    type Out = Vec<(String, String)>;
    async fn run(&self, tx: &mut tributary_store::Tx<'_>) -> Result<Self::Out, tributary_store::StoreError> {
        let sql = "SELECT kind, subject FROM decision WHERE workspace_id = $1 ORDER BY created_at";
        let rows = tx.rows(sql, &[tributary_store::P::T(&self.0)]).await?;
        rows.iter().map(|row| Ok((row.text(0)?, row.text(1)?))).collect()
    }
}

#[tokio::test]
async fn a_stripe_sale_is_found_by_any_of_its_ids_and_its_money_is_not_touched() {
    let api = ready().await;
    let (workspace_id, program_id) = (api.program.workspace_id.clone(), api.program.program_id.clone());
    api.app.db.write(StripeSale { workspace_id: workspace_id.clone(), program_id }).await.unwrap();
    for id in ["in_1", "pi_1", "ch_1"] {
        let text = api.text(&format!("/v1/transactions/{id}")).await;
        assert!(text.contains(r#""key":"in_1""#) && text.contains(r#""source":"stripe""#), "{text}");
        assert!(text.contains(r#""amount":1200,"amount_units":"JPY""#), "{text}");
        assert!(
            text.contains(r#""tax_amount":100,"#) && text.contains(r#""refunded_amount":200,"#),
            "{text}"
        );
    }
    let (_, list) = api.call("GET", "/v1/transactions?key=ch_1", "").await;
    assert_eq!(list["data"].as_array().unwrap().len(), 1);
    let (status, answer) = api.call("PUT", "/v1/transactions/ch_1", r#"{"amount":1}"#).await;
    assert_eq!(status, 422);
    assert!(answer["message"].as_str().unwrap().contains("Stripe"), "{answer}");
    let live = [("Tributary-Mode", "live")];
    assert_eq!(api.call_with(&api.token, &live, "GET", "/v1/transactions/ch_1", "").await.0, 404);

    assert_eq!(api.call("POST", "/v1/transactions/pi_1/archive", "").await.0, 200);
    assert_eq!(api.call("DELETE", "/v1/transactions?key=ch_1", "").await.0, 200);
    assert_eq!(api.call("GET", "/v1/transactions/in_1", "").await.0, 404);
    assert_eq!(api.call("GET", "/v1/transactions", "").await.1["data"], serde_json::json!([]));
    let decisions = api.app.db.read(Decisions(workspace_id)).await.unwrap();
    assert_eq!(decisions, [("void".into(), "in_1".into()), ("void".to_owned(), "in_1".to_owned())]);
}
