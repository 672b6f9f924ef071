//! What fixed a customer's partner, for those who show it.

use super::settle::Scene;
use tributary_domain::attribution::{self, Evidence};
use tributary_store::{StoreError, Tx};

/// The evidence that gives a customer its partner; `None` where nobody referred it. It is the function by which sales are
/// attributed, run again.
///
/// # Errors
/// The database's.
pub async fn of_customer(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    program_id: &str,
    customer_id: &str,
) -> Result<Option<Evidence>, StoreError> {
    let scene = Scene::read(tx, workspace_id, program_id, customer_id).await?;
    Ok(scene.and_then(|scene| attribution::fixing(scene.on_customer_now()).cloned()))
}
