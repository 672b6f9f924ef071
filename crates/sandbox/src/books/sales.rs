//! Purchases, each once, whatever number of Stripe objects tell of it.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;
use serde_json::Value;

use crate::params;
use crate::world::World;

/// One purchase. Amounts are minor units.
#[derive(Debug, Default, Clone, Serialize)]
pub struct Sale {
    /// Invoice, else PaymentIntent, else charge.
    pub root: String,
    /// `pi_…`
    pub payment_intents: Vec<String>,
    /// `ch_…` or `py_…`
    pub charges: Vec<String>,
    /// `cs_…`
    pub session: Option<String>,
    /// `sub_…`
    pub subscription: Option<String>,
    /// `cus_…`, `None` for a guest.
    pub customer: Option<String>,
    /// Who paid.
    pub email: Option<String>,
    /// The merchant's reference of the checkout.
    pub client_reference_id: Option<String>,
    /// Promotion codes (`promo_…`) that it came with.
    pub codes: Vec<String>,
    /// `partner_key` in the metadata of the payment.
    pub partner_key: Option<String>,
    /// Lower case.
    pub currency: String,
    /// When it was paid, Unix seconds.
    pub occurred_at: i64,
    /// What it cost, tax and shipping included.
    pub total: i64,
    /// Tax in the total.
    pub tax: i64,
    /// Shipping in the total.
    pub shipping: i64,
    /// Paid of the total, by money and not by credit.
    pub paid: i64,
    /// Came in through Stripe, or past it.
    pub captured: i64,
    /// Went back, and did not fail on its way.
    pub refunded: i64,
    /// Taken by lost disputes.
    pub dispute_lost: i64,
    /// Given back past Stripe, by credit notes.
    pub out_of_band: i64,
}

impl Sale {
    /// What of the captured money stays.
    pub fn kept(&self) -> i64 {
        self.captured - (self.refunded + self.dispute_lost + self.out_of_band).min(self.captured)
    }
}

fn text(object: &Value, path: &str) -> Option<String> {
    params::owned(object, path)
}

/// Sums of other objects by what they belong to.
#[derive(Default)]
struct Sums {
    refunded: HashMap<String, i64>,
    lost: HashMap<String, i64>,
    noted: HashMap<String, i64>,
}

impl Sums {
    fn of(world: &World) -> Self {
        let mut sums = Self::default();
        let add = |into: &mut HashMap<String, i64>, key: Option<String>, amount: i64| {
            *into.entry(key.unwrap_or_default()).or_default() += amount;
        };
        // A refund without a movement of the balance released an authorisation: no money came, none went back.
        for refund in world.newest("refund").filter(|r| params::at(r, "balance_transaction").is_some()) {
            if matches!(params::text(refund, "status"), Some("succeeded" | "pending")) {
                add(&mut sums.refunded, text(refund, "charge"), params::int0(refund, "amount"));
            }
        }
        for dispute in world.newest("dispute").filter(|d| params::text(d, "status") == Some("lost")) {
            add(&mut sums.lost, text(dispute, "charge"), params::int0(dispute, "amount"));
        }
        for note in world.newest("credit_note").filter(|n| params::text(n, "status") == Some("issued")) {
            add(&mut sums.noted, text(note, "invoice"), params::int0(note, "out_of_band_amount"));
        }
        sums
    }
}

/// Every purchase that brought money, by its root.
pub fn sales(world: &World) -> Vec<Sale> {
    let sums = Sums::of(world);
    let invoice_of: HashMap<String, String> = world
        .newest("invoice_payment")
        .filter(|p| params::text(p, "status") == Some("paid"))
        .filter_map(|p| Some((text(p, "payment.payment_intent")?, text(p, "invoice")?)))
        .collect();
    let mut session_of: HashMap<String, &Value> = HashMap::new();
    for session in world.newest("checkout.session") {
        for field in ["payment_intent", "invoice"] {
            if let Some(id) = text(session, field) {
                session_of.insert(id, session);
            }
        }
    }
    let mut sales: BTreeMap<String, Sale> = BTreeMap::new();
    for invoice in world.newest("invoice") {
        if let Some(sale) = of_invoice(world, invoice) {
            sales.insert(sale.root.clone(), sale);
        }
    }
    let came =
        |c: &&Value| params::int0(c, "amount_captured") > 0 && params::text(c, "status") == Some("succeeded");
    for charge in world.newest("charge").filter(came) {
        let Some(id) = text(charge, "id") else { continue };
        let intent = text(charge, "payment_intent");
        let invoice = intent.as_ref().and_then(|i| invoice_of.get(i));
        let root = invoice.or(intent.as_ref()).unwrap_or(&id).clone();
        let session = [Some(&root), intent.as_ref()].into_iter().flatten().find_map(|i| session_of.get(i));
        let sale = sales.entry(root.clone()).or_insert_with(|| alone(charge, &root, session.copied()));
        sale.captured += params::int0(charge, "amount_captured");
        sale.refunded += sums.refunded.get(&id).copied().unwrap_or_default();
        sale.dispute_lost += sums.lost.get(&id).copied().unwrap_or_default();
        sale.email = sale.email.take().or_else(|| text(charge, "billing_details.email"));
        let named = || {
            let intent = intent.as_ref().and_then(|i| world.get("payment_intent", i));
            intent
                .and_then(|i| text(i, "metadata.partner_key"))
                .or_else(|| text(charge, "metadata.partner_key"))
        };
        sale.partner_key = sale.partner_key.take().or_else(named);
        if let Some(session) = session {
            sale.session = text(session, "id");
            sale.client_reference_id = text(session, "client_reference_id");
            sale.codes.extend(codes(world, session));
            sale.partner_key = sale.partner_key.take().or_else(|| text(session, "metadata.partner_key"));
        }
        sale.charges.push(id);
        sale.payment_intents.extend(intent);
    }
    for sale in sales.values_mut() {
        sale.out_of_band = sums.noted.get(&sale.root).copied().unwrap_or_default();
        if sale.charges.is_empty() {
            sale.captured = sale.paid;
        }
        if !sale.root.starts_with("in_") {
            sale.paid = sale.captured.min(sale.total);
        }
    }
    sales.into_values().collect()
}

/// The promotion codes behind the discounts of a session or an invoice.
pub fn codes(world: &World, object: &Value) -> Vec<String> {
    let of = |one: &Value| match one.as_str() {
        Some(id) => text(world.get("discount", id)?, "promotion_code"),
        None => text(one, "promotion_code"),
    };
    params::list(object, "discounts").iter().filter_map(of).collect()
}

/// A paid invoice that cost something.
fn of_invoice(world: &World, invoice: &Value) -> Option<Sale> {
    let (total, paid) = (params::int0(invoice, "total"), params::int0(invoice, "amount_paid"));
    if params::text(invoice, "status") != Some("paid") || total <= 0 || paid <= 0 {
        return None;
    }
    let details = "parent.subscription_details";
    Some(Sale {
        root: text(invoice, "id")?,
        subscription: text(invoice, &format!("{details}.subscription")),
        codes: codes(world, invoice),
        customer: text(invoice, "customer"),
        email: text(invoice, "customer").and_then(|c| text(world.get("customer", &c)?, "email")),
        partner_key: text(invoice, "metadata.partner_key")
            .or_else(|| text(invoice, &format!("{details}.metadata.partner_key"))),
        currency: text(invoice, "currency").unwrap_or_default(),
        occurred_at: params::int0(invoice, "status_transitions.paid_at"),
        total,
        tax: params::list(invoice, "total_taxes").iter().map(|t| params::int0(t, "amount")).sum(),
        shipping: params::int0(invoice, "amount_shipping"),
        paid: paid.min(total),
        ..Sale::default()
    })
}

/// A charge without an invoice, from a checkout or on its own.
fn alone(charge: &Value, root: &str, session: Option<&Value>) -> Sale {
    let sum = |path: &str| session.map(|s| params::int0(s, path));
    Sale {
        root: root.to_owned(),
        customer: text(charge, "customer"),
        currency: text(charge, "currency").unwrap_or_default(),
        occurred_at: params::int0(charge, "created"),
        total: sum("amount_total").unwrap_or_else(|| params::int0(charge, "amount_captured")),
        tax: sum("total_details.amount_tax").unwrap_or_default(),
        shipping: sum("total_details.amount_shipping").unwrap_or_default(),
        ..Sale::default()
    }
}
