//! What a customer has in credit with the merchant: a negative balance pays the next invoice.

use serde_json::{Value, json};

use crate::error::{ApiError, Res};
use crate::events::emit_changed;
use crate::openapi::skeleton::lay;
use crate::params;
use crate::world::World;

/// The customer's balance in a currency: negative = credit, positive = debt. Stripe keeps it in one currency only.
pub fn balance(world: &World, customer: &str, currency: &str) -> i64 {
    let Some(found) = world.get("customer", customer) else { return 0 };
    let own = params::text(found, "currency").is_none_or(|c| c == currency);
    if own { params::int0(found, "balance") } else { 0 }
}

/// Moves a customer's balance and writes down why; returns the movement's id.
///
/// # Errors
/// 404 for an unknown customer; 400 for another currency than the customer's, or an amount too large.
pub fn book(world: &mut World, customer: &str, amount: i64, currency: &str, why: Value) -> Res<String> {
    let found = world.live("customer", customer, "customer")?;
    if params::text(&found, "currency").is_some_and(|own| own != currency) {
        return Err(ApiError::bad(format!("The balance of {customer} is kept in another currency.")));
    }
    let before = params::int0(&found, "balance");
    let after = before
        .checked_add(amount)
        .ok_or_else(|| ApiError::param("", "amount", "Too large.").without_code())?;
    let mut over =
        json!({ "amount": amount, "currency": currency, "customer": customer, "ending_balance": after });
    lay(&mut over, why);
    let id = world.make("customer_balance_transaction", "cbtxn", over)?;
    world.change("customer", customer, json!({ "balance": after, "currency": currency }))?;
    emit_changed(world, "customer.updated", "customer", customer, json!({ "balance": before }))?;
    Ok(id)
}
