//! Observations: objects, lists, empty lists and 404s become facts.

#![allow(clippy::unwrap_used, reason = "a test fails loudly, in its helpers too")]

mod common;

use common::hash;
use tributary_domain::fact::{Field as F, Kind, Value};
use tributary_stripe::facts::{Answer, Answered, Fetch, Outcome, facts_of_answer};
use tributary_stripe::story::{Era, Objects, Plot};

const AT: i64 = 1_790_000_000_123;

fn answer(fetch: &Fetch, body: &str) -> Answered {
    facts_of_answer(fetch, Answer::Body(body.as_bytes()), AT, &hash).unwrap()
}

fn said(answered: &Answered, id: &str, field: F) -> Option<Value> {
    answered.facts.iter().find(|fact| fact.object_id == id)?.fields.get(&field).cloned()
}

#[test]
fn each_kind_of_object_is_understood_at_the_time_of_its_answer() {
    let plot = Plot::new("a");
    let objects = Objects { era: Era::Dahlia, plot: &plot };
    let one = plot.purchase(1);
    for (kind, id, object) in [
        (Kind::Invoice, "in_a1", objects.invoice(&one)),
        (Kind::PaymentIntent, "pi_a1", objects.payment_intent(&one, true)),
        (Kind::Charge, "ch_a1", objects.charge(&one, true, 10)),
        (Kind::Session, "cs_test_a", objects.session(&one, true)),
        (Kind::InvoicePayment, "inpay_a1", objects.invoice_payment(&one)),
        (Kind::Refund, "re_a", objects.refund(&one, "failed")),
        (Kind::Customer, "cus_a", objects.customer()),
    ] {
        let fetch = Fetch::Object { kind, id: id.to_owned() };
        let answered = answer(&fetch, &object.to_string());
        assert_eq!(answered.outcome, Outcome::Relevant, "{kind:?}");
        let fact = answered.facts.iter().find(|fact| fact.object_id == id).unwrap();
        assert_eq!((fact.kind, fact.at), (kind, AT));
        assert_eq!(Fetch::from_parts(fetch.name(), fetch.id()), Some(fetch));
    }
}

#[test]
fn only_a_word_about_a_paid_invoice_says_what_came_past_stripe() {
    let fetch = Fetch::Object { kind: Kind::Invoice, id: "in_1".to_owned() };
    for (body, told) in [
        (
            r#"{"id":"in_1","object":"invoice","status":"paid","amount_paid_off_stripe":0}"#,
            Some(Value::Int(1)),
        ),
        // Silence is never taken for nothing.
        (r#"{"id":"in_1","object":"invoice","status":"paid"}"#, None),
        (r#"{"id":"in_1","object":"invoice","total":5}"#, None),
        (r#"{"id":"in_1","object":"invoice","status":"open"}"#, None),
        (r#"{"id":"in_1","object":"invoice","status":"open","amount_paid_off_stripe":0}"#, None),
    ] {
        assert_eq!(said(&answer(&fetch, body), "in_1", F::OffStripeTold), told, "{body}");
    }
}

#[test]
fn a_404_of_an_object_is_a_fact_and_of_a_list_none() {
    let fetch = Fetch::Object { kind: Kind::Invoice, id: "in_1".to_owned() };
    let answered = facts_of_answer(&fetch, Answer::Missing, AT, &hash).unwrap();
    assert_eq!(said(&answered, "in_1", F::Missing), Some(Value::Int(1)));
    let fetch = Fetch::SessionsOf { payment_intent: "pi_1".to_owned() };
    let answered = facts_of_answer(&fetch, Answer::Missing, AT, &hash).unwrap();
    assert!(answered.facts.is_empty() && matches!(answered.outcome, Outcome::Ignored { .. }));
}

#[test]
fn empty_lists_are_facts_about_the_payment_intent() {
    let empty = r#"{"object":"list","data":[],"has_more":false,"url":"/v1/x"}"#;
    let payments = Fetch::InvoicePaymentsOf { payment_intent: "pi_1".to_owned() };
    assert_eq!(said(&answer(&payments, empty), "pi_1", F::NoInvoicePayment), Some(Value::Int(1)));
    let sessions = Fetch::SessionsOf { payment_intent: "pi_1".to_owned() };
    assert_eq!(said(&answer(&sessions, empty), "pi_1", F::NoSession), Some(Value::Int(1)));
    let refunds = Fetch::RefundsOf { charge: "ch_1".to_owned() };
    let checkouts = Fetch::CheckoutsOf { customer: "cus_1".to_owned() };
    assert_eq!(Fetch::from_parts(checkouts.name(), checkouts.id()).as_ref(), Some(&checkouts));
    assert!(answer(&checkouts, r#"{"object":"list","data":[],"has_more":false}"#).facts.is_empty());
    assert_eq!(said(&answer(&refunds, empty), "ch_1", F::RefundsListedAt), Some(Value::Int(AT)));
    let more = empty.replace("false", "true");
    for fetch in [&payments, &sessions, &refunds] {
        assert!(answer(fetch, &more).facts.is_empty(), "a page that goes on proves nothing");
        assert!(answer(fetch, &more).has_more);
        assert_eq!(Fetch::from_parts(fetch.name(), fetch.id()).as_ref(), Some(fetch));
    }
}

#[test]
fn full_lists_give_their_items_and_no_emptiness() {
    let body = r#"{"object":"list","data":[{"id":"inpay_1","invoice":"in_1","status":"paid","amount_paid":5,"payment":{"payment_intent":"pi_1"}}],"has_more":false}"#;
    let answered = answer(&Fetch::InvoicePaymentsOf { payment_intent: "pi_1".to_owned() }, body);
    assert_eq!(said(&answered, "inpay_1", F::Invoice), Some(Value::from("in_1")));
    assert_eq!(said(&answered, "inpay_1", F::PaymentIntent), Some(Value::from("pi_1")));
    assert_eq!(said(&answered, "pi_1", F::NoInvoicePayment), None);
    let body = r#"{"object":"list","data":[{"id":"re_1","amount":5,"status":"succeeded","charge":"ch_1"},{"id":"re_2","amount":6,"status":"failed","charge":"ch_1"}],"has_more":false}"#;
    let answered = answer(&Fetch::RefundsOf { charge: "ch_1".to_owned() }, body);
    assert_eq!(said(&answered, "re_2", F::RefundStatus), Some(Value::from("failed")));
    assert_eq!(said(&answered, "ch_1", F::RefundsListedAt), Some(Value::Int(AT)));
}

#[test]
fn what_is_no_answer_is_an_error() {
    let list = Fetch::SessionsOf { payment_intent: "pi_1".to_owned() };
    let object = Fetch::Object { kind: Kind::Charge, id: "ch_1".to_owned() };
    for body in ["", "[]", "null", "<html>", r#""text""#, "{"] {
        for fetch in [&list, &object] {
            assert!(facts_of_answer(fetch, Answer::Body(body.as_bytes()), AT, &hash).is_err(), "{body}");
        }
    }
    for body in ["{}", r#"{"data":null}"#, r#"{"data":{}}"#] {
        assert!(facts_of_answer(&list, Answer::Body(body.as_bytes()), AT, &hash).is_err(), "{body}");
    }
    assert_eq!(Fetch::from_parts("api_transaction", "x"), None);
    assert_eq!(Fetch::from_parts("nonsense", "x"), None);
}
