//! The same story in nine eras of Stripe's API says the same.

#![allow(clippy::unwrap_used, reason = "a test fails loudly, in its helpers too")]

mod common;

use common::{World, groups, tell};
use serde_json::Value as Json;
use std::collections::BTreeSet;
use tributary_domain::fact::Field as F;
use tributary_stripe::story::{Era, Objects, Plot, payment_link, subscription, wrap};

/// What every era must say of the subscription story, whatever else it says.
const MUST: &[(&str, &[F])] = &[
    (
        "cs_test_x",
        &[
            F::Created,
            F::Mode,
            F::PaymentStatus,
            F::AmountTotal,
            F::AmountTax,
            F::AmountShipping,
            F::Currency,
            F::Customer,
            F::EmailHash,
            F::ClientReferenceId,
            F::Subscription,
        ],
    ),
    (
        "in_x1",
        &[
            F::Created,
            F::InvoiceStatus,
            F::PaidAt,
            F::Total,
            F::TotalExcludingTax,
            F::TaxTotal,
            F::AmountPaid,
            F::ShippingExcludingTax,
            F::Currency,
            F::Customer,
            F::EmailHash,
            F::Subscription,
            F::BillingReason,
        ],
    ),
    ("in_x2", &[F::InvoiceStatus, F::PaidAt, F::Total, F::TotalExcludingTax, F::AmountPaid, F::Subscription]),
    (
        "ch_x1",
        &[
            F::Created,
            F::ChargeStatus,
            F::Amount,
            F::AmountCaptured,
            F::AmountRefunded,
            F::Currency,
            F::Customer,
            F::PaymentIntent,
            F::EmailHash,
        ],
    ),
    ("pi_x1", &[F::IntentStatus, F::Amount, F::AmountReceived, F::LatestCharge, F::Customer]),
    ("cus_x", &[F::Created, F::EmailHash]),
];

fn plot() -> Plot {
    Plot::new("x")
}

/// Where two eras say the same field of the same object, they say the same. A null that an era cannot know
/// better (links that it has no place for) may stand against nothing, never against a value.
fn assert_agree(one: &World, other: &World, eras: (Era, Era)) {
    for (id, state) in one {
        let Some(twin) = other.get(id) else { continue };
        for (field, reading) in &state.fields {
            if let Some(there) = twin.fields.get(field) {
                assert_eq!(reading.value, there.value, "{id} {field:?} {eras:?}");
            }
        }
    }
}

#[test]
fn a_subscription_reads_the_same_in_every_era() {
    let worlds: Vec<_> = Era::ALL.iter().map(|era| (*era, tell(&subscription(*era, &plot())))).collect();
    for (era, world) in &worlds {
        for (id, fields) in MUST {
            for field in *fields {
                assert!(world[*id].fields.contains_key(field), "{era:?}: {id} does not say {field:?}");
            }
        }
        assert_eq!(world["in_x1"].int(F::TotalExcludingTax), Some(10_000));
        assert_eq!(world["in_x1"].int(F::TaxTotal), Some(2_000));
        assert_eq!(world["in_x1"].text(F::Subscription), Some("sub_x"));
        assert_eq!(world["in_x1"].text(F::InvoiceStatus), Some("paid"));
        assert_eq!(world["in_x1"].int(F::PaidAt), Some(1_780_000_000_000));
        assert_eq!(world["ch_x1"].int(F::AmountRefunded), Some(6_000));
        assert_eq!(world["ch_x2"].int(F::AmountRefunded), Some(0));
        for (other, there) in &worlds {
            assert_agree(world, there, (*era, *other));
        }
    }
}

#[test]
fn each_purchase_is_one_group_of_objects_in_every_era() {
    let ids = |list: &[&str]| list.iter().map(|id| (*id).to_owned()).collect::<BTreeSet<_>>();
    for era in Era::ALL {
        let world = tell(&subscription(era, &plot()));
        let groups = groups(&world);
        let of = |id: &str| groups.iter().find(|group| group.contains(id)).unwrap().clone();
        assert!(of("in_x1").is_superset(&ids(&["in_x1", "pi_x1", "ch_x1"])), "{era:?}");
        assert!(of("in_x2").is_superset(&ids(&["in_x2", "pi_x2", "ch_x2"])), "{era:?}");
        assert!(of("in_x1").is_disjoint(&of("in_x2")), "{era:?}");
        // the session of 2020 names no invoice: its subscription alone must not join sales
        assert_eq!(of("in_x1").contains("cs_test_x"), era != Era::Y2020, "{era:?}");
        assert_eq!(world.contains_key("re_x"), era == Era::Y2020 || era.has_refund_events(), "{era:?}");
        if world.contains_key("re_x") {
            assert!(of("in_x1").contains("re_x"), "{era:?}");
        }
    }
}

#[test]
fn a_payment_link_reads_the_same_in_every_era() {
    let worlds: Vec<_> = Era::ALL.iter().map(|era| (*era, tell(&payment_link(*era, &plot())))).collect();
    for (era, world) in &worlds {
        let session = &world["cs_test_x"];
        assert!(session.said_none(F::Customer), "{era:?}: a guest");
        assert_eq!(session.text(F::PaymentLink), Some("plink_x"), "{era:?}");
        assert_eq!(session.int(F::AmountTotal), Some(12_000), "{era:?}");
        let groups = groups(world);
        assert_eq!(groups.len(), 1, "{era:?}: {groups:?}");
        // absent is not null: only the old shape says that the charge has no invoice
        assert_eq!(world["ch_x1"].said_none(F::Invoice), !era.has_invoice_payments(), "{era:?}");
        assert_eq!(world["ch_x1"].fields.contains_key(&F::Invoice), !era.has_invoice_payments(), "{era:?}");
        for (other, there) in &worlds {
            assert_agree(world, there, (*era, *other));
        }
    }
}

#[test]
fn order_and_copies_do_not_matter() {
    for era in Era::ALL {
        let events = subscription(era, &plot());
        let told = tell(&events);
        let mut reversed: Vec<Json> = events.iter().rev().cloned().collect();
        assert_eq!(tell(&reversed), told, "{era:?}");
        reversed.extend(events.iter().step_by(2).cloned());
        reversed.rotate_left(3);
        assert_eq!(tell(&reversed), told, "{era:?}");
    }
}

/// A future version with the shapes of the newest era, new fields and new enum values reads the same.
#[test]
fn a_future_version_with_extra_fields_reads_the_same() {
    let told = tell(&subscription(Era::Dahlia, &plot()));
    let future: Vec<Json> = subscription(Era::Dahlia, &plot())
        .into_iter()
        .map(|mut event| {
            event["api_version"] = "2099-01-01.zzz".into();
            event["shiny"] = serde_json::json!({ "new": [1, 2.5, null] });
            event["data"]["object"]["shiny"] = serde_json::json!([{ "a": 1e300 }]);
            event["data"]["object"]["payment_method_types"] = "quantum".into();
            event
        })
        .collect();
    assert_eq!(tell(&future), told);
}

/// An account may leave old places null in an old version and fill the new ones.
#[test]
fn new_places_are_read_in_an_old_version() {
    let plot = plot();
    let objects = Objects { era: Era::Y2022, plot: &plot };
    let mut invoice = objects.invoice(&plot.purchase(1));
    for field in ["subscription", "payment_intent", "charge"] {
        invoice[field] = Json::Null;
    }
    invoice["parent"] = serde_json::json!({ "subscription_details": {
        "subscription": { "id": "sub_x", "object": "subscription" }, "metadata": { "partner_key": "ADA" } } });
    invoice["payments"] = serde_json::json!({ "object": "list", "has_more": false, "data": [
        { "id": "inpay_0", "status": "open", "payment": { "payment_intent": "pi_0" } },
        { "id": "inpay_x1", "status": "paid", "payment": { "payment_intent": { "id": "pi_x1", "object": "payment_intent" } } },
    ] });
    let world = tell(&[wrap("evt_1", "invoice.paid", "2022-11-15", 5, invoice)]);
    assert_eq!(world["in_x1"].text(F::Subscription), Some("sub_x"));
    assert_eq!(world["in_x1"].text(F::SubscriptionPartnerKey), Some("ADA"));
    assert_eq!(world["in_x1"].text(F::PaymentIntent), Some("pi_x1"));
    assert_eq!(world["inpay_0"].text(F::PaymentIntent), Some("pi_0"));
    assert_eq!(world["inpay_x1"].text(F::Invoice), Some("in_x1"));
}
