//! A refund that comes back.

use serde_json::{Value, json};

use super::{Teller, guest_one_time};
use crate::params;

/// Tells of a purchase, its full refund, and the refund's failure.
pub async fn tell(teller: &mut Teller) -> Result<(), Value> {
    let session = guest_one_time::open(teller, "7000", &[]).await?;
    let paid = guest_one_time::pay(teller, &session, false).await?;
    let intent = params::owned(&paid, "payment_intent").unwrap_or_default();
    let refund = teller.stripe("POST", "refunds", &[("payment_intent", &intent)]).await?;
    teller.remember("refund", &refund, "id");
    teller.control(&format!("refunds/{}/fail", Teller::id(&refund)), json!({})).await?;
    Ok(())
}
