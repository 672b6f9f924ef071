//! Disputes.

use serde_json::{Value, json};

use super::{Teller, guest_one_time};
use crate::params;

/// Tells of a purchase, a dispute over it, and its outcome (`won` or `lost`).
pub async fn tell(teller: &mut Teller, outcome: &str) -> Result<(), Value> {
    let session = guest_one_time::open(teller, "9000", &[]).await?;
    let paid = guest_one_time::pay(teller, &session, false).await?;
    let intent = params::owned(&paid, "payment_intent").unwrap_or_default();
    let found = teller.stripe("GET", &format!("payment_intents/{intent}"), &[]).await?;
    let charge = params::owned(&found, "latest_charge").unwrap_or_default();
    let dispute = teller.control(&format!("charges/{charge}/dispute"), json!({})).await?;
    teller.remember("dispute", &dispute, "id");
    teller.control(&format!("disputes/{}/close", Teller::id(&dispute)), json!({ "status": outcome })).await?;
    Ok(())
}
