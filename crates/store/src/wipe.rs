//! Wiping the test data of a workspace: all that happened in test mode, and nothing that was set up or is live.

use crate::pipeline::objects;
use crate::{P, StoreError, Tx};

/// Rows named by their mode, children before parents.
const BY_MODE: &[&str] = &[
    "DELETE FROM unsealed WHERE workspace_id = $1 AND mode = 'test'",
    "DELETE FROM seal WHERE workspace_id = $1 AND mode = 'test'",
    "DELETE FROM entry WHERE workspace_id = $1 AND mode = 'test'",
    "DELETE FROM journal WHERE workspace_id = $1 AND mode = 'test'",
    "DELETE FROM account WHERE workspace_id = $1 AND mode = 'test'",
    "DELETE FROM commission WHERE workspace_id = $1 AND mode = 'test'",
    "DELETE FROM scope WHERE workspace_id = $1 AND mode = 'test'",
    "DELETE FROM audit WHERE workspace_id = $1 AND mode = 'test'",
    "DELETE FROM decision WHERE workspace_id = $1 AND mode = 'test'",
    "DELETE FROM api_transaction WHERE workspace_id = $1 AND mode = 'test'",
    "DELETE FROM browser_signup WHERE workspace_id = $1 AND mode = 'test'",
    "DELETE FROM visitor_link WHERE workspace_id = $1 AND mode = 'test'",
    "DELETE FROM visit WHERE workspace_id = $1 AND mode = 'test'",
    "DELETE FROM partner_total WHERE workspace_id = $1 AND mode = 'test'",
    "DELETE FROM link_day WHERE workspace_id = $1 AND mode = 'test'",
    "DELETE FROM program_day WHERE workspace_id = $1 AND mode = 'test'",
    "DELETE FROM partner_day WHERE workspace_id = $1 AND mode = 'test'",
    "DELETE FROM program_day_money WHERE workspace_id = $1 AND mode = 'test'",
    "DELETE FROM partner_day_money WHERE workspace_id = $1 AND mode = 'test'",
    "DELETE FROM partner_month_money WHERE workspace_id = $1 AND mode = 'test'",
];

/// Rows named by their connection: a Stripe account in test mode, or the API's own in that mode.
const BY_CONNECTION: &[&str] = &[
    "DELETE FROM evidence WHERE workspace_id = $1 AND (connection_id LIKE '%:test' OR connection_id IN \
     (SELECT connection_id FROM connection WHERE workspace_id = $1 AND mode = 'test'))",
    "DELETE FROM buyer_hint WHERE workspace_id = $1 AND (connection_id LIKE '%:test' OR connection_id IN \
     (SELECT connection_id FROM connection WHERE workspace_id = $1 AND mode = 'test'))",
    "DELETE FROM buyer_customer WHERE workspace_id = $1 AND (connection_id LIKE '%:test' OR connection_id IN \
     (SELECT connection_id FROM connection WHERE workspace_id = $1 AND mode = 'test'))",
    "DELETE FROM alias WHERE workspace_id = $1 AND (connection_id LIKE '%:test' OR connection_id IN \
     (SELECT connection_id FROM connection WHERE workspace_id = $1 AND mode = 'test'))",
    "DELETE FROM code_name WHERE workspace_id = $1 AND connection_id IN \
     (SELECT connection_id FROM connection WHERE workspace_id = $1 AND mode = 'test')",
    "DELETE FROM fact WHERE workspace_id = $1 AND (connection_id LIKE '%:test' OR connection_id IN \
     (SELECT connection_id FROM connection WHERE workspace_id = $1 AND mode = 'test'))",
    "DELETE FROM observation WHERE workspace_id = $1 AND connection_id IN \
     (SELECT connection_id FROM connection WHERE workspace_id = $1 AND mode = 'test')",
    "DELETE FROM event_payload WHERE workspace_id = $1 AND connection_id IN \
     (SELECT connection_id FROM connection WHERE workspace_id = $1 AND mode = 'test')",
    "DELETE FROM event WHERE workspace_id = $1 AND connection_id IN \
     (SELECT connection_id FROM connection WHERE workspace_id = $1 AND mode = 'test')",
    "DELETE FROM erased_buyer WHERE workspace_id = $1 AND (connection_id LIKE '%:test' OR connection_id IN \
     (SELECT connection_id FROM connection WHERE workspace_id = $1 AND mode = 'test'))",
    "DELETE FROM import_lease WHERE workspace_id = $1 AND connection_id IN \
     (SELECT connection_id FROM connection WHERE workspace_id = $1 AND mode = 'test')",
    "DELETE FROM reconcile_item WHERE workspace_id = $1 AND connection_id IN \
     (SELECT connection_id FROM connection WHERE workspace_id = $1 AND mode = 'test')",
    "DELETE FROM import_run WHERE workspace_id = $1 AND connection_id IN \
     (SELECT connection_id FROM connection WHERE workspace_id = $1 AND mode = 'test')",
    "DELETE FROM connection_day WHERE workspace_id = $1 AND (connection_id LIKE '%:test' OR connection_id IN \
     (SELECT connection_id FROM connection WHERE workspace_id = $1 AND mode = 'test'))",
];

/// What others name, at last. `erased_object` stays: what still comes about an erased person must not be kept again.
const LAST: &[&str] = &[
    "DELETE FROM sale WHERE workspace_id = $1 AND mode = 'test'",
    "DELETE FROM erasure WHERE workspace_id = $1 AND customer_id IN \
     (SELECT customer_id FROM customer WHERE workspace_id = $1 AND mode = 'test')",
    "DELETE FROM known_as WHERE workspace_id = $1 AND customer_id IN \
     (SELECT customer_id FROM customer WHERE workspace_id = $1 AND mode = 'test')",
    "DELETE FROM customer WHERE workspace_id = $1 AND mode = 'test'",
];

/// Look-ups at Stripe, named by their connection.
const LOOK_UPS: &str = "DELETE FROM job WHERE workspace_id = $1 AND kind = 'fetch' AND EXISTS (SELECT 1 FROM connection c \
     WHERE c.workspace_id = $1 AND c.mode = 'test' AND job.dedup LIKE '{\"connection_id\":\"' || c.connection_id || '\",%')";

/// Wipes the test data of a workspace and gives how many rows went. Programs, partners, links, terms, keys and the
/// connections themselves stay, and so does everything live. A connection that is polled begins anew at `cursor_at`, and what
/// is on its way is not written after it ([`crate::connections::is_wiped_since`]): look-ups that wait go, too.
///
/// # Errors
/// The database's; nothing is wiped then.
pub async fn test_data(tx: &mut Tx<'_>, workspace_id: &str, cursor_at: i64) -> Result<u64, StoreError> {
    // Nothing is taken in, written by a call or settled meanwhile: each statement below sees what was committed before it.
    objects::lock_all(tx).await?;
    if tx.is_postgres() {
        // Who is sealing journals has read them: that ends first, and the next one begins after this.
        tx.exec("LOCK TABLE unsealed IN ACCESS EXCLUSIVE MODE", &[]).await?;
        // Events and visits are counted in the transaction that keeps them, without those locks: a row must not stay whose
        // count is wiped. In the order in which a visit is written.
        tx.exec("LOCK TABLE event, visitor_link, visit IN EXCLUSIVE MODE", &[]).await?;
    }
    let mut gone = 0_u64;
    for sql in BY_MODE.iter().chain(BY_CONNECTION).chain(LAST) {
        gone = gone.saturating_add(tx.exec(sql, &[P::T(workspace_id)]).await?);
    }
    tx.exec(LOOK_UPS, &[P::T(workspace_id)]).await?;
    let cursor =
        "UPDATE connection SET cursor_at = $2 WHERE workspace_id = $1 AND mode = 'test' AND cursor_at < $2";
    tx.exec(cursor, &[P::T(workspace_id), P::I(cursor_at)]).await?;
    let wiped = "UPDATE connection SET wiped = wiped + 1 WHERE workspace_id = $1 AND mode = 'test'";
    tx.exec(wiped, &[P::T(workspace_id)]).await?;
    Ok(gone)
}
