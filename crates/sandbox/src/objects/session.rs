//! A checkout session before anybody paid.

use serde_json::{Value, json};

use crate::money::Quote;
use crate::plan::Plan;
use crate::routes::shipping;
use crate::world::World;

/// An open session lives for a day.
const OPEN_SECONDS: i64 = 86_400;

/// Where a session comes from.
#[derive(Debug, Clone)]
pub struct Source {
    /// `payment` or `subscription`.
    pub mode: String,
    /// Stripe customer, if known.
    pub customer: Option<String>,
    /// E-mail that the page shows first.
    pub email: Option<String>,
    /// The merchant's reference.
    pub client_reference_id: Option<String>,
    /// The session's metadata.
    pub metadata: Value,
    /// The payment link that made it.
    pub payment_link: Option<String>,
    /// Where the buyer goes after paying.
    pub success_url: Option<String>,
    /// Where the buyer goes back to.
    pub cancel_url: Option<String>,
    /// As given; null if not.
    pub allow_promotion_codes: Option<Value>,
}

/// Builds the session; it is not kept yet.
pub fn build(world: &mut World, source: &Source, plan: &Plan, quote: &Quote) -> Value {
    let prefix = if world.livemode { "cs_live" } else { "cs_test" };
    let id = world.ids.next(prefix);
    let expires = world.now() + OPEN_SECONDS;
    let creation = if source.mode == "subscription" || source.customer.is_some() {
        Value::Null
    } else {
        json!(if plan.always_customer { "always" } else { "if_required" })
    };
    let discounts: Vec<Value> = plan
        .discount
        .iter()
        .map(|d| match &d.promotion_code {
            Some(code) => json!({ "coupon": null, "promotion_code": code }),
            None => json!({ "coupon": d.coupon, "promotion_code": null }),
        })
        .collect();
    let over = json!({
        "id": id,
        "allow_promotion_codes": source.allow_promotion_codes,
        "amount_subtotal": quote.subtotal(),
        "amount_total": quote.total(),
        "cancel_url": source.cancel_url,
        "client_reference_id": source.client_reference_id,
        "currency": quote.currency,
        "customer": source.customer,
        "customer_creation": creation,
        "customer_email": source.email,
        "discounts": discounts,
        "expires_at": expires,
        "invoice_creation": (source.mode == "payment").then(|| json!({
            "enabled": plan.invoice_metadata.is_some(),
            "invoice_data": {
                "account_tax_ids": null, "custom_fields": null, "description": null, "footer": null, "issuer": null,
                "metadata": plan.invoice_metadata, "rendering_options": null,
            },
        })),
        "metadata": source.metadata,
        "mode": source.mode,
        "payment_link": source.payment_link,
        "payment_method_collection": "always",
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "payment_status": "unpaid",
        "shipping_cost": shipping::cost(plan.shipping),
        "status": "open",
        "success_url": source.success_url,
        "total_details": {
            "amount_discount": quote.discount(),
            "amount_shipping": quote.shipping,
            "amount_tax": quote.tax(),
        },
        "ui_mode": "hosted_page",
        "url": format!("{}/checkout/{id}", world.base_url),
    });
    let mut session = world.build("checkout.session", prefix, over);
    if let Some(map) = session.as_object_mut() {
        for absent in ["client_secret", "managed_payments", "optional_items", "customer_account"] {
            map.remove(absent);
        }
    }
    session
}
