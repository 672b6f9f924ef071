//! A subscription that renews.

use serde_json::{Value, json};

use super::{Teller, signup};
use crate::params;

/// Tells the sign-up and three renewals, and remembers every `invoice`.
pub async fn tell(teller: &mut Teller) -> Result<(), Value> {
    signup::tell(teller).await?;
    renew(teller).await
}

/// Three renewals of the last subscription.
pub async fn renew(teller: &mut Teller) -> Result<(), Value> {
    let subscription = teller.ids.get("subscription").and_then(Value::as_str).unwrap_or_default().to_owned();
    let renewed =
        teller.control(&format!("subscriptions/{subscription}/renew"), json!({ "count": 3 })).await?;
    for invoice in params::list(&renewed, "invoices") {
        teller.remember("invoice", &json!({ "id": invoice }), "id");
    }
    Ok(())
}
