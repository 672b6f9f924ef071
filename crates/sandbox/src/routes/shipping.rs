//! Shipping options of a session or payment link.

use serde_json::{Value, json};

use crate::error::{ApiError, Res};
use crate::params;

/// The amount of the first shipping option, `None` if there is none. The sandbox's buyer always takes the first one.
///
/// # Errors
/// 400 for a stored shipping rate: the sandbox has only those that are described on the spot.
pub fn chosen(given: &Value) -> Res<Option<i64>> {
    let Some(option) = params::list(given, "shipping_options").first() else { return Ok(None) };
    if let Some(id) = params::text(option, "shipping_rate") {
        return Err(ApiError::missing("shipping_rate", id, "shipping_options[0][shipping_rate]"));
    }
    Ok(Some(params::int0(option, "shipping_rate_data.fixed_amount.amount")))
}

/// `shipping_cost` of a session or invoice, null without shipping.
pub fn cost(amount: i64) -> Value {
    if amount == 0 {
        return Value::Null;
    }
    json!({ "amount_subtotal": amount, "amount_tax": 0, "amount_total": amount, "shipping_rate": null })
}
