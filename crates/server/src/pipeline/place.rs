//! To which program and customer a sale belongs: the one named by evidence on the sale itself, else the
//! buyer's oldest link. A key that fits two programs equally gives nobody, with that reason.

use super::clicks::visit_of;
use super::codes;
use super::context::{Context, Fed};
use super::link;
use super::post::Poster;
use std::collections::{BTreeMap, BTreeSet};
use tributary_domain::attribution::{is_visit_id, policy_at};
use tributary_domain::sale::EvidenceKind;
use tributary_store::pipeline::decisions::{self, AS_EVIDENCE_SAYS};
use tributary_store::pipeline::evidence::{self, EvidenceRow};
use tributary_store::pipeline::people::{self, Link};
use tributary_store::pipeline::{commissions, objects, sales, sales::Sale, scopes};
use tributary_store::{StoreError, Tx, Unit};

/// A sale to be placed, with the sales that turned out to be the same purchase.
#[derive(Debug)]
pub struct Placing {
    /// The sale.
    pub sale: Sale,
    /// Sales merged into it.
    pub losers: Vec<Sale>,
}

/// Places sales and asks for the settlement of every scope that they leave or enter.
///
/// # Errors
/// The database's.
pub async fn place(tx: &mut Tx<'_>, ctx: &Context, mut batch: Vec<Placing>) -> Result<(), StoreError> {
    let ws = &ctx.workspace_id;
    let ids: Vec<String> = batch.iter().map(|placing| placing.sale.sale_id.clone()).collect();
    let evidence: Vec<Vec<EvidenceRow>> = evidence::of_sales(tx, ws, &ids)
        .await?
        .into_iter()
        .map(|rows| rows.into_iter().map(|(row, _)| row).collect())
        .collect();
    let buyers: Vec<String> = batch.iter().map(|placing| placing.sale.buyer_id.clone()).collect();
    let links = people::links(tx, ws, &ctx.connection_id, &buyers).await?;
    let mut dirty: BTreeSet<(String, String)> = BTreeSet::new();
    let mut poster = Poster::new(ws, ctx.now);
    for ((placing, evidence), links) in batch.iter_mut().zip(evidence).zip(links) {
        let sale = &mut placing.sale;
        let held = link::links_at(tx, ctx, &sale.buyer_id, &links, sale.occurred_at).await?;
        let place = match given(tx, ctx, sale, (&links, &held)).await? {
            Some(place) => place,
            None => find(tx, ctx, &evidence, (&links, &held), sale.occurred_at).await?,
        };
        let old = sale.program_id.clone().zip(sale.customer_id.clone());
        let new = place.target.clone();
        sale.unsettled |= old != new || sale.place_reason != place.reason;
        if sale.unsettled && evidence.iter().any(moves_customer) {
            // When this purchase happened decides whether its click stands and which of code and link goes first, for
            // every customer that the buyer is.
            dirty.extend(links.iter().map(|link| (link.program_id.clone(), link.customer_id.clone())));
        }
        (sale.program_id, sale.customer_id) = new.clone().unzip();
        sale.place_reason = place.reason;
        sale.unplaced = false;
        for loser in &mut placing.losers {
            dirty.extend(loser.program_id.clone().zip(loser.customer_id.clone()));
            (loser.program_id, loser.customer_id) = new.clone().unzip();
        }
        match new {
            Some(new) => {
                if sale.unsettled || !placing.losers.is_empty() {
                    dirty.insert(new.clone());
                }
                // The scope that a sale leaves counts its sales anew.
                dirty.extend(old.filter(|old| *old != new));
            }
            None => {
                dirty.extend(old);
                sale.outcome.clear();
                sale.unsettled = false;
                withdraw(tx, ctx, &mut poster, placing).await?;
            }
        }
    }
    poster.flush(tx).await?;
    let rows: Vec<&Sale> =
        batch.iter().flat_map(|placing| placing.losers.iter().chain([&placing.sale])).collect();
    sales::upsert(tx, ws, &rows, ctx.now).await?;
    scopes::raise_each(tx, ws, &ctx.mode, &dirty).await
}

/// A sale that belongs to nobody any more earns nothing.
async fn withdraw(
    tx: &mut Tx<'_>,
    ctx: &Context,
    poster: &mut Poster,
    placing: &mut Placing,
) -> Result<(), StoreError> {
    let mut ids = vec![placing.sale.sale_id.clone()];
    for loser in &mut placing.losers {
        loser.unsettled = false;
        ids.push(loser.sale_id.clone());
    }
    for commission in commissions::of_sales(tx, &ctx.workspace_id, &ids).await?.into_iter().flatten() {
        poster.withdraw(&commission, "moved", "the sale belongs to no customer of the program any more");
    }
    Ok(())
}

/// Does the time of the purchase decide what a piece says of the customer?
fn moves_customer(row: &EvidenceRow) -> bool {
    is_visit_id(&row.value) || row.kind == EvidenceKind::PromotionCode.as_str()
}

struct Place {
    target: Option<(String, String)>,
    reason: String,
}

/// A sale that somebody gave to a partner, or took from everybody, belongs to the program of that decision.
async fn given(
    tx: &mut Tx<'_>,
    ctx: &Context,
    sale: &Sale,
    (all, links): (&[Link], &[Link]),
) -> Result<Option<Place>, StoreError> {
    let ws = &ctx.workspace_id;
    for Fed { program_id, .. } in &ctx.programs {
        if !commissions::any_decision(tx, ws, program_id).await? {
            continue;
        }
        let Some(last) = decisions::of_sale(tx, ws, program_id, &sale.sale_id).await? else { continue };
        if last.value.is_empty() || last.value == AS_EVIDENCE_SAYS {
            continue;
        }
        let known = all.iter().filter(|link| !link.by_email);
        let link = match links.iter().chain(known).find(|link| link.program_id == *program_id) {
            Some(link) => Some(link.clone()),
            None => link::bear_given(tx, ctx, program_id, sale).await?,
        };
        if let Some(link) = link {
            let reason = "a decision gave the sale to a partner of this program".to_owned();
            return Ok(Some(Place { target: Some((link.program_id, link.customer_id)), reason }));
        }
    }
    Ok(None)
}

async fn find(
    tx: &mut Tx<'_>,
    ctx: &Context,
    evidence: &[EvidenceRow],
    (all, links): (&[Link], &[Link]),
    occurred_at: i64,
) -> Result<Place, StoreError> {
    let to = |link: &Link, reason: String| Place {
        target: Some((link.program_id.clone(), link.customer_id.clone())),
        reason,
    };
    let in_program = |program: &String| links.iter().find(|link| link.program_id == *program);
    let api = evidence.iter().find(|row| row.kind == EvidenceKind::Api.as_str());
    // A transaction was written for one program, whichever the connection feeds.
    if let Some(link) = api.and_then(|row| all.iter().find(|link| link.source_id == row.object_id)) {
        return Ok(to(link, "named by the API transaction".to_owned()));
    }
    // Evidence on the sale itself names the program.
    let fed: Vec<&Fed> = ctx.programs.iter().filter(|program| program.fed_at(occurred_at)).collect();
    for kind in order(ctx, &fed, occurred_at) {
        let named = named_by(tx, ctx, &fed, evidence, kind).await?;
        let mut programs = named.iter();
        match (programs.next(), programs.next()) {
            (Some((_, what)), Some(_)) if kind != EvidenceKind::ClientReference => {
                let reason = format!("the {what} fits two programs equally");
                return Ok(Place { target: None, reason });
            }
            (Some((program, what)), None) => {
                if let Some(link) = in_program(program) {
                    let reason = match kind {
                        EvidenceKind::PartnerMetadata => format!("the metadata of the sale names the {what}"),
                        _ => format!("the sale came with the {what}"),
                    };
                    return Ok(to(link, reason));
                }
            }
            _ => {}
        }
    }
    let Some(first) = links.first() else {
        return Ok(Place {
            target: None,
            reason: format!("nothing links the buyer to a customer or partner{}", foreign(evidence)),
        });
    };
    let ties = |link: &&Link| (link.effective_at, &link.source_id) == (first.effective_at, &first.source_id);
    if links.iter().filter(ties).count() > 1 {
        let reason = "the same evidence fits two programs equally".to_owned();
        return Ok(Place { target: None, reason });
    }
    let words = kind_words(&first.kind);
    Ok(to(first, format!("the buyer is known: {words}")))
}

/// The order in which evidence on a sale names its program: metadata, then link and code as the policies in force say
/// where they agree; where they do not, the link goes first.
fn order(ctx: &Context, fed: &[&Fed], occurred_at: i64) -> [EvidenceKind; 3] {
    use EvidenceKind::{ClientReference, PartnerMetadata, PromotionCode};
    let mut code_first = ctx.has_codes;
    for program in fed.iter().filter(|_| ctx.has_codes) {
        code_first &= policy_at(&program.policy, occurred_at).code_first;
    }
    if code_first {
        [PartnerMetadata, PromotionCode, ClientReference]
    } else {
        [PartnerMetadata, ClientReference, PromotionCode]
    }
}

/// The programs in which evidence of one kind names a partner, each with what it says.
async fn named_by(
    tx: &mut Tx<'_>,
    ctx: &Context,
    fed: &[&Fed],
    evidence: &[EvidenceRow],
    kind: EvidenceKind,
) -> Result<BTreeMap<String, String>, StoreError> {
    let ws = &ctx.workspace_id;
    let mut named = BTreeMap::new();
    // With one program there is nothing to choose.
    if fed.len() < 2 && kind != EvidenceKind::PartnerMetadata {
        return Ok(named);
    }
    for row in evidence.iter().filter(|row| row.kind == kind.as_str()) {
        for Fed { program_id, .. } in fed {
            let what = match kind {
                EvidenceKind::PromotionCode => {
                    let place = (ws.as_str(), program_id.as_str(), ctx.connection_id.as_str());
                    let found = codes::look_up(tx, place, &row.value, row.effective_at).await?;
                    found
                        .filter(|found| found.owner.is_some())
                        .map(|found| format!("promotion code “{}”", found.shown))
                }
                EvidenceKind::ClientReference if is_visit_id(&row.value) => {
                    let visit = visit_of(tx, ws, &ctx.mode, program_id, kind, &row.value).await?;
                    visit.map(|_| "click on a referral link".to_owned())
                }
                _ => people::find_partner_by_key(tx, ws, program_id, &row.value)
                    .await?
                    .map(|_| format!("partner key “{}”", row.value)),
            };
            if let Some(what) = what {
                named.insert(program_id.clone(), what);
            }
        }
    }
    Ok(named)
}

/// What came along and fits nobody, in words.
fn foreign(evidence: &[EvidenceRow]) -> String {
    let reference = evidence.iter().find(|row| row.kind == EvidenceKind::ClientReference.as_str());
    let code = evidence.iter().find(|row| row.kind == EvidenceKind::PromotionCode.as_str());
    match (reference, code) {
        (Some(row), _) => {
            let long =
                if row.value.ends_with('…') { ", longer than the 200 characters of Stripe" } else { "" };
            format!(
                "; its client_reference_id “{}”{long} is no visit, partner's key or customer's key here",
                row.value
            )
        }
        (None, Some(row)) => format!("; its promotion code {} belongs to no partner", row.value),
        (None, None) => String::new(),
    }
}

fn kind_words(kind: &str) -> &'static str {
    if kind == "erasure" {
        return "as it stood when the person was erased";
    }
    EvidenceKind::ALL
        .iter()
        .find(|known| known.as_str() == kind)
        .map_or(if kind == link::GIVEN { "by a decision" } else { "by a link" }, |kind| kind.words())
}

/// Places sales that were marked because what is known of their buyer changed.
pub struct PlaceMarked {
    /// The workspace.
    pub workspace_id: String,
    /// The connection.
    pub connection_id: String,
    /// `test` or `live`.
    pub mode: String,
    /// ms UTC.
    pub now: i64,
    /// At most so many.
    pub limit: i64,
}

impl Unit for PlaceMarked {
    type Out = usize;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<usize, StoreError> {
        let (ws, con) = (&self.workspace_id, &self.connection_id);
        tx.remember_settings();
        objects::lock_connection(tx, ws, con).await?;
        let marked = sales::unplaced(tx, ws, con, self.limit).await?;
        let count = marked.len();
        if count > 0 {
            let ctx = Context::load(tx, ws, con, &self.mode, self.now, 0).await?;
            let batch = marked.into_iter().map(|sale| Placing { sale, losers: Vec::new() }).collect();
            place(tx, &ctx, batch).await?;
        }
        Ok(count)
    }
}
