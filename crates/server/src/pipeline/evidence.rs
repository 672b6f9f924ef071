//! Files the evidence that objects carry under their sale and buyer, and keeps each buyer's hints.

use super::context::Context;
use std::collections::BTreeSet;
use tributary_domain::fact::{Field, Kind};
use tributary_domain::merge::ObjectState;
use tributary_domain::sale::{EvidenceKind, RawEvidence};
use tributary_store::pipeline::evidence::{self, EvidenceRow, Filed};
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

/// What a Stripe customer or subscription itself says.
#[must_use]
pub fn of_party(state: &ObjectState) -> Vec<EvidenceRow> {
    let partner = match state.kind {
        Kind::Subscription => EvidenceKind::SubscriptionMetadata,
        _ => EvidenceKind::CustomerPartnerMetadata,
    };
    let since = state.int(Field::PromotionCodeAt).unwrap_or_else(|| state.created());
    let keys = [
        (Field::CustomerKey, EvidenceKind::CustomerMetadata, state.created()),
        (Field::PartnerKey, partner, state.created()),
        (Field::EmailHash, EvidenceKind::Email, state.created()),
        (Field::EmailsSeen, EvidenceKind::Email, state.created()),
        (Field::PromotionCode, EvidenceKind::StandingCode, since),
    ];
    let mut rows = Vec::new();
    for (field, kind, effective_at) in keys {
        let text = state.text(field).unwrap_or_default();
        let several = matches!(field, Field::EmailsSeen | Field::PromotionCode);
        let values: Vec<&str> = if several { text.split_whitespace().collect() } else { vec![text] };
        rows.extend(values.into_iter().filter(|value| !value.is_empty()).map(|value| EvidenceRow {
            effective_at,
            object_id: state.id.clone(),
            kind: kind.as_str().to_owned(),
            value: value.to_owned(),
        }));
    }
    rows.sort();
    rows.dedup();
    rows
}

/// Whose evidence it is: the Stripe customer.
#[must_use]
pub fn party_of(state: &ObjectState) -> Option<&str> {
    if state.kind == Kind::Customer { Some(&state.id) } else { state.text(Field::Customer) }
}

/// What was filed of one sale or customer object, and what holds now.
#[derive(Debug)]
pub struct Refile {
    /// The sale; none for what a customer object itself says.
    pub sale_id: Option<String>,
    /// The buyer.
    pub buyer_id: String,
    /// As filed, with the buyer that it was filed under, sorted.
    pub old: Vec<(EvidenceRow, String)>,
    /// As it holds, sorted.
    pub new: Vec<EvidenceRow>,
    /// Is a part of it filed under a sale that turned out to be another?
    pub moved: bool,
}

impl Refile {
    /// Was anything filed otherwise?
    #[must_use]
    pub fn is_change(&self) -> bool {
        let same = |((row, buyer), wanted): (&(EvidenceRow, String), &EvidenceRow)| {
            row == wanted && *buyer == self.buyer_id
        };
        self.moved || self.old.len() != self.new.len() || !self.old.iter().zip(&self.new).all(same)
    }
}

/// Replaces what was filed by what holds now. Returns the buyers whose hints changed.
///
/// # Errors
/// The database's.
pub async fn refile(
    tx: &mut Tx<'_>,
    ctx: &Context,
    pieces: &[Refile],
) -> Result<BTreeSet<String>, StoreError> {
    let (ws, con) = (&ctx.workspace_id, &ctx.connection_id);
    let (mut gone, mut filed, mut hints) = (Vec::new(), Vec::new(), BTreeSet::new());
    for piece in pieces.iter().filter(|piece| piece.is_change()) {
        let mut hint = |row: &EvidenceRow, buyer: &str| {
            hints.insert((buyer.to_owned(), row.kind.clone(), row.value.clone()));
        };
        // What is filed already as it holds is left alone.
        let stays = |row: &EvidenceRow| {
            let filed = |(old, buyer): &(EvidenceRow, String)| old == row && *buyer == piece.buyer_id;
            !piece.moved && piece.old.iter().any(filed)
        };
        for row in piece.new.iter().filter(|row| !stays(row)) {
            hint(row, &piece.buyer_id);
            filed.push(Filed { sale_id: piece.sale_id.as_deref(), buyer_id: &piece.buyer_id, piece: row });
        }
        for (row, buyer) in &piece.old {
            if *buyer == piece.buyer_id && !piece.moved && piece.new.contains(row) {
                continue;
            }
            hint(row, buyer);
            let same = |wanted: &EvidenceRow| {
                (&wanted.object_id, &wanted.kind, &wanted.value) == (&row.object_id, &row.kind, &row.value)
            };
            if !piece.new.iter().any(same) {
                gone.push(row);
            }
        }
    }
    if hints.is_empty() {
        return Ok(BTreeSet::new());
    }
    evidence::delete(tx, ws, con, &gone).await?;
    evidence::upsert(tx, ws, con, &filed).await?;
    // All pieces lie in their places before the earliest is looked for.
    evidence::refresh_hints(tx, ws, con, &hints).await
}
