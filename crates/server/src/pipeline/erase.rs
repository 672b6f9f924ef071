//! Erasing a person: what says who it was goes, what was sold and earned stays.
//!
//! Raw payloads that hold the person go first, wherever they are; a run that is cut off there is begun again. Then one
//! transaction freezes the attribution of every sale as a decision, leaves tombstones for the objects at Stripe,
//! and takes everything personal from the rows. What Stripe tells later of those objects is understood without
//! anything personal ([`redact`]), earns by the frozen attribution, and leaves no payload.

mod payloads;
mod person;
pub(super) mod redact;
mod rows;

use super::worker;
use crate::App;
use person::{Find, Person};
use rows::Erase;
use serde::Serialize;
use tributary_store::StoreError;

/// Who is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// A customer of ours by id (`ctm_…`) or by key, with all that is known to be the same person.
    Customer(String),
    /// An e-mail address, as a customer's or as a buyer's.
    Email(String),
    /// A Stripe customer (`cus_…`).
    StripeCustomer(String),
}

/// What was erased.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Erased {
    /// Customers that have no name any more.
    pub customers: u64,
    /// Sales whose attribution was frozen.
    pub sales: u64,
    /// Raw payloads of events that were taken away.
    pub payloads: u64,
    /// Kept answers of Stripe that were emptied.
    pub observations: u64,
}

/// Erases a person in a workspace. Once more does no harm.
///
/// # Errors
/// [`StoreError::NotFound`] if nobody fits; else the database's. Run again after an error.
pub async fn erase(app: &App, workspace_id: &str, who: &Who, actor: &str) -> Result<Erased, StoreError> {
    // The attribution must stand before it is frozen.
    worker::drain(app).await?;
    let data_key = app.data_key(workspace_id).await?;
    let find = Find { workspace_id: workspace_id.to_owned(), who: who.clone(), data_key };
    let person: Person = app.db.read(find).await?;
    let mut erased = Erased::default();
    let begun = app.now();
    payloads::drop_those_of(app, workspace_id, &person, i64::MIN, &mut erased).await?;
    let unit = Erase {
        workspace_id: workspace_id.to_owned(),
        person: person.clone(),
        actor: actor.to_owned(),
        now: app.now(),
    };
    let (customers, sales) = app.db.write(unit).await?;
    (erased.customers, erased.sales) = (customers, sales);
    // What came in while the first look was taken.
    payloads::drop_those_of(app, workspace_id, &person, begun, &mut erased).await?;
    worker::drain(app).await?;
    app.wake.notify_one();
    Ok(erased)
}
