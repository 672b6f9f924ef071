//! To which program and customer a sale belongs: the one named by evidence on the sale itself, else the
//! buyer's oldest link. A key that fits two programs equally gives nobody, with that reason.

use super::context::Context;
use super::post::Poster;
use std::collections::{BTreeMap, BTreeSet};
use tributary_domain::attribution::is_visit_id;
use tributary_domain::sale::EvidenceKind;
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
        let place = find(tx, ctx, &evidence, &links).await?;
        let old = sale.program_id.clone().zip(sale.customer_id.clone());
        let new = place.target.clone();
        sale.unsettled |= old != new || sale.place_reason != place.reason;
        if sale.unsettled && evidence.iter().any(|row| is_visit_id(&row.value)) {
            // When this purchase happened decides whether its click stands, for every customer that the buyer is.
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

struct Place {
    target: Option<(String, String)>,
    reason: String,
}

async fn find(
    tx: &mut Tx<'_>,
    ctx: &Context,
    evidence: &[EvidenceRow],
    links: &[Link],
) -> Result<Place, StoreError> {
    let to = |link: &Link, reason: String| Place {
        target: Some((link.program_id.clone(), link.customer_id.clone())),
        reason,
    };
    let in_program = |program: &String| links.iter().find(|link| link.program_id == *program);
    // Evidence on the sale itself names the program.
    let mut named: BTreeMap<String, String> = BTreeMap::new();
    for row in evidence.iter().filter(|row| row.kind == EvidenceKind::PartnerMetadata.as_str()) {
        for program in &ctx.programs {
            let found =
                people::find_partner_by_key(tx, &ctx.workspace_id, &program.program_id, &row.value).await?;
            if found.is_some() {
                named.insert(program.program_id.clone(), row.value.clone());
            }
        }
    }
    let api = evidence.iter().find(|row| row.kind == EvidenceKind::Api.as_str());
    if let Some(link) = api.and_then(|row| links.iter().find(|link| link.source_id == row.object_id)) {
        return Ok(to(link, "named by the API transaction".to_owned()));
    }
    let mut programs = named.iter();
    match (programs.next(), programs.next()) {
        (Some((_, key)), Some(_)) => {
            let reason = format!("the partner key “{key}” fits two programs equally");
            return Ok(Place { target: None, reason });
        }
        (Some((program, key)), None) => {
            if let Some(link) = in_program(program) {
                return Ok(to(link, format!("the metadata of the sale names the partner key “{key}”")));
            }
        }
        (None, _) => {}
    }
    let Some(first) = links.first() else {
        return Ok(Place {
            target: None,
            reason: "nothing links the buyer to a customer or partner".to_owned(),
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

fn kind_words(kind: &str) -> &'static str {
    const KINDS: [EvidenceKind; 8] = [
        EvidenceKind::PartnerMetadata,
        EvidenceKind::CustomerMetadata,
        EvidenceKind::ClientReference,
        EvidenceKind::CustomerPartnerMetadata,
        EvidenceKind::SignUp,
        EvidenceKind::StripeId,
        EvidenceKind::Email,
        EvidenceKind::Api,
    ];
    if kind == "erasure" {
        return "as it stood when the person was erased";
    }
    KINDS.iter().find(|known| known.as_str() == kind).map_or("by a link", |kind| kind.words())
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
