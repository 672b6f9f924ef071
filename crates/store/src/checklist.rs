//! What of the operator's checklist (docs/STRIPE.md) the rows of a connection prove. Each query names one example, or none.

use crate::{P, StoreError, Tx};

/// What proves a step by rows alone: (its number in the checklist, query that gives one example).
const PROOFS: &[(u8, &str)] = &[
    (
        3,
        "SELECT event_id FROM event WHERE workspace_id = $1 AND connection_id = $2 AND outcome IN ('processed', 'ignored') \
         ORDER BY received_at DESC LIMIT 1",
    ),
    (
        4,
        "SELECT s.root_id FROM sale s JOIN evidence v ON v.workspace_id = s.workspace_id AND v.sale_id = s.sale_id \
         WHERE s.workspace_id = $1 AND s.connection_id = $2 AND s.merged_into IS NULL AND s.outcome = 'earns' \
         AND v.kind = 'client_reference' ORDER BY s.root_id LIMIT 1",
    ),
    (
        5,
        "SELECT root_id FROM sale WHERE workspace_id = $1 AND connection_id = $2 AND merged_into IS NULL AND state = 'paid' \
         AND discount > 0 ORDER BY root_id LIMIT 1",
    ),
    (
        6,
        "SELECT MAX(s.root_id) FROM sale s JOIN commission c ON c.workspace_id = s.workspace_id AND c.sale_id = s.sale_id \
         WHERE s.workspace_id = $1 AND s.connection_id = $2 AND s.merged_into IS NULL AND s.state = 'paid' \
         AND s.root_id LIKE 'in!_%' ESCAPE '!' AND c.gross > 0 GROUP BY s.buyer_id, c.partner_id \
         HAVING COUNT(DISTINCT s.sale_id) > 1 ORDER BY MAX(s.root_id) LIMIT 1",
    ),
    (
        7,
        "SELECT MAX(event_id) FROM event WHERE workspace_id = $1 AND connection_id = $2 AND outcome = 'processed' \
         AND type IN ('checkout.session.async_payment_succeeded', 'checkout.session.async_payment_failed') \
         GROUP BY workspace_id HAVING COUNT(DISTINCT type) = 2 LIMIT 1",
    ),
    (
        8,
        "SELECT s.root_id FROM sale s WHERE s.workspace_id = $1 AND s.connection_id = $2 AND s.merged_into IS NULL \
         AND s.captured > 0 AND s.refunded >= s.captured AND (SELECT COUNT(*) FROM alias a WHERE a.workspace_id = s.workspace_id \
         AND a.sale_id = s.sale_id AND a.object_id LIKE 're!_%' ESCAPE '!') > 1 ORDER BY s.root_id LIMIT 1",
    ),
    (
        9,
        "SELECT MAX(event_id) FROM event WHERE workspace_id = $1 AND connection_id = $2 AND type = 'charge.dispute.closed' \
         GROUP BY workspace_id HAVING COUNT(*) > 1 LIMIT 1",
    ),
    (
        10,
        "SELECT root_id FROM sale WHERE workspace_id = $1 AND connection_id = $2 AND merged_into IS NULL AND state = 'paid' \
         AND buyer_id LIKE 'guest:%' ORDER BY root_id LIMIT 1",
    ),
    (
        11,
        "SELECT n.root_id FROM sale n WHERE n.workspace_id = $1 AND n.connection_id = $2 AND n.merged_into IS NULL \
         AND n.state = 'nothing_to_pay' AND EXISTS (SELECT 1 FROM sale s WHERE s.workspace_id = n.workspace_id \
         AND s.connection_id = n.connection_id AND s.buyer_id = n.buyer_id AND s.state = 'paid' AND s.merged_into IS NULL \
         AND s.occurred_at >= n.occurred_at) ORDER BY n.root_id LIMIT 1",
    ),
    (
        12,
        "SELECT MAX(root_id) FROM sale WHERE workspace_id = $1 AND connection_id = $2 AND merged_into IS NULL \
         AND state = 'paid' GROUP BY workspace_id HAVING COUNT(DISTINCT currency) > 1 LIMIT 1",
    ),
    (
        13,
        "SELECT text FROM alert WHERE workspace_id = $1 AND subject = $2 AND kind = 'connection_broken' \
         ORDER BY created_at DESC LIMIT 1",
    ),
    (
        14,
        "SELECT c.key_hint FROM connection c WHERE c.workspace_id = $1 AND c.connection_id = $2 AND c.status = 'connected' \
         AND EXISTS (SELECT 1 FROM alert b WHERE b.workspace_id = c.workspace_id AND b.subject = c.connection_id \
         AND b.kind = 'connection_broken') LIMIT 1",
    ),
    (
        15,
        "SELECT MAX(secret_id) FROM connection_secret WHERE workspace_id = $1 AND connection_id = $2 \
         AND verified_at IS NOT NULL GROUP BY workspace_id HAVING COUNT(*) > 1 LIMIT 1",
    ),
    (
        16,
        "SELECT root_id FROM sale WHERE workspace_id = $1 AND connection_id = $2 AND merged_into IS NULL AND mode = 'live' \
         AND refunded > 0 AND refunded >= captured ORDER BY root_id LIMIT 1",
    ),
];

/// The steps that the rows of a connection prove, each with an example: an id, or the words of an alert.
///
/// # Errors
/// The database's.
pub async fn proven(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
) -> Result<Vec<(u8, String)>, StoreError> {
    let mut found = Vec::new();
    for (step, sql) in PROOFS {
        if let Some(row) = tx.opt(sql, &[P::T(workspace_id), P::T(connection_id)]).await?
            && let Some(example) = row.opt_text(0)?
        {
            found.push((*step, example));
        }
    }
    Ok(found)
}
