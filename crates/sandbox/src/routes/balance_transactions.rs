//! Movements of the merchant's balance, and of a customer's credit.

use serde_json::json;

use super::{Call, list};
use crate::error::{ApiError, Res};
use crate::flows::credit;
use crate::params;

/// Serves `balance_transactions` and `customers/{id}/balance_transactions`.
pub fn serve(operation: &str, call: &mut Call<'_>) -> Option<Res> {
    Some(match operation {
        "GetBalanceTransactionsId" => call.world.find("balance_transaction", call.id(), "id"),
        "GetBalanceTransactions" => list(call, "balance_transaction", "/v1/balance_transactions", |o| {
            ["source", "type", "currency"].iter().all(|f| call.matches(o, f))
        }),
        "GetCustomersCustomerBalanceTransactions" => {
            let customer = call.id().to_owned();
            let url = format!("/v1/customers/{customer}/balance_transactions");
            list(call, "customer_balance_transaction", &url, |o| {
                params::text(o, "customer") == Some(&customer) && call.matches(o, "invoice")
            })
        }
        "PostCustomersCustomerBalanceTransactions" => adjust(call),
        _ => return None,
    })
}

/// Gives a customer credit (a negative amount) or a debt.
fn adjust(call: &mut Call<'_>) -> Res {
    let customer = call.id().to_owned();
    let amount = params::int0(call.params, "amount");
    if amount == 0 {
        return Err(ApiError::param("parameter_invalid_integer", "amount", "The amount must not be 0."));
    }
    let currency = call.text("currency").unwrap_or_default().to_lowercase();
    let over = json!({
        "type": "adjustment",
        "description": call.text("description"),
        "metadata": params::merged_metadata(&json!({}), call.params.get("metadata")),
    });
    let id = credit::book(call.world, &customer, amount, &currency, over)?;
    call.world.live("customer_balance_transaction", &id, "id")
}
