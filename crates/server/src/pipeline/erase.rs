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
use tributary_store::pipeline::inbox;
use tributary_store::{StoreError, Tx, Unit};

/// How often it is begun again because more of the person came in meanwhile.
const TRIES: u32 = 20;
/// So often the payloads of all that is known of the person have to be gone before its rows. Who keeps buying meanwhile would
/// never be erased so: from then on the payloads of what came in between go after them.
const STRICT: u32 = 3;
/// What Stripe was asked for before a look was taken may be written down so long after it, ms.
const ON_ITS_WAY_MS: i64 = 600_000;

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

/// From when on (ms UTC) a look at the payloads now may miss one: what waits in the inbox keeps its payload until it is
/// understood, and answers are on their way.
struct Begun(String, i64);

impl Unit for Begun {
    type Out = i64;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<i64, StoreError> {
        let waiting = inbox::oldest_pending(tx, &self.0).await?;
        Ok(waiting.unwrap_or(self.1).min(self.1.saturating_sub(ON_ITS_WAY_MS)))
    }
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
    let mut person: Person = app.db.read(find.clone()).await?;
    let mut erased = Erased::default();
    for tried in 0..TRIES {
        let begun = app.db.read(Begun(workspace_id.to_owned(), app.now())).await?;
        payloads::drop_those_of(app, workspace_id, &person, i64::MIN, &mut erased).await?;
        let unit = Erase {
            workspace_id: workspace_id.to_owned(),
            find: find.clone(),
            person: person.clone(),
            strict: tried < STRICT,
            actor: actor.to_owned(),
            now: app.now(),
        };
        match app.db.write(unit).await? {
            Ok((customers, sales, found)) => {
                (erased.customers, erased.sales) = (customers, sales);
                // What came in while the first look was taken; all of it where that looked for less.
                let since = if found == person { begun } else { i64::MIN };
                payloads::drop_those_of(app, workspace_id, &found, since, &mut erased).await?;
                worker::drain(app).await?;
                app.wake.notify_one();
                return Ok(erased);
            }
            // More of the person came in meanwhile.
            Err(found) => person = found,
        }
    }
    Err(StoreError::Busy)
}
