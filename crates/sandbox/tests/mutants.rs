//! What Stripe's document forbids is refused: in requests by a 400 and a violation, in answers by the validator.

mod common;

use common::{Answer, bench};
use serde_json::{Value, json};
use tributary_sandbox::openapi::{document, validate};

/// Path, form, expected code (empty for none) and expected parameter.
type Refused<'r> = (&'r str, &'r [(&'r str, &'r str)], &'r str, &'r str);

#[tokio::test]
async fn requests_that_break_the_document_are_refused_and_kept() {
    let bench = bench().await;
    let long = "x".repeat(201);
    let refused: &[Refused] = &[
        ("customers", &[("nickname", "x")], "parameter_unknown", "nickname"),
        ("customers", &[("balance", "much")], "parameter_invalid_integer", "balance"),
        ("products", &[("description", "no name")], "parameter_missing", "name"),
        ("coupons", &[("percent_off", "half")], "", "percent_off"),
        ("coupons", &[("percent_off", "10"), ("duration", "always")], "", "duration"),
        (
            "webhook_endpoints",
            &[("url", "https://x.example"), ("enabled_events[]", "invoice.exploded")],
            "",
            "enabled_events[0]",
        ),
        (
            "webhook_endpoints",
            &[("url", "https://x.example"), ("enabled_events[]", "*"), ("api_version", "2026-10-28.endive")],
            "",
            "api_version",
        ),
        ("promotion_codes", &[("coupon", "c"), ("promotion[type]", "coupon")], "parameter_unknown", "coupon"),
        (
            "checkout/sessions",
            &[("line_items[0][price]", "p"), ("line_items[0][pcs]", "2")],
            "parameter_unknown",
            "line_items[0][pcs]",
        ),
        ("checkout/sessions", &[("client_reference_id", &long)], "", "client_reference_id"),
        (
            "checkout/sessions",
            &[("payment_intent_data[metadata_]", "x")],
            "parameter_unknown",
            "payment_intent_data[metadata_]",
        ),
        (
            "checkout/sessions",
            &[("line_items[0][price_data][unit_amount]", "5")],
            "parameter_missing",
            "line_items[0][price_data][currency]",
        ),
    ];
    for (path, form, code, param) in refused {
        let Answer { status, body, .. } = bench.post(path, form).await;
        assert_eq!(status, 400, "{path} {form:?}: {body}");
        assert_eq!(body["error"]["type"], "invalid_request_error");
        assert_eq!(body["error"]["param"], *param, "{body}");
        assert_eq!(body["error"]["code"].as_str().unwrap_or_default(), *code, "{body}");
    }
    assert_eq!(bench.running.violations().len(), refused.len());
    assert_eq!(bench.get("charges?limit=many").await.status, 400);
    assert_eq!(bench.get("charges?invoice=in_1").await.status, 400, "removed from Stripe long ago");
    assert_eq!(bench.get("no_such_thing").await.status, 404);
    assert_eq!(bench.get("topups").await.status, 404, "in the document, but not in the sandbox");
    assert_eq!(bench.running.violations().len(), refused.len() + 4);
    bench.control("violations/clear", json!({})).await.ok();
    bench.no_violations();
}

#[tokio::test]
async fn what_lives_in_prose_is_refused_without_a_violation() {
    let bench = bench().await;
    bench.post("coupons", &[("id", "TEN"), ("percent_off", "10")]).await.ok();
    for form in [
        vec![("percent_off", "150")],
        vec![("percent_off", "0")],
        vec![("amount_off", "100")],
        vec![("percent_off", "5"), ("amount_off", "100"), ("currency", "eur")],
    ] {
        assert_eq!(bench.post("coupons", &form).await.status, 400, "{form:?}");
    }
    let code =
        |code: &'static str| [("promotion[type]", "coupon"), ("promotion[coupon]", "TEN"), ("code", code)];
    assert_eq!(bench.post("promotion_codes", &code("ADA_10")).await.status, 400);
    bench.post("promotion_codes", &code("ADA-10")).await.ok();
    assert_eq!(bench.post("promotion_codes", &code("ada-10")).await.status, 400, "unique ignoring case");
    assert_eq!(bench.post("coupons", &[("id", "TEN"), ("percent_off", "10")]).await.status, 400);
    assert_eq!(bench.get("charges?limit=101").await.status, 400);
    bench.no_violations();
}

type Mutation = fn(&mut Value);

#[tokio::test]
async fn mutated_answers_are_refused() {
    let bench = bench().await;
    bench.control("settings", json!({"tax_ppm": 200_000, "shipping": 500})).await.ok();
    bench.control("stories/half_refund", json!({})).await.ok();
    let invoices = bench.get("invoices?expand[]=data.payments").await.ok();
    let found = document().find("GET", "/v1/invoices").unwrap();
    validate::answer(found.operation, &invoices).unwrap();
    let mutations: &[(&str, Mutation)] = &[
        ("text for a number", |v| v["data"][0]["total"] = json!("12")),
        ("fraction for an integer", |v| v["data"][0]["amount_paid"] = json!(1.5)),
        ("missing field", |v| drop(v["data"][0].as_object_mut().unwrap().remove("amount_due"))),
        ("unknown field", |v| v["data"][0]["subscription"] = json!("sub_1")),
        ("unknown status", |v| v["data"][0]["status"] = json!("settled")),
        ("null where none is allowed", |v| v["data"][0]["currency"] = Value::Null),
        ("other object", |v| v["data"][0]["object"] = json!("charge")),
        ("list without has_more", |v| drop(v.as_object_mut().unwrap().remove("has_more"))),
        ("nested type", |v| v["data"][0]["status_transitions"]["paid_at"] = json!("today")),
        ("nested unknown", |v| v["data"][0]["parent"]["subscription_details"]["id"] = json!("x")),
        ("line without pricing type", |v| {
            drop(v["data"][0]["lines"]["data"][0]["pricing"].as_object_mut().unwrap().remove("type"));
        }),
        ("tax without amount", |v| {
            drop(v["data"][0]["total_taxes"][0].as_object_mut().unwrap().remove("amount"))
        }),
        ("expanded payment without status", |v| {
            drop(v["data"][0]["payments"]["data"][0].as_object_mut().unwrap().remove("status"));
        }),
    ];
    for (name, mutate) in mutations {
        let mut mutant = invoices.clone();
        mutate(&mut mutant);
        assert!(validate::answer(found.operation, &mutant).is_err(), "{name} was accepted");
    }
    bench.no_violations();
}
