//! Authorise first, capture a part later.

use serde_json::Value;

use super::{Teller, guest_one_time};
use crate::params;

/// Tells of 100.00 authorised and 60.00 captured.
pub async fn tell(teller: &mut Teller) -> Result<(), Value> {
    let session =
        guest_one_time::open(teller, "10000", &[("payment_intent_data[capture_method]", "manual")]).await?;
    let paid = guest_one_time::pay(teller, &session, false).await?;
    let intent = params::owned(&paid, "payment_intent").unwrap_or_default();
    teller
        .stripe("POST", &format!("payment_intents/{intent}/capture"), &[("amount_to_capture", "6000")])
        .await?;
    Ok(())
}
