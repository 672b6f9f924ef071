//! The pipeline as the API sees it: every call that changes a source goes through here.

pub(crate) use crate::pipeline::{
    ApiSale, Decision, customer_changed, decide, partner_changed, settle_customer, write_transaction,
};

use tributary_store::api::Place;
use tributary_store::pipeline::objects;
use tributary_store::{StoreError, Tx};

/// Partners, customers and transactions of a program change one after the other: what a call reads to decide what it writes must not
/// change in between, and counters see every change.
pub(crate) async fn lock(tx: &mut Tx<'_>, place: &Place) -> Result<(), StoreError> {
    objects::lock_program(tx, &place.workspace_id, &place.program_id).await
}
