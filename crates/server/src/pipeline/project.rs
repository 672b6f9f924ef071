//! From sources to sales: merge what they say, read each purchase anew, and file it.
//!
//! Everything happens in the caller's transaction, under the connection's lock. The result does not depend on
//! the order or number of the sources.

use super::context::Context;
use super::place::{self, Placing};
use super::world::{Group, Source, World};
use super::{evidence, link};
use std::collections::{BTreeMap, BTreeSet};
use tributary_domain::ids;
use tributary_domain::sale::{Buyer, SaleState, SaleView, read_sale};
use tributary_store::pipeline::{evidence as evidence_sql, jobs, objects, sales, sales::Sale};
use tributary_store::{StoreError, Tx};

/// Name and address of a buyer, in clear, for display only.
#[derive(Debug, Clone, Default)]
pub struct Person {
    /// As written; may be empty.
    pub email: String,
    /// As written; may be empty.
    pub name: String,
}

/// People by the id of the Stripe customer or object that showed them.
pub type People = BTreeMap<String, Person>;

/// Takes in sources.
///
/// # Errors
/// The database's; then nothing of the batch was kept.
pub async fn ingest(
    tx: &mut Tx<'_>,
    ctx: &Context,
    sources: &[Source],
    people: &People,
) -> Result<(), StoreError> {
    objects::lock_connection(tx, &ctx.workspace_id, &ctx.connection_id).await?;
    let facts: Vec<_> = sources.iter().map(|s| (s.source_id.as_str(), s.facts.as_slice())).collect();
    objects::insert_facts(tx, &ctx.workspace_id, &ctx.connection_id, &facts).await?;
    let mut world = World::build(tx, ctx, sources).await?;
    let groups = world.groups(tx, ctx).await?;
    let mut changes = Vec::with_capacity(groups.len());
    for group in &groups {
        changes.extend(read_group(tx, ctx, &mut world, group).await?);
    }
    world.save(tx, ctx).await?;
    let mut hinted = refile_customers(tx, ctx, &world).await?;
    for change in &mut changes {
        if let Some(buyers) = refile_sale(tx, ctx, change).await? {
            hinted.extend(buyers);
            // Other evidence may name another partner, though no figure of the sale has changed.
            change.sale.unsettled = true;
        }
    }
    let all_losers: Vec<&Sale> = changes.iter().flat_map(|change| &change.losers).collect();
    // Losers first: they give the root free that a winner may take.
    sales::upsert(tx, &ctx.workspace_id, &all_losers, ctx.now).await?;
    let winners: Vec<&Sale> = changes.iter().map(|change| &change.sale).collect();
    sales::upsert(tx, &ctx.workspace_id, &winners, ctx.now).await?;
    let new_buyers = changes.iter().filter(|change| change.new_buyer).map(|change| &change.sale.buyer_id);
    link::resolve_buyers(tx, ctx, &hinted, new_buyers, people).await?;
    let placing = changes.into_iter().map(|change| Placing { sale: change.sale, losers: change.losers });
    place::place(tx, ctx, placing.collect()).await
}

/// What a group's reading changed.
struct Change {
    sale: Sale,
    losers: Vec<Sale>,
    view: SaleView,
    new_buyer: bool,
}

/// Reads one purchase; `None` if the stored sale says the same already.
async fn read_group(
    tx: &mut Tx<'_>,
    ctx: &Context,
    world: &mut World,
    group: &Group,
) -> Result<Option<Change>, StoreError> {
    let Some(view) = read_sale(&world.members(group)) else { return Ok(None) };
    let ids: Vec<String> = group.sale_ids.iter().cloned().collect();
    let mut known = sales::load(tx, &ctx.workspace_id, &ids).await?;
    known.retain(|sale| sale.merged_into.is_none());
    // The winner is the sale that has the root already, else the first by id.
    known.sort_by_key(|sale| (sale.root_id != view.root_id, sale.sale_id.clone()));
    let mut known = known.into_iter();
    let before = known.next();
    let mut losers: Vec<Sale> = known.collect();
    let sale = sale_of(ctx, &view, before.as_ref());
    for id in &group.ids {
        world.file(id, &sale.sale_id);
    }
    for loser in &mut losers {
        loser.merged_into = Some(sale.sale_id.clone());
        loser.state = "merged".to_owned();
        loser.awaiting_since = None;
        (loser.unplaced, loser.unsettled) = (false, true);
    }
    enqueue_needs(tx, ctx, &view).await?;
    let new_buyer = before.as_ref().is_none_or(|before| before.buyer_id != sale.buyer_id);
    Ok(Some(Change { sale, losers, view, new_buyer }))
}

/// The row of a sale: its reading, and what placement and settlement said before.
fn sale_of(ctx: &Context, view: &SaleView, before: Option<&Sale>) -> Sale {
    let waiting = matches!(view.state, SaleState::AwaitingLink | SaleState::AwaitingParent);
    let mut sale = Sale {
        sale_id: before.map_or_else(
            || ids::derived("sal", &[&ctx.workspace_id, &ctx.connection_id, &view.root_id]),
            |sale| sale.sale_id.clone(),
        ),
        connection_id: ctx.connection_id.clone(),
        mode: ctx.mode.clone(),
        merged_into: None,
        root_id: view.root_id.clone(),
        state: view.state.as_str().to_owned(),
        occurred_at: view.occurred_at,
        currency: view.currency.clone(),
        total: view.total.max(0),
        tax: view.tax,
        shipping: view.shipping,
        discount: view.discount,
        paid: view.paid.clamp(0, view.total.max(0)),
        captured: view.captured.max(0),
        refunded: view.refunded.clamp(0, view.captured.max(0)),
        tax_unknown: view.tax_unknown,
        rewardable: view.rewardable,
        fixed_reward: view.fixed_reward,
        buyer_id: buyer_id(&view.buyer),
        email_hash: view.email_hash.clone(),
        awaiting_since: waiting.then(|| before.and_then(|b| b.awaiting_since).unwrap_or(ctx.now)),
        program_id: before.and_then(|sale| sale.program_id.clone()),
        customer_id: before.and_then(|sale| sale.customer_id.clone()),
        place_reason: before.map(|sale| sale.place_reason.clone()).unwrap_or_default(),
        unplaced: before.is_some_and(|sale| sale.unplaced),
        unsettled: before.is_some_and(|sale| sale.unsettled),
        outcome: before.map(|sale| sale.outcome.clone()).unwrap_or_default(),
    };
    sale.unsettled |= before != Some(&sale);
    sale
}

/// A buyer's key.
#[must_use]
pub fn buyer_id(buyer: &Buyer) -> String {
    match buyer {
        Buyer::Customer(id) => id.clone(),
        Buyer::Guest(hash) => format!("guest:{hash}"),
        Buyer::Unknown(root) => format!("unknown:{root}"),
        Buyer::Api(customer) => format!("api:{customer}"),
    }
}

async fn enqueue_needs(tx: &mut Tx<'_>, ctx: &Context, view: &SaleView) -> Result<(), StoreError> {
    if !ctx.is_stripe() {
        return Ok(());
    }
    for need in &view.needs {
        let body = super::fetch::body_of(&ctx.connection_id, need)?;
        let run_at = ctx.now.saturating_add(ctx.link_delay_ms);
        jobs::enqueue(tx, &ctx.workspace_id, super::fetch::KIND, &body, &body, run_at, ctx.now).await?;
    }
    Ok(())
}

async fn refile_customers(
    tx: &mut Tx<'_>,
    ctx: &Context,
    world: &World,
) -> Result<BTreeSet<String>, StoreError> {
    let mut hinted = BTreeSet::new();
    for state in world.touched_customers() {
        let (ws, con) = (&ctx.workspace_id, &ctx.connection_id);
        let mut old_sorted = evidence_sql::of_buyer_object(tx, ws, con, &state.id).await?;
        old_sorted.sort();
        let new = evidence::of_customer(state);
        hinted
            .extend(evidence::refile(tx, ctx, None, &state.id, &old_sorted, &new).await?.unwrap_or_default());
    }
    Ok(hinted)
}

async fn refile_sale(
    tx: &mut Tx<'_>,
    ctx: &Context,
    change: &Change,
) -> Result<Option<BTreeSet<String>>, StoreError> {
    let mut ids = vec![change.sale.sale_id.clone()];
    ids.extend(change.losers.iter().map(|loser| loser.sale_id.clone()));
    let mut old: Vec<_> =
        evidence_sql::of_sales(tx, &ctx.workspace_id, &ids).await?.into_iter().flatten().collect();
    old.sort();
    let new = evidence::rows_of(&change.view.evidence);
    let (sale_id, buyer) = (Some(change.sale.sale_id.as_str()), change.sale.buyer_id.as_str());
    evidence::refile(tx, ctx, sale_id, buyer, &old, &new).await
}
