//! Invoices: drafted, finalised, paid.

use serde_json::{Value, json};

use super::intent::{self, Intent};
use crate::error::{ApiError, Res};
use crate::events::emit;
use crate::money::{self, Quote};
use crate::objects::lines::{self, Context};
use crate::params;
use crate::routes::shipping;
use crate::world::World;

/// An invoice to write.
#[derive(Debug, Clone)]
pub struct Bill {
    /// Stripe customer.
    pub customer: String,
    /// What it costs.
    pub quote: Quote,
    /// `billing_reason`.
    pub reason: &'static str,
    /// Start and end of the time that is paid for.
    pub period: (i64, i64),
    /// Subscription and its items, one per line.
    pub subscription: Option<(String, Vec<String>)>,
    /// Metadata of the subscription, shown under `parent`.
    pub subscription_metadata: Value,
    /// Metadata of the invoice.
    pub metadata: Value,
    /// The discount (`di_…`).
    pub discount: Option<String>,
}

/// Drafts an invoice and finalises it. What costs nothing is paid at once; otherwise `intent`, or a new
/// PaymentIntent, is to pay it. Returns the invoice's id.
///
/// # Errors
/// 404 if the customer is gone; 400 if the sandbox is full.
pub fn issue(world: &mut World, bill: &Bill, intent: Option<&str>) -> Res<String> {
    let id = draft(world, bill)?;
    emit(world, "invoice.created", "invoice", &id)?;
    world.invoices_numbered += 1;
    let number = format!("SANDBOX-{:04}", world.invoices_numbered);
    let now = world.now();
    let url = format!("{}/invoice/{id}", world.base_url);
    world.change(
        "invoice",
        &id,
        json!({
            "effective_at": now,
            "ending_balance": 0,
            "hosted_invoice_url": url,
            "invoice_pdf": format!("{url}/pdf"),
            "number": number,
            "status": "open",
            "status_transitions": { "finalized_at": now },
        }),
    )?;
    emit(world, "invoice.finalized", "invoice", &id)?;
    let due = bill.quote.total();
    if due == 0 {
        close(world, &id)?;
        return Ok(id);
    }
    let intent = match intent {
        Some(intent) => intent.to_owned(),
        None => new_intent(world, bill)?,
    };
    world.make(
        "invoice_payment",
        "inpay",
        json!({
            "amount_requested": due,
            "currency": bill.quote.currency,
            "invoice": id,
            "is_default": true,
            "payment": { "type": "payment_intent", "payment_intent": intent },
            "status": "open",
            "status_transitions": { "canceled_at": null, "paid_at": null },
        }),
    )?;
    Ok(id)
}

fn new_intent(world: &mut World, bill: &Bill) -> Res<String> {
    let buyer = world.live("customer", &bill.customer, "customer")?;
    let description =
        if bill.reason == "subscription_cycle" { "Subscription update" } else { "Subscription creation" };
    intent::create(
        world,
        &Intent {
            amount: bill.quote.total(),
            currency: bill.quote.currency.clone(),
            customer: Some(bill.customer.clone()),
            description: Some(description.to_owned()),
            email: params::owned(&buyer, "email"),
            metadata: json!({}),
            manual_capture: false,
        },
    )
}

fn draft(world: &mut World, bill: &Bill) -> Res<String> {
    let buyer = world.live("customer", &bill.customer, "customer")?;
    let id = world.ids.next("in");
    let quote = &bill.quote;
    let context = Context {
        invoice: &id,
        currency: &quote.currency,
        period: bill.period,
        subscription: bill.subscription.as_ref().map(|(s, items)| (s.as_str(), items.as_slice())),
        metadata: &bill.subscription_metadata,
        discount: bill.discount.as_deref(),
    };
    let data: Vec<Value> =
        quote.lines.iter().enumerate().map(|(at, l)| lines::line(world, &context, at, l)).collect();
    let total = quote.total();
    let all: Vec<&money::Line> = quote.lines.iter().collect();
    let discounts: Vec<&str> =
        bill.discount.as_deref().into_iter().filter(|_| quote.discount() > 0).collect();
    let parent = bill.subscription.as_ref().map(|(subscription, _)| {
        json!({
            "type": "subscription_details",
            "quote_details": null,
            "subscription_details": { "metadata": bill.subscription_metadata, "subscription": subscription },
        })
    });
    let over = json!({
        "id": id,
        "account_country": "DE",
        "account_name": "Sandbox shop",
        "amount_due": total,
        "amount_overpaid": 0,
        "amount_paid": 0,
        "amount_paid_off_stripe": 0,
        "amount_remaining": total,
        "amount_shipping": quote.shipping,
        "attempt_count": 0,
        "auto_advance": true,
        "billing_reason": bill.reason,
        "collection_method": "charge_automatically",
        "currency": quote.currency,
        "customer": bill.customer,
        "customer_email": buyer["email"],
        "customer_name": buyer["name"],
        "customer_tax_exempt": "none",
        "customer_tax_ids": [],
        "discounts": discounts,
        "issuer": { "type": "self" },
        "lines": { "data": data, "has_more": false, "url": format!("/v1/invoices/{id}/lines") },
        "metadata": bill.metadata,
        "parent": parent,
        "period_end": bill.period.0,
        "period_start": bill.period.0,
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
        "shipping_cost": shipping::cost(quote.shipping),
        "starting_balance": 0,
        "status": "draft",
        "subtotal": quote.subtotal(),
        "subtotal_excluding_tax": quote.subtotal() - quote.inclusive_tax(),
        "total": total,
        "total_discount_amounts": discounts.iter().map(|d| json!({ "amount": quote.discount(), "discount": d })).collect::<Vec<_>>(),
        "total_excluding_tax": total - quote.tax(),
        "total_pretax_credit_amounts": [],
        "total_taxes": money::taxes(&all),
    });
    let mut invoice = world.build("invoice", "in", over);
    if let Some(map) = invoice.as_object_mut() {
        map.remove("confirmation_secret");
        map.remove("customer_account");
    }
    world.keep("invoice", invoice)
}

/// The payment that an invoice waits for: (invoice payment, PaymentIntent).
///
/// # Errors
/// 400 if it waits for none.
pub fn awaited(world: &World, invoice: &str) -> Res<(String, String)> {
    world
        .newest("invoice_payment")
        .find(|p| params::text(p, "invoice") == Some(invoice) && params::text(p, "status") == Some("open"))
        .and_then(|p| Some((params::owned(p, "id")?, params::owned(p, "payment.payment_intent")?)))
        .ok_or_else(|| ApiError::bad(format!("Invoice {invoice} waits for no payment.")))
}

/// Charges the PaymentIntent of an open invoice and closes the invoice.
///
/// # Errors
/// 400 if it waits for no payment.
pub fn pay(world: &mut World, invoice: &str) -> Res<()> {
    let (_, intent) = awaited(world, invoice)?;
    intent::succeed(world, &intent)?;
    paid(world, invoice)
}

/// Closes an open invoice whose PaymentIntent went through.
///
/// # Errors
/// 400 if it waits for no payment.
pub fn paid(world: &mut World, invoice: &str) -> Res<()> {
    let (payment, _) = awaited(world, invoice)?;
    let now = world.now();
    let due = params::int0(&world.live("invoice", invoice, "invoice")?, "amount_due");
    world.change(
        "invoice_payment",
        &payment,
        json!({ "status": "paid", "amount_paid": due, "status_transitions": { "paid_at": now } }),
    )?;
    close(world, invoice)?;
    emit(world, "invoice_payment.paid", "invoice_payment", &payment)
}

fn close(world: &mut World, invoice: &str) -> Res<()> {
    let now = world.now();
    let due = params::int0(&world.live("invoice", invoice, "invoice")?, "amount_due");
    world.change(
        "invoice",
        invoice,
        json!({
            "amount_paid": due,
            "amount_remaining": 0,
            "attempt_count": i32::from(due > 0),
            "attempted": true,
            "auto_advance": false,
            "status": "paid",
            "status_transitions": { "paid_at": now },
        }),
    )?;
    emit(world, "invoice.paid", "invoice", invoice)?;
    emit(world, "invoice.payment_succeeded", "invoice", invoice)
}

/// An open invoice costs less (or, below 0, more) than it said; its payment asks for the new amount.
///
/// # Errors
/// 404 for an unknown invoice.
pub fn owe_less(world: &mut World, invoice: &str, amount: i64) -> Res<()> {
    let found = world.live("invoice", invoice, "invoice")?;
    let due = params::int0(&found, "amount_due") - amount;
    let remaining = params::int0(&found, "amount_remaining") - amount;
    world.change("invoice", invoice, json!({ "amount_due": due, "amount_remaining": remaining }))?;
    if let Ok((payment, intent)) = awaited(world, invoice)
        && due > 0
    {
        world.change("invoice_payment", &payment, json!({ "amount_requested": due }))?;
        world.change("payment_intent", &intent, json!({ "amount": due }))?;
    }
    Ok(())
}

/// An open invoice of which nothing is left to pay is paid.
///
/// # Errors
/// 404 for an unknown invoice.
pub fn close_if_nothing_is_due(world: &mut World, invoice: &str) -> Res<()> {
    if params::int0(&world.live("invoice", invoice, "invoice")?, "amount_remaining") > 0 {
        return Ok(());
    }
    give_up_payment(world, invoice)?;
    close(world, invoice)
}

/// The payment that an invoice waited for is not needed any more.
fn give_up_payment(world: &mut World, invoice: &str) -> Res<()> {
    let Ok((payment, intent)) = awaited(world, invoice) else { return Ok(()) };
    let now = world.now();
    world.change(
        "invoice_payment",
        &payment,
        json!({ "status": "canceled", "status_transitions": { "canceled_at": now } }),
    )?;
    world.change("payment_intent", &intent, json!({ "status": "canceled", "canceled_at": now }))?;
    emit(world, "payment_intent.canceled", "payment_intent", &intent)
}

/// The merchant was paid in a way that Stripe does not see.
///
/// # Errors
/// 400 for an invoice that is not open.
pub fn paid_elsewhere(world: &mut World, invoice: &str) -> Res<()> {
    let found = world.live("invoice", invoice, "invoice")?;
    if params::text(&found, "status") != Some("open") {
        return Err(ApiError::bad("Only an open invoice can be paid."));
    }
    give_up_payment(world, invoice)?;
    world.change("invoice", invoice, json!({ "amount_paid_off_stripe": found["amount_remaining"] }))?;
    close(world, invoice)
}

/// The charge that paid an invoice.
pub fn charge_of(world: &World, invoice: &str) -> Option<String> {
    let payment = world
        .newest("invoice_payment")
        .find(|p| params::text(p, "invoice") == Some(invoice) && params::text(p, "status") == Some("paid"))?;
    let intent = params::text(payment, "payment.payment_intent")?;
    params::owned(world.get("payment_intent", intent)?, "latest_charge")
}

/// The payment of an open invoice was refused.
///
/// # Errors
/// 400 if it waits for no payment.
pub fn fail(world: &mut World, invoice: &str) -> Res<()> {
    let (_, intent) = awaited(world, invoice)?;
    intent::fail(world, &intent, "payment_method_provider_decline")?;
    world.change("invoice", invoice, json!({ "attempt_count": 1, "attempted": true }))?;
    emit(world, "invoice.payment_failed", "invoice", invoice)
}
