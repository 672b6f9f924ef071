//! Payment methods that take days.

use serde_json::{Value, json};

use super::{Teller, guest_one_time};

/// Tells of a bank debit that arrives, or is refused.
pub async fn tell(teller: &mut Teller, arrives: bool) -> Result<(), Value> {
    let session = guest_one_time::open(teller, "8000", &[]).await?;
    guest_one_time::pay(teller, &session, true).await?;
    let verb = if arrives { "async_succeed" } else { "async_fail" };
    teller.control(&format!("checkout/sessions/{session}/{verb}"), json!({})).await?;
    Ok(())
}
