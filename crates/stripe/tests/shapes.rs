//! Single shapes that once broke somebody: odd places, odd types, odd senders.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails loudly, in its helpers too")]

mod common;

use common::{hash, said, understand};
use serde_json::{Value as Json, json};
use tributary_domain::fact::{Field as F, Kind, Value};
use tributary_stripe::event::{Envelope, ParseError};
use tributary_stripe::facts::{Outcome, facts_of_event, normalise_email};

fn event(type_: &str, object: Json) -> Json {
    json!({ "id": "evt_1", "object": "event", "created": 1_700_000_000, "type": type_, "data": { "object": object } })
}

fn int(value: i64) -> Option<Value> {
    Some(Value::Int(value))
}

fn text(value: &str) -> Option<Value> {
    Some(Value::from(value))
}

/// localstripe: version 2017-08-15, `subscription` and `parent` both, `charge` expanded, no invoice.paid.
#[test]
fn an_invoice_of_localstripe_is_understood() {
    let mut body = event(
        "invoice.payment_succeeded",
        json!({
            "id": "in_1", "object": "invoice", "date": 1_699_999_990, "created": 1_699_999_990, "paid": true,
            "status": "paid", "billing_reason": null, "currency": "eur", "customer": "cus_1",
            "customer_email": " Ada@Example.COM ", "subscription": "sub_1", "payment_intent": "pi_1",
            "parent": { "type": "subscription_details", "subscription_details": { "subscription": "sub_1" } },
            "charge": { "id": "ch_1", "object": "charge", "amount": 2500, "captured": true, "currency": "eur", "invoice": null,
                "status": "succeeded", "payment_intent": "pi_1", "amount_refunded": 0, "created": 1_699_999_995,
                "refunds": { "object": "list", "data": [], "has_more": false } },
            "subtotal": 2500, "tax": 0, "total_tax_amounts": [], "total": 2500, "amount_due": 2500,
            "amount_paid": 2500, "discount": null, "metadata": {},
        }),
    );
    body["api_version"] = "2017-08-15".into();
    let understood = understand(&body);
    assert_eq!(understood.outcome, Outcome::Relevant);
    assert_eq!(said(&understood, "in_1", F::TaxTotal), int(0));
    assert_eq!(said(&understood, "in_1", F::ShippingExcludingTax), int(0));
    assert_eq!(said(&understood, "in_1", F::Charge), text("ch_1"));
    assert_eq!(said(&understood, "in_1", F::Subscription), text("sub_1"));
    assert_eq!(
        said(&understood, "in_1", F::PaidAt),
        int(1_700_000_000_000),
        "no status_transitions: the event's time"
    );
    assert_eq!(said(&understood, "in_1", F::EmailHash), text(&hash("ada@example.com")));
    assert_eq!(said(&understood, "in_1", F::BillingReason), None);
    assert_eq!(said(&understood, "ch_1", F::AmountCaptured), int(2500), "captured: true means all of it");
    assert_eq!(
        said(&understood, "ch_1", F::Invoice),
        text("in_1"),
        "standing in the invoice beats its own null"
    );
    assert_eq!(said(&understood, "ch_1", F::PaymentIntent), text("pi_1"));
}

/// localstripe again: the PaymentIntent names the invoice, its charge says that there is none.
#[test]
fn a_charge_inside_an_invoiced_payment_intent_is_no_bare_charge() {
    let of = |invoice: Json| {
        let intent = json!({ "id": "pi_1", "invoice": invoice, "charges": { "data": [
            { "id": "ch_1", "amount": 2500, "payment_intent": "pi_1", "invoice": null } ] } });
        said(&understand(&event("payment_intent.succeeded", intent)), "ch_1", F::Invoice)
    };
    assert_eq!(of(json!("in_1")), text("in_1"));
    assert_eq!(of(Json::Null), Some(Value::Null));
}

#[test]
fn a_paid_flag_stands_for_the_status_and_an_unpaid_invoice_gets_no_time() {
    let paid = event("invoice.paid", json!({ "id": "in_1", "paid": true, "total": 100 }));
    assert_eq!(said(&understand(&paid), "in_1", F::InvoiceStatus), text("paid"));
    let transitions =
        json!({ "id": "in_1", "status": "paid", "status_transitions": { "paid_at": 1_600_000_000 } });
    let understood = understand(&event("invoice.paid", transitions));
    assert_eq!(said(&understood, "in_1", F::PaidAt), int(1_600_000_000_000));
    let open = event("invoice.paid", json!({ "id": "in_1", "status": "open", "total": 100 }));
    assert_eq!(said(&understand(&open), "in_1", F::PaidAt), None);
}

#[test]
fn amounts_may_be_texts_and_what_is_no_amount_is_absent() {
    let charge = json!({
        "id": "ch_1", "amount": "1200", "amount_captured": 1200.5, "amount_refunded": "12.00", "created": "soon",
        "currency": "USD", "status": 7, "customer": 12, "payment_intent": { "object": "payment_intent" },
    });
    let understood = understand(&event("charge.succeeded", charge));
    assert_eq!(said(&understood, "ch_1", F::Amount), int(1200));
    assert_eq!(said(&understood, "ch_1", F::Currency), text("usd"));
    for field in
        [F::AmountCaptured, F::AmountRefunded, F::Created, F::ChargeStatus, F::Customer, F::PaymentIntent]
    {
        assert_eq!(said(&understood, "ch_1", field), None, "{field:?}");
    }
    assert_eq!(understood.notes.len(), 6, "{:?}", understood.notes);
    assert!(understood.notes[0].contains("amount_captured"), "{:?}", understood.notes);
}

#[test]
fn overflow_is_absent_with_a_note() {
    for amount in
        ["9223372036854775808", "1000000000000001", "-1000000000000001", "1e999", "-99999999999999999999"]
    {
        let body = format!(
            r#"{{"id":"evt_1","created":1,"type":"charge.succeeded","data":{{"object":{{"id":"ch_1","amount":{amount},"currency":"usd"}}}}}}"#
        );
        let understood = facts_of_event(body.as_bytes(), &hash).unwrap();
        assert_eq!(said(&understood, "ch_1", F::Amount), None, "{amount}");
        assert_eq!(said(&understood, "ch_1", F::Currency), text("usd"));
        assert_eq!(understood.notes.len(), 1);
    }
}

#[test]
fn absent_null_and_named_invoices_are_told_apart() {
    let of = |charge: Json| said(&understand(&event("charge.succeeded", charge)), "ch_1", F::Invoice);
    assert_eq!(of(json!({ "id": "ch_1", "amount": 1 })), None);
    assert_eq!(of(json!({ "id": "ch_1", "amount": 1, "invoice": null })), Some(Value::Null));
    assert_eq!(of(json!({ "id": "ch_1", "amount": 1, "invoice": "in_1" })), text("in_1"));
    assert_eq!(
        of(json!({ "id": "ch_1", "amount": 1, "invoice": { "id": "in_1", "object": "invoice" } })),
        text("in_1")
    );
    assert_eq!(of(json!({ "id": "ch_1", "amount": 1, "invoice": [] })), None);
}

#[test]
fn uncaptured_charges_have_nothing_captured() {
    let of = |charge: Json| said(&understand(&event("charge.succeeded", charge)), "ch_1", F::AmountCaptured);
    assert_eq!(of(json!({ "id": "ch_1", "amount": 900, "captured": false })), int(0));
    assert_eq!(of(json!({ "id": "ch_1", "amount": 900, "captured": true })), int(900));
    assert_eq!(
        of(json!({ "id": "ch_1", "amount": 900, "captured": true, "amount_captured": 400 })),
        int(400)
    );
    assert_eq!(of(json!({ "id": "ch_1", "amount": 900 })), None);
}

#[test]
fn taxes_are_summed_from_the_newest_place_that_says_them() {
    let of = |invoice: Json| said(&understand(&event("invoice.paid", invoice)), "in_1", F::TaxTotal);
    assert_eq!(
        of(json!({ "id": "in_1", "total_taxes": [{ "amount": 5 }, { "amount": 7 }], "tax": 1 })),
        int(12)
    );
    assert_eq!(
        of(json!({ "id": "in_1", "total_taxes": null, "total_tax_amounts": [{ "amount": 3 }] })),
        int(3)
    );
    assert_eq!(of(json!({ "id": "in_1", "total_taxes": null, "tax": 4 })), int(4));
    assert_eq!(of(json!({ "id": "in_1", "total_taxes": [] })), int(0));
    assert_eq!(
        of(json!({ "id": "in_1", "total_tax_amounts": [], "tax": 1900 })),
        int(1900),
        "by a tax_percent"
    );
    assert_eq!(
        of(json!({ "id": "in_1", "tax": null, "total": 5 })),
        None,
        "null says nothing: never guess gross"
    );
    assert_eq!(of(json!({ "id": "in_1", "total_taxes": [{ "amount": 5 }, {}] })), None, "no half sums");
}

#[test]
fn shipping_is_without_its_tax() {
    let of =
        |invoice: Json| said(&understand(&event("invoice.paid", invoice)), "in_1", F::ShippingExcludingTax);
    let cost =
        |cost: Json| json!({ "id": "in_1", "total": 1, "amount_shipping": 999, "shipping_cost": cost });
    assert_eq!(of(cost(json!({ "amount_subtotal": 400, "amount_tax": 80, "amount_total": 480 }))), int(400));
    assert_eq!(
        of(cost(json!({ "amount_subtotal": 400, "amount_tax": 60, "amount_total": 360 }))),
        int(300),
        "discounted"
    );
    assert_eq!(
        of(cost(json!({ "amount_subtotal": 400, "amount_tax": 800, "amount_total": 480 }))),
        int(400),
        "nonsense"
    );
    assert_eq!(of(cost(json!({ "amount_total": 480 }))), int(480));
    assert_eq!(of(cost(Json::Null)), int(999));
    assert_eq!(of(json!({ "id": "in_1", "total": 1 })), int(0));
    assert_eq!(of(json!({ "id": "in_1" })), None);
    let session = json!({ "id": "cs_1", "amount_total": 1000, "total_details": { "amount_tax": 100, "amount_shipping": 50 } });
    let understood = understand(&event("checkout.session.completed", session));
    assert_eq!(said(&understood, "cs_1", F::AmountShipping), int(50));
    assert_eq!(said(&understood, "cs_1", F::AmountTax), int(100));
}

#[test]
fn promotion_codes_are_found_in_old_and_new_places() {
    let of =
        |type_: &str, id: &str, object: Json| said(&understand(&event(type_, object)), id, F::PromotionCode);
    let session = json!({ "id": "cs_1", "discounts": [{ "coupon": "c" }, { "promotion_code": "promo_1" }] });
    assert_eq!(of("checkout.session.completed", "cs_1", session), text("promo_1"));
    let invoice = json!({ "id": "in_1", "discounts": ["di_1", { "id": "di_2", "promotion_code": { "id": "promo_2" } }] });
    assert_eq!(of("invoice.paid", "in_1", invoice), text("promo_2"));
    let old = json!({ "id": "in_1", "discount": { "promotion_code": "promo_3" }, "discounts": ["di_1"] });
    assert_eq!(of("invoice.paid", "in_1", old), text("promo_3"));
}

#[test]
fn an_account_stands_for_a_customer() {
    let of = |object: Json| said(&understand(&event("charge.succeeded", object)), "ch_1", F::Customer);
    assert_eq!(of(json!({ "id": "ch_1", "customer": null, "customer_account": "acct_9" })), text("acct_9"));
    assert_eq!(of(json!({ "id": "ch_1", "customer": "cus_1", "customer_account": "acct_9" })), text("cus_1"));
    assert_eq!(of(json!({ "id": "ch_1", "customer": null })), Some(Value::Null));
    assert_eq!(of(json!({ "id": "ch_1", "customer": { "id": "cus_2", "deleted": true } })), text("cus_2"));
}

#[test]
fn nested_objects_give_facts_too() {
    let body = event(
        "charge.refunded",
        json!({
            "id": "ch_1", "amount": 100, "amount_refunded": 60, "customer": { "id": "cus_1", "email": "a@b.c" },
            "payment_intent": { "id": "pi_1", "status": "succeeded", "latest_charge": { "id": "ch_1", "status": "succeeded" } },
            "refunds": { "data": [
                { "id": "re_1", "amount": 40, "status": "succeeded", "charge": "ch_1" },
                { "id": "re_2", "amount": 20, "status": "pending" },
            ], "has_more": false },
        }),
    );
    let understood = understand(&body);
    assert_eq!(said(&understood, "pi_1", F::IntentStatus), text("succeeded"));
    assert_eq!(
        said(&understood, "ch_1", F::ChargeStatus),
        text("succeeded"),
        "the inner copy adds what it knows"
    );
    assert_eq!(said(&understood, "re_1", F::Amount), int(40));
    assert_eq!(said(&understood, "re_2", F::Charge), text("ch_1"));
    assert_eq!(said(&understood, "re_2", F::RefundStatus), text("pending"));
    assert_eq!(said(&understood, "cus_1", F::EmailHash), text(&hash("a@b.c")));
    assert_eq!(understood.facts.iter().filter(|fact| fact.object_id == "ch_1").count(), 1);
}

#[test]
fn payments_of_an_invoice_without_ids_still_link() {
    let body = event(
        "invoice.paid",
        json!({ "id": "in_1", "payments": { "data": [{ "status": "paid", "payment": { "payment_intent": "pi_1" } }] } }),
    );
    let understood = understand(&body);
    assert_eq!(said(&understood, "in_1", F::PaymentIntent), text("pi_1"));
    assert_eq!(said(&understood, "pi_1", F::Invoice), text("in_1"));
}

#[test]
fn people_are_apart_from_facts() {
    let body = event(
        "checkout.session.completed",
        json!({ "id": "cs_1", "customer": "cus_1", "customer_details": { "email": "Ada.Love+x@Example.com", "name": "Ada Love" },
            "metadata": { "partner_key": "ADA", "customer_key": "k1", "secret_note": "Ada.Love+x@Example.com" } }),
    );
    let understood = understand(&body);
    let person = &understood.people[0];
    assert_eq!(person.email.as_deref(), Some("Ada.Love+x@Example.com"));
    assert_eq!(person.customer.as_deref(), Some("cus_1"));
    assert_eq!(person.name.as_deref(), Some("Ada Love"));
    assert_eq!(said(&understood, "cs_1", F::EmailHash), text(&hash("ada.love+x@example.com")));
    assert_eq!(said(&understood, "cs_1", F::PartnerKey), text("ADA"));
    assert_eq!(said(&understood, "cs_1", F::CustomerKey), text("k1"));
    let stored = serde_json::to_string(&understood.facts).unwrap().to_lowercase();
    assert!(!stored.contains("example.com") && !stored.contains("love"), "{stored}");
}

#[test]
fn customers_come_change_and_go() {
    let deleted = understand(&event("customer.deleted", json!({ "id": "cus_1", "email": null })));
    assert_eq!(said(&deleted, "cus_1", F::Deleted), int(1));
    assert_eq!(said(&deleted, "cus_1", F::EmailHash), Some(Value::Null));
    let updated =
        json!({ "id": "cus_1", "name": "Ada", "metadata": { "partner_key": "", "customer_key": "k" } });
    let updated = understand(&event("customer.updated", updated));
    assert_eq!(said(&updated, "cus_1", F::PartnerKey), None);
    assert_eq!(said(&updated, "cus_1", F::CustomerKey), text("k"));
    let silent = understand(&event("customer.updated", json!({ "id": "cus_1", "name": "Ada" })));
    assert!(matches!(silent.outcome, Outcome::Ignored { .. }));
    assert_eq!(silent.people.len(), 1, "the name is for display all the same");
}

#[test]
fn addresses_are_trimmed_and_lower_case_and_nothing_else() {
    assert_eq!(normalise_email("  A.B+c@Example.COM\n").as_deref(), Some("a.b+c@example.com"));
    for nothing in ["", "  ", "no address"] {
        assert_eq!(normalise_email(nothing), None);
    }
}

#[test]
fn other_types_are_ignored_with_a_reason() {
    for type_ in [
        "",
        "payout.paid",
        "charge.dispute.created",
        "customer.subscription.updated",
        "invoice.finalized",
        "brand.new",
        "invoice_payment.detached",
    ] {
        let understood = understand(&event(type_, json!({ "id": "x_1", "object": "x" })));
        let Outcome::Ignored { reason } = understood.outcome else { panic!("{type_}") };
        assert!(reason.ends_with('.') && understood.facts.is_empty(), "{type_}: {reason}");
    }
    let understood = understand(&event("invoice.paid", json!({ "id": "ch_1", "object": "charge" })));
    assert!(matches!(&understood.outcome, Outcome::Ignored { reason } if reason.contains("charge")));
    let understood = understand(&event("invoice.paid", json!({ "object": "invoice", "total": 1 })));
    assert!(matches!(&understood.outcome, Outcome::Ignored { reason } if reason.contains("no id")));
}

#[test]
fn thin_events_name_what_is_to_be_fetched() {
    let thin = |type_: &str, related: &str| {
        let text = format!(
            r#"{{"id":"evt_thin","object":"v2.core.event","type":"{type_}","created":"2026-01-02T03:04:05.678Z","livemode":false,"related_object":{related}}}"#
        );
        facts_of_event(text.as_bytes(), &hash).unwrap()
    };
    let related = r#"{"id":"cs_1","type":"checkout.session","url":"/v1/checkout/sessions/cs_1"}"#;
    let understood = thin("v1.checkout.session.completed", related);
    assert!(understood.envelope.thin && understood.facts.is_empty());
    assert_eq!(understood.envelope.created_ms, 1_767_323_045_678);
    assert_eq!(understood.envelope.object_id.as_deref(), Some("cs_1"));
    assert_eq!(understood.outcome, Outcome::Fetch { kind: Kind::Session, id: "cs_1".to_owned() });
    let silent = thin("v1.invoice.paid", r#"{"id":"in_1"}"#);
    assert_eq!(silent.outcome, Outcome::Fetch { kind: Kind::Invoice, id: "in_1".to_owned() });
    for (type_, related) in [
        ("v1.billing.meter.error_report_triggered", r#"{"id":"mtr_1"}"#),
        ("v2.core.health.event_generation_failure.resolved", "null"),
        ("invoice.paid", r#"{"id":"in_1","type":"invoice"}"#),
        ("v1.invoice.paid", r#"{"id":"ch_1","type":"charge"}"#),
        ("v1.invoice.paid", r#"{"type":"invoice"}"#),
        ("v1.invoice.paid", "null"),
        ("v1.invoice.paid", "[1]"),
        ("", "7"),
    ] {
        let Outcome::Ignored { reason } = thin(type_, related).outcome else { panic!("{type_} {related}") };
        assert!(reason.ends_with('.'), "{reason}");
    }
}

#[test]
fn the_envelope_says_what_it_needs() {
    let raw = br#" {"id":"evt_1","object":"event","api_version":"2099-01-01.zzz","created":1700000000,"livemode":true,
        "account":"acct_1","type":"invoice.paid","data":{"object":{"object":"invoice","id":"in_1"},"previous_attributes":{}}} "#;
    let envelope = Envelope::parse(raw).unwrap();
    assert_eq!((envelope.id.as_str(), envelope.type_.as_str()), ("evt_1", "invoice.paid"));
    assert_eq!((envelope.created_ms, envelope.livemode), (1_700_000_000_000, Some(true)));
    assert_eq!(envelope.api_version.as_deref(), Some("2099-01-01.zzz"));
    assert_eq!(envelope.account.as_deref(), Some("acct_1"));
    assert_eq!(
        (envelope.object_kind.as_deref(), envelope.object_id.as_deref()),
        (Some("invoice"), Some("in_1"))
    );
}

#[test]
fn what_is_no_event_is_refused_with_a_reason() {
    let long = format!(r#"{{"id":"{}"}}"#, "x".repeat(256));
    let hush = format!("\"{}\"", "hush-hush");
    for (body, wanted) in [
        (&b""[..], "JSON"),
        (b"null", "JSON"),
        (b"[]", "JSON"),
        (hush.as_bytes(), "JSON"),
        (b"{", "JSON"),
        (b"{\"id\":\"evt_1\"} trailing", "JSON"),
        (b"{\"id\":\"evt_1\",}", "JSON"),
        (b"<html>", "JSON"),
        (b"\xff\xfe", "UTF-8"),
        (b"{}", "no id"),
        (b"{\"id\":null}", "no id"),
        (b"{\"id\":\"\"}", "id is empty"),
        (b"{\"id\":12}", "id is empty"),
        (b"{\"id\":\"a\\u0000b\"}", "id is empty"),
        (b"{\"id\":\"a\\nb\"}", "id is empty"),
        (b"{\"id\":\"\\ud800\"}", "id is empty"),
        (long.as_bytes(), "id is empty"),
    ] {
        let error = facts_of_event(body, &hash).unwrap_err();
        assert!(error.to_string().contains(wanted), "{error}");
        assert!(!error.to_string().contains("hush"), "{error}");
        assert!(matches!(
            error,
            ParseError::NotJson { .. } | ParseError::NotText { .. } | ParseError::NoId | ParseError::BadId
        ));
    }
}

#[test]
fn hostile_but_valid_json_is_taken() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let nested = (0..2_000).fold(r#"{"id":"ch_0"}"#.to_owned(), |inner, n| {
        format!(r#"{{"id":"ch_{n}","object":"charge","amount":1,"payment_intent":{{"id":"pi_{n}","latest_charge":{inner}}}}}"#)
    });
    let refunds =
        (0..5_000).map(|n| format!(r#"{{"id":"re_{n}","amount":1}}"#)).collect::<Vec<_>>().join(",");
    for (object, id) in [
        (format!(r#"{{"id":"ch_1","amount":1,"x":{deep}}}"#), "ch_1"),
        (format!(r#"{{"id":"ch_1","metadata":{deep},"amount":1}}"#), "ch_1"),
        (r#"{"\ud800":1,"id":"ch_1","amount":1}"#.to_owned(), "ch_1"),
        (r#"{"id":"ch_2","id":"ch_1","amount":2,"amount":1}"#.to_owned(), "ch_1"),
        (r#"{"id":"ch_1","amount":1,"customer":"cus\u0000x","currency":"\ud800"}"#.to_owned(), "ch_1"),
        (r#"{"i\u0064":"ch_1","amount":1}"#.to_owned(), "ch_1"),
        (format!(r#"{{"id":"ch_1","amount":1,"refunds":{{"data":[{refunds}]}}}}"#), "ch_1"),
        (nested, "ch_1999"),
    ] {
        let body =
            format!(r#"{{"id":"evt_1","created":1,"type":"charge.succeeded","data":{{"object":{object}}}}}"#);
        let understood = facts_of_event(body.as_bytes(), &hash).unwrap();
        assert_eq!(said(&understood, id, F::Amount), int(1), "{id}");
        assert!(understood.facts.len() <= 102 && understood.notes.len() <= 20);
        let stored = serde_json::to_string(&understood.facts).unwrap();
        assert!(!stored.contains("\\u0000"));
        assert!(understood.facts.iter().all(|fact| Kind::of_stripe_id(&fact.object_id).is_some()));
    }
}

fn facts(body: &Json) -> Vec<tributary_domain::fact::Fact> {
    let understood = facts_of_event(&serde_json::to_vec(body).unwrap(), &hash).unwrap();
    assert_eq!(understood.outcome, Outcome::Relevant, "{:?}", understood.notes);
    understood.facts
}

fn of(facts: &[tributary_domain::fact::Fact], id: &str, field: F) -> Option<Value> {
    facts.iter().find(|fact| fact.object_id == id).and_then(|fact| fact.fields.get(&field).cloned())
}

#[test]
fn a_dispute_says_its_state_and_each_of_its_movements() {
    let body = event(
        "charge.dispute.funds_withdrawn",
        json!({
            "id": "dp_1", "object": "dispute", "amount": 5000, "currency": "USD", "status": "needs_response",
            "reason": "fraudulent", "charge": "ch_1", "payment_intent": null, "created": 1_700_000_000,
            "balance_transactions": [
                { "id": "txn_1", "object": "balance_transaction", "amount": -4600, "fee": 1500, "currency": "eur",
                  "exchange_rate": 0.92, "created": 1_700_000_001 },
                "txn_2",
            ],
        }),
    );
    let facts = facts(&body);
    assert_eq!(of(&facts, "dp_1", F::DisputeStatus), text("needs_response"));
    assert_eq!(of(&facts, "dp_1", F::Charge), text("ch_1"));
    assert_eq!(of(&facts, "txn_1", F::Amount), int(-4600));
    assert_eq!(of(&facts, "txn_1", F::ExchangeRate), text("0.92"), "as it was written");
    assert_eq!(of(&facts, "txn_1", F::Dispute), text("dp_1"));
    assert_eq!(of(&facts, "txn_2", F::Dispute), None, "only an id says nothing");
}

#[test]
fn credit_notes_say_what_went_back_outside_of_stripe() {
    let note = |type_: &str, status: &str| {
        event(
            type_,
            json!({
                "id": "cn_1", "object": "credit_note", "amount": 900, "currency": "usd", "invoice": "in_1",
                "status": status, "type": "post_payment", "out_of_band_amount": 300, "pre_payment_amount": 0,
                "refunds": [{ "amount_refunded": 600, "refund": { "id": "re_1", "object": "refund", "amount": 600,
                    "status": "succeeded", "charge": "ch_1" } }],
            }),
        )
    };
    let issued = facts(&note("credit_note.created", "issued"));
    assert_eq!(of(&issued, "cn_1", F::OutOfBand), int(300));
    assert_eq!(of(&issued, "cn_1", F::Invoice), text("in_1"));
    assert_eq!(of(&issued, "re_1", F::Amount), int(600));
    // What went back to a payment record has no refund of its own.
    let mut recorded = json!({
        "id": "cn_1", "object": "credit_note", "amount": 900, "currency": "usd", "invoice": "in_1", "status": "issued",
        "type": "post_payment", "out_of_band_amount": null, "pre_payment_amount": 0,
        "refunds": [{ "type": "payment_record_refund", "amount_refunded": 400, "refund": null,
                      "payment_record_refund": { "payment_record": "pr_1", "refund_group": "pag_1" } },
                    { "type": "refund", "amount_refunded": 500, "refund": "re_1", "payment_record_refund": null }],
    });
    assert_eq!(of(&facts(&event("credit_note.created", recorded.clone())), "cn_1", F::OutOfBand), int(400));
    recorded["out_of_band_amount"] = json!(100);
    assert_eq!(of(&facts(&event("credit_note.created", recorded)), "cn_1", F::OutOfBand), int(500));
    let voided = facts(&note("credit_note.voided", "issued"));
    assert_eq!(of(&voided, "cn_1", F::CreditStatus), text("void"));
}

#[test]
fn lines_are_read_in_the_old_and_the_new_place() {
    let old = json!({ "id": "il_1", "amount": 1200, "discount_amounts": [{ "amount": 200 }],
        "tax_amounts": [{ "amount": 100, "inclusive": true }, { "amount": 50, "inclusive": false }],
        "price": { "id": "price_1", "product": "prod_a" } });
    let new = json!({ "id": "il_1", "amount": 1200, "discount_amounts": [{ "amount": 200 }],
        "taxes": [{ "amount": 100, "tax_behavior": "inclusive" }, { "amount": 50, "tax_behavior": "exclusive" }],
        "pricing": { "type": "price_details", "price_details": { "price": "price_1", "product": "prod_a" } } });
    let invoice = |line: &Json, more: bool| {
        event(
            "invoice.paid",
            json!({ "id": "in_1", "object": "invoice", "status": "paid", "total": 1050,
            "lines": { "object": "list", "data": [line], "has_more": more } }),
        )
    };
    for line in [&old, &new] {
        let facts = facts(&invoice(line, false));
        assert_eq!(of(&facts, "in_1", F::Lines), text(r#"[["il_1","prod_a",900,150]]"#));
    }
    assert_eq!(of(&facts(&invoice(&old, true)), "in_1", F::Lines), None, "only the first page");
    let odd = json!({ "id": "il_1", "amount": "many" });
    assert_eq!(of(&facts(&invoice(&odd, false)), "in_1", F::Lines), None, "no half list is believed");
}

#[test]
fn what_was_paid_outside_of_stripe_is_said() {
    let body = event(
        "invoice.paid",
        json!({
            "id": "in_1", "object": "invoice", "status": "paid", "paid_out_of_band": true, "amount_due": 1000,
            "amount_paid_off_stripe": 400, "total": 1000,
            "payments": { "object": "list", "data": [{ "id": "inpay_1", "object": "invoice_payment", "status": "paid",
                "amount_paid": 400, "payment": { "type": "payment_record", "payment_record": "pr_1" } }] },
        }),
    );
    let facts = facts(&body);
    assert_eq!(of(&facts, "in_1", F::PaidOutOfBand), int(1));
    assert_eq!(of(&facts, "in_1", F::PaidOffStripe), int(400));
    assert_eq!(of(&facts, "inpay_1", F::PaymentType), text("payment_record"));
}

#[test]
fn an_invoice_says_how_much_came_past_stripe_only_by_a_word_for_it() {
    for (word, told) in [
        (json!({ "amount_paid_off_stripe": 0 }), int(1)),
        (json!({ "paid_out_of_band": false }), int(1)),
        (json!({ "amount_paid_off_stripe": null }), None),
        (json!({}), None),
    ] {
        let mut invoice = json!({ "id": "in_1", "object": "invoice", "status": "paid", "total": 1000 });
        invoice.as_object_mut().unwrap().extend(word.as_object().unwrap().clone());
        assert_eq!(of(&facts(&event("invoice.paid", invoice)), "in_1", F::OffStripeTold), told, "{word}");
    }
}

#[test]
fn an_invoice_that_is_voided_or_given_up_says_so() {
    for (type_, status) in [("invoice.voided", "void"), ("invoice.marked_uncollectible", "uncollectible")] {
        let facts = facts(&event(type_, json!({ "id": "in_1", "object": "invoice", "status": status })));
        assert_eq!(of(&facts, "in_1", F::InvoiceStatus), text(status));
    }
}
