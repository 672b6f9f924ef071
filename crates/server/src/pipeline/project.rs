//! From sources to sales: merge what they say, read each purchase anew, and file it.
//!
//! Everything happens in the caller's transaction, under the connection's lock. The result does not depend on
//! the order or number of the sources.

use super::adopt;
use super::codes;
use super::context::Context;
use super::erase::redact::redacted;
use super::evidence::{self, Refile};
use super::link;
use super::place::{self, Placing};
use super::world::{Group, Source, World};
use std::collections::{BTreeMap, BTreeSet};
use tributary_domain::fact::Kind;
use tributary_domain::ids;
use tributary_domain::merge::ObjectState;
use tributary_domain::sale::{Buyer, EvidenceKind, Need, SaleState, SaleView, read_sale};
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
    let redacted = redacted(tx, ctx, sources, people).await?;
    let (sources, people) = redacted.as_ref().map_or((sources, people), |(s, p)| (s.as_slice(), p));
    let adopted = adopt::wanted(tx, ctx, sources).await?;
    if !adopted.is_empty() {
        let (moving, joined): (Vec<_>, Vec<_>) = adopted.into_iter().unzip();
        let sources: Vec<Source> = sources.iter().cloned().chain(joined).collect();
        take_in(tx, ctx, &sources, people).await?;
        return adopt::leave(tx, ctx, &moving).await;
    }
    take_in(tx, ctx, sources, people).await
}

/// From sources, already looked over, to sales.
pub(super) async fn take_in(
    tx: &mut Tx<'_>,
    ctx: &Context,
    sources: &[Source],
    people: &People,
) -> Result<(), StoreError> {
    let facts: Vec<_> = sources.iter().map(|s| (s.source_id.as_str(), s.facts.as_slice())).collect();
    objects::insert_facts(tx, &ctx.workspace_id, &ctx.connection_id, &facts).await?;
    let world = World::build(tx, ctx, sources).await?;
    project(tx, ctx, world, people).await
}

/// Reads purchases and customers again from what is known of their objects.
///
/// # Errors
/// The database's.
pub async fn read_again(tx: &mut Tx<'_>, ctx: &Context, ids: &BTreeSet<String>) -> Result<(), StoreError> {
    objects::lock_connection(tx, &ctx.workspace_id, &ctx.connection_id).await?;
    let world = World::of(tx, ctx, ids).await?;
    project(tx, ctx, world, &People::new()).await
}

/// From the objects that were touched to sales in their places.
async fn project(
    tx: &mut Tx<'_>,
    ctx: &Context,
    mut world: World,
    people: &People,
) -> Result<(), StoreError> {
    let groups = world.groups(tx, ctx).await?;
    let known = stored_sales(tx, ctx, &groups).await?;
    let mut changes = Vec::with_capacity(groups.len());
    for group in &groups {
        changes.extend(read_group(ctx, &mut world, group, &known)?);
    }
    enqueue_needs(tx, ctx, &changes).await?;
    world.save(tx, ctx).await?;
    let hinted = refile_all(tx, ctx, &world, &mut changes).await?;
    // Losers first: they give the root free that a winner may take. A winner is written once it has its place.
    let losers: Vec<&Sale> = changes.iter().flat_map(|change| &change.losers).collect();
    if !losers.is_empty() {
        sales::upsert(tx, &ctx.workspace_id, &losers, ctx.now).await?;
    }
    let new_buyers = changes.iter().filter(|change| change.new_buyer).map(|change| &change.sale.buyer_id);
    link::resolve_buyers(tx, ctx, &hinted, new_buyers, people).await?;
    let placing = changes.into_iter().map(|change| Placing { sale: change.sale, losers: change.losers });
    place::place(tx, ctx, placing.collect()).await?;
    let codes = world.touched_apart().filter(|state| state.kind == Kind::PromotionCode);
    let codes: Vec<ObjectState> = codes.cloned().collect();
    codes::learn(tx, ctx, &codes).await
}

/// The sales that the groups were filed under, as they are stored.
async fn stored_sales(
    tx: &mut Tx<'_>,
    ctx: &Context,
    groups: &[Group],
) -> Result<BTreeMap<String, Sale>, StoreError> {
    let ids: Vec<String> = groups.iter().flat_map(|group| group.sale_ids.iter().cloned()).collect();
    let stored = sales::load(tx, &ctx.workspace_id, &ids).await?;
    Ok(stored.into_iter().map(|sale| (sale.sale_id.clone(), sale)).collect())
}

/// What a group's reading changed.
struct Change {
    sale: Sale,
    losers: Vec<Sale>,
    view: SaleView,
    new_buyer: bool,
}

/// Reads one purchase; `None` if its objects make none yet.
fn read_group(
    ctx: &Context,
    world: &mut World,
    group: &Group,
    stored: &BTreeMap<String, Sale>,
) -> Result<Option<Change>, StoreError> {
    let Some(view) = read_sale(&world.members(group)) else { return Ok(None) };
    let mut known: Vec<Sale> = group.sale_ids.iter().filter_map(|id| stored.get(id)).cloned().collect();
    known.retain(|sale| sale.merged_into.is_none());
    // The winner is the sale that has the root already, else the first by id.
    known.sort_by_key(|sale| (sale.root_id != view.root_id, sale.sale_id.clone()));
    // A sale whose row was lost is made again under the id that its aliases kept: the ledger names it by that.
    // What was filed meanwhile under another id is merged into it.
    let lost = group.sale_ids.iter().find(|id| !stored.contains_key(*id));
    let mut known = known.into_iter();
    let before = if lost.is_some() { None } else { known.next() };
    let mut losers: Vec<Sale> = known.collect();
    let sale = sale_of(ctx, &view, before.as_ref(), lost)?;
    for id in &group.ids {
        world.file(id, &sale.sale_id);
    }
    for loser in &mut losers {
        loser.merge_into(&sale.sale_id);
    }
    let new_buyer = before.as_ref().is_none_or(|before| before.buyer_id != sale.buyer_id);
    Ok(Some(Change { sale, losers, view, new_buyer }))
}

/// What must be asked of Stripe: what every sale needs, and what the programs' terms look at.
pub fn needs_of(ctx: &Context, view: &SaleView) -> impl Iterator<Item = Need> {
    let wants = ctx.wants_at(view.occurred_at);
    let fees = view.fee_needs.iter().filter(move |_| wants.fees);
    let lines = view.line_needs.iter().filter(move |_| wants.lines);
    let off = view.off_needs.iter().filter(move |_| wants.off_stripe);
    let codes = ctx.has_codes;
    let needs = view.needs.iter().filter(move |need| codes || !matches!(need, Need::CodesOf(_)));
    let all: BTreeSet<Need> = needs.chain(fees).chain(lines).chain(off).cloned().collect();
    all.into_iter()
}

/// The row of a sale: its reading, and what placement and settlement said before.
fn sale_of(
    ctx: &Context,
    view: &SaleView,
    before: Option<&Sale>,
    lost: Option<&String>,
) -> Result<Sale, StoreError> {
    let wants = ctx.wants_at(view.occurred_at);
    let wanting = (wants.fees && !view.fee_needs.is_empty())
        || (wants.lines && !view.line_needs.is_empty())
        || (wants.off_stripe && !view.off_needs.is_empty());
    let waiting = matches!(view.state, SaleState::AwaitingLink | SaleState::AwaitingParent)
        || (wanting && ctx.is_stripe());
    let mut sale = Sale {
        sale_id: before.map_or_else(
            || {
                let parts = [&*ctx.workspace_id, &ctx.connection_id, &view.root_id];
                lost.cloned().unwrap_or_else(|| ids::derived("sal", &parts))
            },
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
        lost: view.lost.clamp(0, (view.captured - view.refunded).max(0)),
        disputed: view.disputed.max(0),
        detail: serde_json::to_string(&view.detail).map_err(|e| StoreError::Inconsistent(e.to_string()))?,
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
    Ok(sale)
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

async fn enqueue_needs(tx: &mut Tx<'_>, ctx: &Context, changes: &[Change]) -> Result<(), StoreError> {
    if !ctx.is_stripe() {
        return Ok(());
    }
    ask_for(tx, ctx, changes.iter().flat_map(|change| needs_of(ctx, &change.view))).await
}

/// Asks, by jobs, for what a sale lacks that came under terms which look at more than those that it was read for.
///
/// # Errors
/// The database's.
pub async fn ask_again(tx: &mut Tx<'_>, workspace_id: &str, sale: &Sale, now: i64) -> Result<(), StoreError> {
    let ctx = Context::load(tx, workspace_id, &sale.connection_id, &sale.mode, now, 0).await?;
    let members = World::members_of(tx, &ctx, &sale.root_id).await?;
    match read_sale(&members).filter(|_| ctx.is_stripe()) {
        Some(view) => ask_for(tx, &ctx, needs_of(&ctx, &view)).await,
        None => Ok(()),
    }
}

async fn ask_for(
    tx: &mut Tx<'_>,
    ctx: &Context,
    needs: impl Iterator<Item = Need>,
) -> Result<(), StoreError> {
    let bodies = needs.map(|need| super::fetch::body_of(&ctx.connection_id, &need));
    let bodies = bodies.collect::<Result<Vec<_>, _>>()?;
    let run_at = ctx.now.saturating_add(ctx.link_delay_ms);
    jobs::enqueue(tx, &ctx.workspace_id, super::fetch::KIND, &bodies, run_at, ctx.now).await
}

/// Files the evidence of the customers and sales that changed. Returns the buyers whose hints changed.
async fn refile_all(
    tx: &mut Tx<'_>,
    ctx: &Context,
    world: &World,
    changes: &mut [Change],
) -> Result<BTreeSet<String>, StoreError> {
    let (ws, con) = (&ctx.workspace_id, &ctx.connection_id);
    let customers: Vec<_> =
        world.touched_apart().filter(|state| evidence::party_of(state).is_some()).collect();
    let ids: Vec<&str> = customers.iter().map(|state| state.id.as_str()).collect();
    let mut pieces = Vec::with_capacity(changes.len() + customers.len());
    let of_sales: Vec<Vec<String>> = changes
        .iter()
        .map(|change| {
            let losers = change.losers.iter().map(|loser| loser.sale_id.clone());
            std::iter::once(change.sale.sale_id.clone()).chain(losers).collect()
        })
        .collect();
    let mut filed = evidence_sql::of_sales(tx, ws, &of_sales.concat()).await?.into_iter();
    for (change, ids) in changes.iter_mut().zip(&of_sales) {
        let mut old: Vec<_> = filed.by_ref().take(ids.len()).flatten().collect();
        old.sort();
        let piece = Refile {
            sale_id: Some(change.sale.sale_id.clone()),
            buyer_id: change.sale.buyer_id.clone(),
            old,
            new: evidence::rows_of(&change.view.evidence),
            moved: !change.losers.is_empty(),
        };
        // Other evidence may name another partner, though no figure of the sale has changed.
        change.sale.unsettled |= piece.is_change();
        pieces.push(piece);
    }
    if !ids.is_empty() {
        let filed = evidence_sql::of_buyer_objects(tx, ws, con, &ids).await?;
        for (state, mut old) in customers.into_iter().zip(filed) {
            old.sort();
            let Some(buyer_id) = evidence::party_of(state).map(str::to_owned) else { continue };
            pieces.push(Refile {
                sale_id: None,
                buyer_id,
                old,
                new: evidence::of_party(state),
                moved: false,
            });
        }
    }
    let kinds = [EvidenceKind::PromotionCode.as_str(), EvidenceKind::StandingCode.as_str()];
    let named = pieces.iter().flat_map(|piece| &piece.new).filter(|row| kinds.contains(&row.kind.as_str()));
    codes::ask_names(tx, ctx, &named.map(|row| row.value.clone()).collect()).await?;
    evidence::refile(tx, ctx, &pieces).await
}
