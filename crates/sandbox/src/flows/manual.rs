//! Invoices that the merchant writes by hand: items, a draft, its finalisation.

use serde_json::{Value, json};

use super::billing::{self, Bill};
use crate::error::{ApiError, Res};
use crate::events::emit;
use crate::money::{self, Line, Quote};
use crate::params;
use crate::world::World;

/// Unless the call says another.
const DAYS_UNTIL_DUE: i64 = 30;

/// Writes a draft from `POST /v1/invoices`; with `pending_invoice_items_behavior=include` it takes the customer's
/// items that wait.
///
/// # Errors
/// 404 for an unknown customer.
pub fn create(world: &mut World, given: &Value) -> Res<String> {
    let customer = customer(world, given)?;
    let waiting: Vec<Value> = if params::text(given, "pending_invoice_items_behavior") == Some("include") {
        let mut all: Vec<Value> = world
            .related("invoiceitem", "customer", &customer)
            .filter(|i| params::at(i, "invoice").is_none())
            .cloned()
            .collect();
        all.reverse();
        all
    } else {
        Vec::new()
    };
    let currency = params::owned(given, "currency")
        .or_else(|| waiting.first().and_then(|i| params::owned(i, "currency")))
        .or_else(|| world.get("customer", &customer).and_then(|c| params::owned(c, "currency")))
        .unwrap_or_else(|| "eur".to_owned())
        .to_lowercase();
    let now = world.now();
    let bill = Bill {
        customer,
        quote: Quote { currency, lines: Vec::new(), shipping: 0 },
        reason: "manual",
        period: (now, now),
        subscription: None,
        subscription_metadata: json!({}),
        metadata: params::merged_metadata(&json!({}), given.get("metadata")),
        discount: None,
    };
    let id = billing::draft(world, &bill)?;
    world.drafts.insert(id.clone(), bill);
    if params::text(given, "collection_method") == Some("send_invoice") {
        let due = now + 86_400 * params::int(given, "days_until_due").unwrap_or(DAYS_UNTIL_DUE);
        world.change("invoice", &id, json!({ "collection_method": "send_invoice", "due_date": due }))?;
    }
    world.change(
        "invoice",
        &id,
        json!({ "auto_advance": params::flag(given, "auto_advance"), "description": params::text(given, "description") }),
    )?;
    for item in waiting {
        put(world, &id, &item)?;
    }
    emit(world, "invoice.created", "invoice", &id)?;
    Ok(id)
}

fn customer(world: &World, given: &Value) -> Res<String> {
    let customer = params::owned(given, "customer").ok_or_else(|| {
        ApiError::param("parameter_missing", "customer", "Missing required param: customer.")
    })?;
    world.live("customer", &customer, "customer")?;
    Ok(customer)
}

/// Writes an item from `POST /v1/invoiceitems`, on a draft or waiting for one.
///
/// # Errors
/// 404 for an unknown customer, price or invoice; 400 for an invoice that is no draft, or no amount at all.
pub fn item(world: &mut World, given: &Value) -> Res<String> {
    let customer = customer(world, given)?;
    let quantity = params::int(given, "quantity").unwrap_or(1);
    let price = match (params::owned(given, "pricing.price"), params::int(given, "amount")) {
        (Some(price), None) => price,
        (None, Some(amount)) => own_price(world, given, amount)?,
        _ => return Err(ApiError::bad("An invoice item needs exactly one of: amount, pricing[price].")),
    };
    let line = money::line_of(world, &price, quantity)?;
    let currency = params::owned(&world.live("price", &price, "price")?, "currency").unwrap_or_default();
    let now = world.now();
    let id = world.make(
        "invoiceitem",
        "ii",
        json!({
            "amount": line.subtotal,
            "currency": currency,
            "customer": customer,
            "date": now,
            "description": params::text(given, "description").unwrap_or(&line.description),
            "discountable": true,
            "discounts": [],
            "net_amount": line.subtotal,
            "parent": null,
            "period": { "start": now, "end": now },
            "pricing": {
                "type": "price_details",
                "price_details": { "price": price, "product": line.product },
                "unit_amount_decimal": line.unit.to_string(),
            },
            "proration": false,
            "quantity": quantity,
            "quantity_decimal": quantity.to_string(),
            "tax_rates": [],
        }),
    )?;
    emit(world, "invoiceitem.created", "invoiceitem", &id)?;
    if let Some(invoice) = params::owned(given, "invoice") {
        let item = world.live("invoiceitem", &id, "id")?;
        put(world, &invoice, &item)?;
        emit(world, "invoice.updated", "invoice", &invoice)?;
    }
    Ok(id)
}

/// The price that Stripe makes for an amount without one; it may be below 0.
fn own_price(world: &mut World, given: &Value, amount: i64) -> Res<String> {
    let name = params::text(given, "description").unwrap_or("Item").to_owned();
    let currency = params::text(given, "currency").unwrap_or("eur").to_lowercase();
    let now = world.now();
    let product = world.make(
        "product",
        "prod",
        json!({ "active": false, "images": [], "name": name, "updated": now }),
    )?;
    world.make(
        "price",
        "price",
        json!({
            "active": false,
            "billing_scheme": "per_unit",
            "currency": currency,
            "product": product,
            "tax_behavior": params::text(given, "tax_behavior").unwrap_or("unspecified"),
            "type": "one_time",
            "unit_amount": amount,
            "unit_amount_decimal": amount.to_string(),
        }),
    )
}

/// Puts an item on a draft.
fn put(world: &mut World, invoice: &str, item: &Value) -> Res<()> {
    let id = params::owned(item, "id").unwrap_or_default();
    let mut bill = world
        .drafts
        .get(invoice)
        .cloned()
        .ok_or_else(|| ApiError::bad(format!("Invoice {invoice} is no draft.")))?;
    if params::text(item, "currency") != Some(&bill.quote.currency) {
        return Err(ApiError::bad("All items of an invoice must use the invoice's currency."));
    }
    let price = params::owned(item, "pricing.price_details.price").unwrap_or_default();
    let line = money::line_of(world, &price, params::int(item, "quantity").unwrap_or(1))?;
    bill.quote.lines.push(Line {
        invoice_item: Some(id.clone()),
        text: params::owned(item, "description"),
        ..line
    });
    let over = billing::amounts(world, &bill, invoice);
    world.change("invoice", invoice, over)?;
    world.change("invoiceitem", &id, json!({ "invoice": invoice }))?;
    world.drafts.insert(invoice.to_owned(), bill);
    Ok(())
}

/// Opens a draft.
///
/// # Errors
/// 400 for an invoice that is no draft.
pub fn finalise(world: &mut World, invoice: &str) -> Res<()> {
    if world.drafts.remove(invoice).is_none() {
        return Err(ApiError::bad("Only a draft can be finalized."));
    }
    billing::finalise(world, invoice, None)
}
