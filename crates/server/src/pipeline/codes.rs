//! Promotion codes: whose they are, which texts their ids stand for, and what has to be looked at again when either is
//! learnt.

use super::context::Context;
use super::project::People;
use super::{fetch, link};
use std::collections::BTreeSet;
use tributary_domain::fact::Field;
use tributary_domain::merge::ObjectState;
use tributary_domain::sale::{Need, read_sale};
use tributary_store::connections::feeds;
use tributary_store::pipeline::codes::{self, PartnerCode};
use tributary_store::pipeline::{evidence, jobs, objects, people, sales, scopes};
use tributary_store::{StoreError, Tx};

/// What is known of a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its text, else its id.
    pub shown: String,
    /// Who owned it: our id and the public key.
    pub owner: Option<(String, String)>,
}

/// Looks a promotion code up in (workspace, program, connection) as it was owned at an instant (ms UTC): by its id first,
/// by its text second. `None` where no partner of the program has codes.
///
/// # Errors
/// The database's.
pub async fn look_up(
    tx: &mut Tx<'_>,
    (ws, program_id, connection_id): (&str, &str, &str),
    promo_id: &str,
    at: i64,
) -> Result<Option<Found>, StoreError> {
    if !codes::any(tx, ws, program_id).await? {
        return Ok(None);
    }
    let name = codes::name_of(tx, ws, connection_id, promo_id).await?.unwrap_or_default();
    let owners = codes::owners(tx, ws, program_id, promo_id, &name).await?;
    let holds = |one: &&PartnerCode| one.holds_at(at);
    let by_id = owners.iter().filter(holds).find(|one| one.promo_id == promo_id);
    let owner = by_id.or_else(|| owners.iter().find(holds));
    let known = owner.map(|one| one.code.clone()).filter(|code| name.is_empty() && !code.is_empty());
    let shown = known.unwrap_or(if name.is_empty() { promo_id.to_owned() } else { name });
    let owner = match owner {
        Some(one) => {
            let key = people::partner_key(tx, ws, &one.partner_id).await?.unwrap_or_default();
            Some((one.partner_id.clone(), key))
        }
        None => None,
    };
    Ok(Some(Found { shown, owner }))
}

/// Writes down which texts the ids stand for, and looks again at the purchases that named them.
///
/// # Errors
/// The database's.
pub async fn learn(tx: &mut Tx<'_>, ctx: &Context, touched: &[ObjectState]) -> Result<(), StoreError> {
    let (ws, con) = (&ctx.workspace_id, &ctx.connection_id);
    let mut news = Vec::new();
    for state in touched {
        let code = state.text(Field::Code);
        // What Stripe does not know has no text; what nobody said yet is still to be asked.
        let Some(code) = code.or_else(|| state.flag(Field::Missing).then_some("")) else { continue };
        if codes::set_name(tx, ws, con, &state.id, code).await? {
            news.push(state.id.clone());
        }
    }
    if ctx.has_codes { look_again(tx, ctx, &news).await } else { Ok(()) }
}

/// Looks again at the purchases of a connection that named any of the ids.
async fn look_again(tx: &mut Tx<'_>, ctx: &Context, promo_ids: &[String]) -> Result<(), StoreError> {
    let (ws, con) = (&ctx.workspace_id, &ctx.connection_id);
    let mut buyers = BTreeSet::new();
    for promo_id in promo_ids {
        for program in &ctx.programs {
            let found = evidence::buyers_with_value(tx, ws, &program.program_id, promo_id).await?;
            buyers.extend(found.into_iter().filter(|(of, _)| of == con).map(|(_, buyer)| buyer));
        }
    }
    for buyer in &buyers {
        link::resolve(tx, ctx, buyer, &People::new()).await?;
        sales::mark_unplaced(tx, ws, con, buyer).await?;
    }
    let buyers: Vec<String> = buyers.into_iter().collect();
    for link in people::links(tx, ws, con, &buyers).await?.into_iter().flatten() {
        scopes::raise(tx, ws, &ctx.mode, &link.program_id, &link.customer_id, true).await?;
    }
    Ok(())
}

/// Asks Stripe for the texts of ids that a purchase named and nobody explained.
///
/// # Errors
/// The database's.
pub async fn ask_names(
    tx: &mut Tx<'_>,
    ctx: &Context,
    promo_ids: &BTreeSet<String>,
) -> Result<(), StoreError> {
    if !ctx.has_codes || !ctx.is_stripe() {
        return Ok(());
    }
    let mut bodies = Vec::new();
    for promo_id in promo_ids {
        if codes::name_of(tx, &ctx.workspace_id, &ctx.connection_id, promo_id).await?.is_none() {
            bodies.push(fetch::body_of(&ctx.connection_id, &Need::Object(promo_id.clone()))?);
        }
    }
    let run_at = ctx.now.saturating_add(ctx.link_delay_ms);
    jobs::enqueue(tx, &ctx.workspace_id, fetch::KIND, &bodies, run_at, ctx.now).await
}

/// To be called in the unit that gave a code to a partner or took it away: purchases that used it are looked at again. With
/// the first code of a program its earlier purchases are looked through, too.
///
/// # Errors
/// The database's.
pub async fn changed(
    tx: &mut Tx<'_>,
    ws: &str,
    code: &PartnerCode,
    first: bool,
    now: i64,
) -> Result<(), StoreError> {
    objects::lock_program(tx, ws, &code.program_id).await?;
    for connection in feeds::connections_of(tx, ws, &code.program_id).await? {
        let con = &connection.connection_id;
        let ctx = Context::load(tx, ws, con, &connection.mode, now, 0).await?;
        let mut ids = codes::ids_of(tx, ws, con, &code.code).await?;
        ids.extend((!code.promo_id.is_empty()).then(|| code.promo_id.clone()));
        look_again(tx, &ctx, &ids).await?;
        if first {
            look_through(tx, &ctx).await?;
        }
    }
    Ok(())
}

/// Asks Stripe for what nobody needed to know while no partner had a code.
async fn look_through(tx: &mut Tx<'_>, ctx: &Context) -> Result<(), StoreError> {
    let (ws, con) = (&ctx.workspace_id, &ctx.connection_id);
    let nameless: BTreeSet<String> = codes::nameless(tx, ws, con).await?.into_iter().collect();
    ask_names(tx, ctx, &nameless).await?;
    let mut bodies = Vec::new();
    for sale_id in codes::reduced_sales(tx, ws, con).await? {
        let members = objects::load_members(tx, ws, &[sale_id]).await?;
        let members = members.into_iter().map(|(id, alias)| (id, alias.state)).collect();
        let needs = read_sale(&members).map(|view| view.needs).unwrap_or_default();
        for need in needs.iter().filter(|need| matches!(need, Need::CodesOf(_))) {
            bodies.push(fetch::body_of(con, need)?);
        }
    }
    jobs::enqueue(tx, ws, fetch::KIND, &bodies, ctx.now, ctx.now).await
}
