//! What only a browser says, as evidence: clicks on referral links, and sign-ups in the browser.

use tributary_domain::attribution::{
    Evidence, PolicyVersion, Rank, Reach, click_reach, is_visit_id, second_of,
};
use tributary_domain::sale::EvidenceKind;
use tributary_store::pipeline::evidence::{self, EvidenceRow};
use tributary_store::pipeline::people::Customer;
use tributary_store::pipeline::visits::{self, Visit};
use tributary_store::pipeline::{people, signups};
use tributary_store::{StoreError, Tx};

/// The visit of a program and mode that a client reference names.
///
/// # Errors
/// The database's.
pub async fn visit_of(
    tx: &mut Tx<'_>,
    ws: &str,
    mode: &str,
    program_id: &str,
    kind: EvidenceKind,
    value: &str,
) -> Result<Option<Visit>, StoreError> {
    if kind != EvidenceKind::ClientReference || !is_visit_id(value) {
        return Ok(None);
    }
    visits::find(tx, ws, mode, program_id, value).await
}

/// A client reference of a buyer as the click that it names; `None` if it names no visit of this program and mode.
///
/// # Errors
/// The database's.
pub async fn click(
    tx: &mut Tx<'_>,
    ws: &str,
    customer: &Customer,
    (connection_id, buyer_id): (&str, &str),
    row: &EvidenceRow,
    policy: &[PolicyVersion],
) -> Result<Option<Evidence>, StoreError> {
    let kind = EvidenceKind::ClientReference.as_str();
    if !is_visit_id(&row.value) {
        return Ok(None);
    }
    let purchases = evidence::purchases_with(tx, ws, connection_id, buyer_id, kind, &row.value).await?;
    click_of(tx, ws, customer, row, |at| click_reach(at, &purchases, policy)).await
}

/// A client reference as the click that it names; `reach` tells from the click's time (ms UTC) for which sales it counts.
///
/// # Errors
/// The database's.
pub async fn click_of(
    tx: &mut Tx<'_>,
    ws: &str,
    customer: &Customer,
    row: &EvidenceRow,
    reach: impl FnOnce(i64) -> Reach + Send,
) -> Result<Option<Evidence>, StoreError> {
    let kind = EvidenceKind::ClientReference;
    let (mode, program_id) = (&customer.mode, &customer.program_id);
    let Some(visit) = visit_of(tx, ws, mode, program_id, kind, &row.value).await? else { return Ok(None) };
    let key = people::partner_key(tx, ws, &visit.partner_id).await?.unwrap_or_default();
    Ok(Some(Evidence {
        rank: Rank::CameAlong,
        effective_at: visit.at,
        source_id: row.object_id.clone(),
        kind: EvidenceKind::Visit,
        value: row.value.clone(),
        reach: reach(visit.at),
        detail: format!("of “{key}” on {}", at_words(visit.at)),
        partner_id: Some(visit.partner_id),
        turn: None,
    }))
}

/// Who brought a customer, as its sign-up says: by a server call, or in the browser.
///
/// # Errors
/// The database's.
pub async fn sign_up(tx: &mut Tx<'_>, ws: &str, customer: &Customer) -> Result<Option<Evidence>, StoreError> {
    // What settlement found out itself is no evidence.
    let Some(partner_id) = customer.partner_id.as_ref().filter(|_| customer.partner_by != "purchase") else {
        return Ok(None);
    };
    let key = people::partner_key(tx, ws, partner_id).await?;
    // Of a customer that was there already somebody must have meant it.
    let assigned = matches!(customer.partner_by.as_str(), "user" | "erased")
        || (customer.partner_by == "api" && customer.born_of.is_some());
    let mut piece = Evidence {
        rank: if assigned { Rank::Assigned } else { Rank::CameAlong },
        effective_at: customer.created_at,
        source_id: format!("customer {}", customer.key),
        kind: EvidenceKind::SignUp,
        value: key.unwrap_or_else(|| partner_id.clone()),
        partner_id: Some(partner_id.clone()),
        reach: Reach::Always,
        detail: String::new(),
        turn: None,
    };
    if customer.partner_by == "browser" {
        let told = signups::first_of(tx, ws, &customer.customer_id).await?;
        piece.kind = EvidenceKind::BrowserSignUp;
        piece.effective_at = told.as_ref().map_or(customer.created_at, |told| told.at);
        piece.reach = Reach::From { at: second_of(piece.effective_at) };
        let page = told.map(|told| told.page).filter(|page| !page.is_empty());
        let page = page.map(|page| format!("on {page} ")).unwrap_or_default();
        piece.detail = format!("{page}on {}", at_words(piece.effective_at));
    }
    Ok(Some(piece))
}

/// An instant (ms UTC) in words: “12 Mar 2026, 10:14 UTC”.
#[must_use]
pub fn at_words(at_ms: i64) -> String {
    jiff::Timestamp::from_millisecond(at_ms)
        .map_or_else(|_| at_ms.to_string(), |at| at.strftime("%-d %b %Y, %H:%M UTC").to_string())
}
