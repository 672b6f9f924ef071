//! Invoices: drafted, finalised, paid.

use serde_json::{Value, json};

use super::credit;
use super::intent::{self, Intent};
use crate::error::{ApiError, Res};
use crate::events::emit;
use crate::money::{self, Quote};
use crate::objects::lines::{self, Context};
use crate::openapi::skeleton::lay;
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
    finalise(world, &id, intent)?;
    Ok(id)
}

/// Opens a draft. The customer's credit pays first, a total below 0 becomes credit; what is left is asked of
/// `intent`, or of a new PaymentIntent.
///
/// # Errors
/// 404 if the customer is gone; 400 if the sandbox is full.
pub fn finalise(world: &mut World, id: &str, intent: Option<&str>) -> Res<()> {
    let draft = world.live("invoice", id, "invoice")?;
    let text = |field: &str| params::owned(&draft, field).unwrap_or_default();
    let (customer, currency) = (text("customer"), text("currency"));
    let total = params::int0(&draft, "total");
    let start = if intent.is_some() { 0 } else { credit::balance(world, &customer, &currency) };
    let owed = total.saturating_add(start);
    let (due, end) = (owed.max(0), owed.min(0));
    if end != start {
        let why = json!({ "type": "applied_to_invoice", "invoice": id });
        credit::book(world, &customer, end - start, &currency, why)?;
    }
    world.invoices_numbered += 1;
    let number = format!("SANDBOX-{:04}", world.invoices_numbered);
    let now = world.now();
    let url = format!("{}/invoice/{id}", world.base_url);
    world.change(
        "invoice",
        id,
        json!({
            "amount_due": due,
            "amount_remaining": due,
            "effective_at": now,
            "ending_balance": end,
            "starting_balance": start,
            "hosted_invoice_url": url,
            "invoice_pdf": format!("{url}/pdf"),
            "number": number,
            "status": "open",
            "status_transitions": { "finalized_at": now },
        }),
    )?;
    emit(world, "invoice.finalized", "invoice", id)?;
    if due == 0 {
        return close(world, id);
    }
    let intent = match intent {
        Some(intent) => intent.to_owned(),
        None => new_intent(world, &draft, due)?,
    };
    world.make(
        "invoice_payment",
        "inpay",
        json!({
            "amount_requested": due,
            "currency": currency,
            "invoice": id,
            "is_default": true,
            "payment": { "type": "payment_intent", "payment_intent": intent },
            "status": "open",
            "status_transitions": { "canceled_at": null, "paid_at": null },
        }),
    )?;
    Ok(())
}

fn new_intent(world: &mut World, invoice: &Value, due: i64) -> Res<String> {
    let customer = params::owned(invoice, "customer").unwrap_or_default();
    let buyer = world.live("customer", &customer, "customer")?;
    let description = match params::text(invoice, "billing_reason") {
        Some("subscription_create") => "Subscription creation",
        Some("manual") => "Payment for Invoice",
        _ => "Subscription update",
    };
    intent::create(
        world,
        &Intent {
            amount: due,
            currency: params::owned(invoice, "currency").unwrap_or_default(),
            customer: Some(customer),
            description: Some(description.to_owned()),
            email: params::owned(&buyer, "email"),
            metadata: json!({}),
            manual_capture: false,
        },
    )
}

/// Writes a draft and returns its id; it tells nobody yet.
///
/// # Errors
/// 404 if the customer is gone; 400 if the sandbox is full.
pub fn draft(world: &mut World, bill: &Bill) -> Res<String> {
    let buyer = world.live("customer", &bill.customer, "customer")?;
    let id = world.ids.next("in");
    let quote = &bill.quote;
    let parent = bill.subscription.as_ref().map(|(subscription, _)| {
        json!({
            "type": "subscription_details",
            "quote_details": null,
            "subscription_details": { "metadata": bill.subscription_metadata, "subscription": subscription },
        })
    });
    let mut over = json!({
        "id": id,
        "account_country": "DE",
        "account_name": "Sandbox shop",
        "amount_overpaid": 0,
        "amount_paid": 0,
        "amount_paid_off_stripe": 0,
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
        "issuer": { "type": "self" },
        "metadata": bill.metadata,
        "parent": parent,
        "period_end": bill.period.0,
        "period_start": bill.period.0,
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
        "shipping_cost": shipping::cost(quote.shipping),
        "starting_balance": 0,
        "status": "draft",
        "total_pretax_credit_amounts": [],
    });
    lay(&mut over, amounts(world, bill, &id));
    let mut invoice = world.build("invoice", "in", over);
    if let Some(map) = invoice.as_object_mut() {
        map.remove("confirmation_secret");
        map.remove("customer_account");
    }
    world.keep("invoice", invoice)
}

/// Lines and sums of an invoice.
pub fn amounts(world: &mut World, bill: &Bill, id: &str) -> Value {
    let quote = &bill.quote;
    let context = Context {
        invoice: id,
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
    json!({
        "amount_due": total.max(0),
        "amount_remaining": total.max(0),
        "discounts": discounts,
        "lines": { "data": data, "has_more": false, "url": format!("/v1/invoices/{id}/lines") },
        "subtotal": quote.subtotal(),
        "subtotal_excluding_tax": quote.subtotal() - quote.inclusive_tax(),
        "total": total,
        "total_discount_amounts": discounts.iter().map(|d| json!({ "amount": quote.discount(), "discount": d })).collect::<Vec<_>>(),
        "total_excluding_tax": total - quote.tax(),
        "total_taxes": money::taxes(&all),
    })
}

/// The payment that an invoice waits for: (invoice payment, PaymentIntent).
///
/// # Errors
/// 400 if it waits for none.
pub fn awaited(world: &World, invoice: &str) -> Res<(String, String)> {
    world
        .related("invoice_payment", "invoice", invoice)
        .find(|p| params::text(p, "status") == Some("open"))
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
        .related("invoice_payment", "invoice", invoice)
        .find(|p| params::text(p, "status") == Some("paid"))?;
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
