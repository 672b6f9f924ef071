//! Half of the first payment goes back.

use serde_json::Value;

use super::{Teller, signup};
use crate::params;

/// Tells the sign-up and the refund, and remembers `refund`.
pub async fn tell(teller: &mut Teller) -> Result<(), Value> {
    signup::tell(teller).await?;
    refund(teller).await
}

/// Refunds half of the charge that the sign-up remembered.
pub async fn refund(teller: &mut Teller) -> Result<(), Value> {
    let charge = teller.ids.get("charge").and_then(Value::as_str).unwrap_or_default().to_owned();
    let found = teller.stripe("GET", &format!("charges/{charge}"), &[]).await?;
    let half = (params::int0(&found, "amount_captured") / 2).to_string();
    let refund = teller.stripe("POST", "refunds", &[("charge", &charge), ("amount", &half)]).await?;
    teller.remember("refund", &refund, "id");
    Ok(())
}
