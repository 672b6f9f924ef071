//! Six versions of one object in all 720 orders: the newest stands, and a total that was seen never falls.

#![allow(clippy::unwrap_used, reason = "a test fails loudly, in its helpers too")]

mod common;

use common::{World, merge, understand};
use serde_json::{Value as Json, json};
use tributary_domain::fact::Field as F;
use tributary_domain::sale::{Members, read_sale};
use tributary_stripe::story::{Era, Objects, Plot, wrap};

/// An authorisation, its capture, and four refunds, each as Stripe shows the charge at that time.
fn versions() -> Vec<Json> {
    let plot = Plot::new("v");
    let objects = Objects { era: Era::Dahlia, plot: &plot };
    let purchase = plot.purchase(1);
    let steps = [
        ("charge.succeeded", false, 0, 0, "pending"),
        ("charge.captured", true, 12_000, 0, "first"),
        ("charge.refunded", true, 12_000, 1000, "second"),
        ("charge.refunded", true, 12_000, 2500, "third"),
        ("charge.refunded", true, 12_000, 2501, "fourth"),
        ("charge.refunded", true, 12_000, 6000, "ADA"),
    ];
    steps
        .iter()
        .enumerate()
        .map(|(n, (type_, captured, amount, refunded, partner))| {
            let mut charge = objects.charge(&purchase, false, *refunded);
            let change = json!({ "captured": captured, "amount_captured": amount, "invoice": null,
                "metadata": { "partner_key": partner } });
            charge.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            let at = purchase.at_s + i64::try_from(n).unwrap() * 60;
            wrap(&format!("evt_v{n}"), type_, "2026-03-25.dahlia", at, charge)
        })
        .collect()
}

fn orders(rest: &[usize], begun: &mut Vec<usize>, out: &mut Vec<Vec<usize>>) {
    if rest.is_empty() {
        out.push(begun.clone());
    }
    for (at, one) in rest.iter().enumerate() {
        begun.push(*one);
        orders(&[&rest[..at], &rest[at + 1..]].concat(), begun, out);
        begun.pop();
    }
}

#[test]
fn all_orders_of_six_versions_end_in_the_newest() {
    let told: Vec<_> = versions().iter().map(understand).collect();
    let mut all = Vec::new();
    orders(&[0, 1, 2, 3, 4, 5], &mut Vec::new(), &mut all);
    assert_eq!(all.len(), 720);
    let mut first = None;
    for order in all {
        let mut world = World::new();
        let (mut captured, mut refunded) = (0, 0);
        for at in &order {
            merge(&mut world, &told[*at].facts, &told[*at].envelope.id);
            let charge = &world["ch_v1"];
            // What was seen once is never unseen, whatever comes after it.
            let now =
                (charge.int(F::AmountCaptured).unwrap_or(0), charge.int(F::AmountRefunded).unwrap_or(0));
            assert!(now.1 >= refunded, "{order:?}: refunded fell from {refunded} to {}", now.1);
            (captured, refunded) = (captured.max(now.0), now.1);
        }
        let members: Members = world.iter().map(|(id, state)| (id.clone(), Some(state.clone()))).collect();
        let sale = read_sale(&members).unwrap();
        assert_eq!((captured, sale.captured, sale.refunded), (12_000, 12_000, 6000), "{order:?}");
        assert_eq!(world["ch_v1"].text(F::PartnerKey), Some("ADA"), "{order:?}");
        assert_eq!(*first.get_or_insert_with(|| sale.clone()), sale, "{order:?}");
    }
}
