//! The whole demonstration.

use serde_json::Value;

use super::{Teller, half_refund, payment_link, renewals, signup};

/// Tells of a sign-up, three renewals, half a refund of the first payment, and a purchase through a payment link.
pub async fn tell(teller: &mut Teller) -> Result<(), Value> {
    signup::tell(teller).await?;
    renewals::renew(teller).await?;
    half_refund::refund(teller).await?;
    payment_link::tell(teller).await
}
