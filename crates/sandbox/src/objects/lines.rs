//! Lines of an invoice.

use serde_json::{Value, json};

use crate::money::{self, Line};
use crate::world::World;

/// What the lines of an invoice have in common.
#[derive(Debug)]
pub struct Context<'c> {
    /// The invoice.
    pub invoice: &'c str,
    /// Currency.
    pub currency: &'c str,
    /// Start and end of the time that is paid for, Unix seconds.
    pub period: (i64, i64),
    /// Subscription and its items, one per line; `None` on the invoice of a one-time purchase.
    pub subscription: Option<(&'c str, &'c [String])>,
    /// Metadata of the subscription.
    pub metadata: &'c Value,
    /// The discount, if one was given.
    pub discount: Option<&'c str>,
}

/// One line.
pub fn line(world: &mut World, context: &Context<'_>, at: usize, line: &Line) -> Value {
    let own = line.item.as_ref();
    let item = own.or_else(|| context.subscription.and_then(|(_, items)| items.get(at)));
    let parent = match (context.subscription, item) {
        (Some((subscription, _)), Some(item)) => json!({
            "type": "subscription_item_details",
            "invoice_item_details": null,
            "subscription_item_details": {
                "invoice_item": line.invoice_item,
                "proration": line.proration,
                "proration_details": { "credited_items": null },
                "subscription": subscription,
                "subscription_item": item,
            },
        }),
        _ => {
            let item = line.invoice_item.clone().unwrap_or_else(|| world.ids.next("ii"));
            json!({
                "type": "invoice_item_details",
                "invoice_item_details": {
                    "invoice_item": item,
                    "proration": false,
                    "proration_details": { "credited_items": null },
                    "subscription": null,
                },
                "subscription_item_details": null,
            })
        }
    };
    let discounts: Vec<&str> = context.discount.into_iter().filter(|_| line.discount > 0).collect();
    let amounts: Vec<Value> =
        discounts.iter().map(|d| json!({ "amount": line.discount, "discount": d })).collect();
    world.build(
        "line_item",
        "il",
        json!({
            "amount": line.subtotal,
            "currency": context.currency,
            "description": line.text.clone().unwrap_or_else(|| format!("{} × {}", line.quantity, line.description)),
            "discount_amounts": amounts,
            "discountable": true,
            "discounts": discounts,
            "invoice": context.invoice,
            "metadata": context.metadata,
            "parent": parent,
            "period": { "start": context.period.0, "end": context.period.1 },
            "pretax_credit_amounts": [],
            "pricing": {
                "type": "price_details",
                "price_details": { "price": line.price, "product": line.product },
                "unit_amount_decimal": line.unit.to_string(),
            },
            "quantity": line.quantity,
            "quantity_decimal": line.quantity.to_string(),
            "subscription": context.subscription.map(|(s, _)| s),
            "subtotal": line.subtotal,
            "taxes": money::taxes(&[line]),
        }),
    )
}
