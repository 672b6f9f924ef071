//! The sandbox's own account of what was sold, so that Tributary's sums can be checked against another's.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Query, State};
use axum::response::Response;
use serde::Serialize;
use serde_json::{Value, json};

use super::{Which, on_world};
use crate::params;
use crate::shared::Shared;
use crate::world::World;

/// One purchase. Amounts are minor units.
#[derive(Debug, Default, Serialize)]
struct Sale {
    /// Invoice, else PaymentIntent, else charge.
    root: String,
    payment_intents: Vec<String>,
    charges: Vec<String>,
    session: Option<String>,
    subscription: Option<String>,
    customer: Option<String>,
    email: Option<String>,
    client_reference_id: Option<String>,
    currency: String,
    /// When it was paid, Unix seconds.
    occurred_at: i64,
    total: i64,
    tax: i64,
    shipping: i64,
    captured: i64,
    refunded: i64,
    dispute_lost: i64,
}

#[derive(Debug, Default, Serialize)]
struct Sums {
    sales: u64,
    paid: i64,
    tax: i64,
    shipping: i64,
    refunded: i64,
    dispute_lost: i64,
    kept: i64,
}

/// `GET /_sandbox/books`
pub async fn get(State(shared): State<Arc<Shared>>, Query(which): Query<Which>) -> Response {
    on_world(&shared, &which, |world| {
        let sales = sales(world);
        let mut currencies: BTreeMap<String, Sums> = BTreeMap::new();
        for sale in &sales {
            let sums = currencies.entry(sale.currency.clone()).or_default();
            sums.sales += 1;
            sums.paid += sale.captured;
            sums.tax += sale.tax;
            sums.shipping += sale.shipping;
            sums.refunded += sale.refunded;
            sums.dispute_lost += sale.dispute_lost;
            sums.kept += sale.captured - sale.refunded - sale.dispute_lost;
        }
        Ok(json!({ "currencies": currencies, "sales": sales }))
    })
}

fn sales(world: &World) -> Vec<Sale> {
    let text = |object: &Value, path: &str| params::owned(object, path);
    let invoice_of: BTreeMap<String, String> = world
        .newest("invoice_payment")
        .filter_map(|p| Some((text(p, "payment.payment_intent")?, text(p, "invoice")?)))
        .collect();
    let sessions: Vec<&Value> = world.newest("checkout.session").collect();
    let mut by_link: BTreeMap<String, &Value> = BTreeMap::new();
    for session in sessions {
        for field in ["payment_intent", "invoice"] {
            if let Some(id) = text(session, field) {
                by_link.insert(id, session);
            }
        }
    }
    let mut sales: BTreeMap<String, Sale> = BTreeMap::new();
    for charge in world.newest("charge").filter(|c| params::int0(c, "amount_captured") > 0) {
        let (Some(id), intent) = (text(charge, "id"), text(charge, "payment_intent")) else { continue };
        let invoice = intent.as_ref().and_then(|i| invoice_of.get(i)).cloned();
        let root = invoice.clone().or_else(|| intent.clone()).unwrap_or_else(|| id.clone());
        let sale = sales.entry(root.clone()).or_default();
        let session =
            [Some(root.clone()), intent.clone()].into_iter().flatten().find_map(|i| by_link.get(&i));
        sale.root = root;
        sale.captured += params::int0(charge, "amount_captured");
        sale.refunded += sum(world, "refund", &id, |r| params::text(r, "status") == Some("succeeded"));
        sale.dispute_lost += sum(world, "dispute", &id, |d| params::text(d, "status") == Some("lost"));
        sale.currency = text(charge, "currency").unwrap_or_default();
        sale.customer = text(charge, "customer");
        sale.email = text(charge, "billing_details.email");
        sale.occurred_at = params::int0(charge, "created");
        sale.total += params::int0(charge, "amount_captured");
        sale.charges.push(id);
        sale.payment_intents.extend(intent);
        if let Some(session) = session {
            sale.session = text(session, "id");
            sale.client_reference_id = text(session, "client_reference_id");
            sale.tax = params::int0(session, "total_details.amount_tax");
            sale.shipping = params::int0(session, "total_details.amount_shipping");
        }
        if let Some(invoice) = invoice.and_then(|i| world.get("invoice", &i)) {
            sale.total = params::int0(invoice, "total");
            sale.tax = params::list(invoice, "total_taxes").iter().map(|t| params::int0(t, "amount")).sum();
            sale.shipping = params::int0(invoice, "amount_shipping");
            sale.occurred_at = params::int0(invoice, "status_transitions.paid_at");
            sale.subscription = text(invoice, "parent.subscription_details.subscription");
        }
    }
    sales.into_values().collect()
}

fn sum(world: &World, kind: &str, charge: &str, counts: impl Fn(&Value) -> bool) -> i64 {
    world
        .newest(kind)
        .filter(|o| params::text(o, "charge") == Some(charge) && counts(o))
        .map(|o| params::int0(o, "amount"))
        .sum()
}
