//! Files the evidence that objects carry under their sale and buyer, and keeps each buyer's hints.

use super::context::Context;
use std::collections::BTreeSet;
use tributary_domain::fact::Field;
use tributary_domain::merge::ObjectState;
use tributary_domain::sale::{EvidenceKind, RawEvidence};
use tributary_store::pipeline::evidence::{self, EvidenceRow};
use tributary_store::{StoreError, Tx};

/// Evidence as it is filed: one row an object, kind and value.
#[must_use]
pub fn rows_of(raw: &[RawEvidence]) -> Vec<EvidenceRow> {
    let mut rows: Vec<EvidenceRow> = raw
        .iter()
        .map(|piece| EvidenceRow {
            effective_at: piece.effective_at,
            object_id: piece.object_id.clone(),
            kind: piece.kind.as_str().to_owned(),
            value: piece.value.clone(),
        })
        .collect();
    rows.sort();
    rows.dedup();
    rows
}

/// What a Stripe customer object itself says.
#[must_use]
pub fn of_customer(state: &ObjectState) -> Vec<EvidenceRow> {
    const KEYS: [(Field, EvidenceKind); 3] = [
        (Field::CustomerKey, EvidenceKind::CustomerMetadata),
        (Field::PartnerKey, EvidenceKind::CustomerPartnerMetadata),
        (Field::EmailHash, EvidenceKind::Email),
    ];
    let rows = KEYS.iter().filter_map(|(field, kind)| {
        Some(EvidenceRow {
            effective_at: state.created(),
            object_id: state.id.clone(),
            kind: kind.as_str().to_owned(),
            value: state.text(*field)?.to_owned(),
        })
    });
    let mut rows: Vec<_> = rows.collect();
    rows.sort();
    rows
}

/// Replaces what was filed by what holds now. Returns the buyers whose hints changed; `None` if everything was
/// filed so already.
///
/// # Errors
/// The database's.
pub async fn refile(
    tx: &mut Tx<'_>,
    ctx: &Context,
    sale_id: Option<&str>,
    buyer_id: &str,
    old: &[(EvidenceRow, String)],
    new: &[EvidenceRow],
) -> Result<Option<BTreeSet<String>>, StoreError> {
    let unchanged = old.len() == new.len()
        && old.iter().zip(new).all(|((row, buyer), wanted)| row == wanted && buyer == buyer_id);
    if unchanged {
        return Ok(None);
    }
    let key = |row: &EvidenceRow, buyer: &str| (buyer.to_owned(), row.kind.clone(), row.value.clone());
    let mut hints: BTreeSet<_> = new.iter().map(|row| key(row, buyer_id)).collect();
    for (row, buyer) in old {
        hints.insert(key(row, buyer));
        let same = |wanted: &EvidenceRow| {
            (&wanted.object_id, &wanted.kind, &wanted.value) == (&row.object_id, &row.kind, &row.value)
        };
        if !new.iter().any(same) {
            evidence::delete(tx, &ctx.workspace_id, &ctx.connection_id, row).await?;
        }
    }
    evidence::upsert(tx, &ctx.workspace_id, &ctx.connection_id, sale_id, buyer_id, new).await?;
    let mut changed = BTreeSet::new();
    for (buyer, kind, value) in hints {
        let (ws, con) = (&ctx.workspace_id, &ctx.connection_id);
        if evidence::refresh_hint(tx, ws, con, &buyer, &kind, &value).await? {
            changed.insert(buyer);
        }
    }
    Ok(Some(changed))
}
