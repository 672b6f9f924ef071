//! What the API wrote under the id of a Stripe object, while another connection (or none) was known for it, goes to the
//! connection whose source names that object: one purchase, one sale, whichever was told first.

use super::context::Context;
use super::evidence::{self, Refile};
use super::project::{People, take_in};
use super::transactions::{Stored, object_id};
use super::world::Source;
use super::{link, place};
use std::collections::BTreeSet;
use tributary_domain::fact::Kind;
use tributary_domain::merge::ObjectState;
use tributary_store::pipeline::{evidence as evidence_sql, objects, sales, sales::Sale};
use tributary_store::{P, StoreError, Tx};

/// A transaction that lies with another connection than the one that tells of its purchase.
#[derive(Debug)]
pub struct Moving {
    row: Stored,
    /// Where it lies.
    from: String,
    /// The sale that it made there.
    sale: Sale,
}

/// May a key of the API be the id of an object of a purchase?
#[must_use]
pub fn names_purchase(key: &str) -> bool {
    Kind::of_stripe_id(key).is_some_and(|kind| kind != Kind::Customer)
}

/// Transactions that lie elsewhere, and whose purchase the sources name. Their facts join the sources.
///
/// # Errors
/// The database's.
pub async fn wanted(
    tx: &mut Tx<'_>,
    ctx: &Context,
    sources: &[Source],
) -> Result<Vec<(Moving, Source)>, StoreError> {
    let mut moving = Vec::new();
    if !ctx.is_stripe() || !any(tx, ctx).await? {
        return Ok(moving);
    }
    let mut ids: BTreeSet<String> = BTreeSet::new();
    for fact in sources.iter().flat_map(|source| &source.facts) {
        let state = ObjectState::from_fact(fact, "");
        ids.extend(state.links().map(str::to_owned));
        ids.insert(state.id);
    }
    let ids: Vec<String> = ids.into_iter().filter(|id| names_purchase(id)).collect();
    for program in &ctx.programs {
        for (row, from) in elsewhere(tx, ctx, &program.program_id, &ids).await? {
            if let Some(sale) = movable(tx, ctx, &row, &from).await? {
                let source = row.source(true);
                moving.push((Moving { row, from, sale }, source));
            }
        }
    }
    Ok(moving)
}

/// The connection that ever fed a program and has told of a purchase by one of its objects' ids.
///
/// # Errors
/// The database's.
pub async fn told_by(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    mode: &str,
    program_id: &str,
    key: &str,
) -> Result<Option<String>, StoreError> {
    let sql = "SELECT c.connection_id FROM feed_span cp JOIN connection c \
         ON c.workspace_id = cp.workspace_id AND c.connection_id = cp.connection_id \
         JOIN alias a ON a.workspace_id = cp.workspace_id AND a.connection_id = cp.connection_id AND a.object_id = $4 \
         WHERE cp.workspace_id = $1 AND cp.program_id = $2 AND c.mode = $3 \
         AND EXISTS (SELECT 1 FROM alias m WHERE m.workspace_id = a.workspace_id AND m.sale_id = a.sale_id \
         AND m.state IS NOT NULL AND m.object_id <> $5) ORDER BY c.connection_id LIMIT 1";
    let own = object_id(program_id, key);
    let params = [P::T(workspace_id), P::T(program_id), P::T(mode), P::T(key), P::T(&own)];
    tx.opt(sql, &params).await?.map(|row| row.text(0)).transpose()
}

/// Brings a transaction to the connection that has told of its purchase, if it lies elsewhere.
///
/// # Errors
/// The database's.
pub async fn go_home(tx: &mut Tx<'_>, lies: &Context, row: &Stored) -> Result<(), StoreError> {
    if !names_purchase(&row.key) {
        return Ok(());
    }
    let ws = &lies.workspace_id;
    let home = told_by(tx, ws, &lies.mode, &row.program_id, &row.key).await?;
    let Some(home) = home.filter(|home| *home != lies.connection_id) else { return Ok(()) };
    let Some(sale) = movable(tx, lies, row, &lies.connection_id).await? else { return Ok(()) };
    let ctx = Context::locked(tx, ws, &home, &lies.mode, lies.now, 0).await?;
    take_in(tx, &ctx, &[row.source(true)], &People::new()).await?;
    leave(tx, &ctx, &[Moving { row: row.clone(), from: lies.connection_id.clone(), sale }]).await
}

/// Has the API written anything in the programs of the connection?
async fn any(tx: &mut Tx<'_>, ctx: &Context) -> Result<bool, StoreError> {
    let sql =
        "SELECT 1 FROM api_transaction WHERE workspace_id = $1 AND mode = $2 AND program_id = $3 LIMIT 1";
    for program in &ctx.programs {
        let params = [P::T(&ctx.workspace_id), P::T(&ctx.mode), P::T(&program.program_id)];
        if tx.opt(sql, &params).await?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn elsewhere(
    tx: &mut Tx<'_>,
    ctx: &Context,
    program_id: &str,
    keys: &[String],
) -> Result<Vec<(Stored, String)>, StoreError> {
    let sql = "SELECT customer_id, body, connection_id FROM api_transaction WHERE workspace_id = $1 AND mode = $2 \
         AND program_id = $3 AND key = $4";
    let sets: Vec<_> = keys
        .iter()
        .map(|key| vec![P::T(&ctx.workspace_id), P::T(&ctx.mode), P::T(program_id), P::T(key)])
        .collect();
    let mut found = Vec::new();
    for (key, rows) in keys.iter().zip(tx.rows_each(sql, &sets).await?) {
        for row in rows {
            let from = row.text(2)?;
            if from != ctx.connection_id {
                let stored = Stored::read(program_id.to_owned(), key.clone(), row.text(0)?, &row.text(1)?)?;
                found.push((stored, from));
            }
        }
    }
    Ok(found)
}

/// The sale that a transaction made where it lies; `None` if what Stripe told there stands behind it too.
async fn movable(
    tx: &mut Tx<'_>,
    ctx: &Context,
    row: &Stored,
    from: &str,
) -> Result<Option<Sale>, StoreError> {
    objects::lock_connection(tx, &ctx.workspace_id, from).await?;
    let own = object_id(&row.program_id, &row.key);
    let Some(sale) = sales::find_by_object(tx, &ctx.workspace_id, from, &own).await? else {
        return Ok(None);
    };
    let members = objects::load_members(tx, &ctx.workspace_id, std::slice::from_ref(&sale.sale_id)).await?;
    let others = members.into_iter().any(|(id, alias)| id != own && alias.state.is_some());
    Ok(Some(sale).filter(|_| !others))
}

/// Clears the place that a transaction left: its sale there is part of the one here, and decisions come along.
///
/// # Errors
/// The database's.
pub async fn leave(tx: &mut Tx<'_>, ctx: &Context, moving: &[Moving]) -> Result<(), StoreError> {
    for one in moving {
        let (ws, own) = (&ctx.workspace_id, object_id(&one.row.program_id, &one.row.key));
        let key = &one.row.key;
        let Some(winner) = sales::find_by_object(tx, ws, &ctx.connection_id, key).await? else {
            return Err(StoreError::Inconsistent(format!("{key} made no sale where Stripe tells of it")));
        };
        clear_evidence(tx, ctx, one).await?;
        let from = P::T(&one.from);
        for sql in [
            "DELETE FROM alias WHERE workspace_id = $1 AND connection_id = $2 AND object_id IN ($3, $4)",
            "DELETE FROM fact WHERE workspace_id = $1 AND connection_id = $2 AND object_id IN ($3, $4)",
        ] {
            tx.exec(sql, &[P::T(ws), from, P::T(&own), P::T(key)]).await?;
        }
        let sql = "UPDATE decision SET connection_id = $5 WHERE workspace_id = $1 AND connection_id = $2 \
             AND subject IN ($3, $4)";
        tx.exec(sql, &[P::T(ws), from, P::T(&own), P::T(key), P::T(&ctx.connection_id)]).await?;
        let sql = "UPDATE api_transaction SET connection_id = $5 WHERE workspace_id = $1 AND mode = $2 \
             AND program_id = $3 AND key = $4";
        let params =
            [P::T(ws), P::T(&ctx.mode), P::T(&one.row.program_id), P::T(key), P::T(&ctx.connection_id)];
        tx.exec(sql, &params).await?;
        let mut loser = one.sale.clone();
        loser.merge_into(&winner.sale_id);
        let mut winner = winner;
        // A decision that came along may void it.
        winner.unsettled = true;
        place::place(tx, ctx, vec![place::Placing { sale: winner, losers: vec![loser] }]).await?;
    }
    Ok(())
}

/// What the transaction said of its buyer holds where it is now, and no longer where it was.
async fn clear_evidence(tx: &mut Tx<'_>, ctx: &Context, one: &Moving) -> Result<(), StoreError> {
    let old = Context::load(tx, &ctx.workspace_id, &one.from, &ctx.mode, ctx.now, 0).await?;
    let filed =
        evidence_sql::of_sales(tx, &ctx.workspace_id, std::slice::from_ref(&one.sale.sale_id)).await?;
    let mut filed: Vec<_> = filed.into_iter().flatten().collect();
    filed.sort();
    let piece = Refile {
        sale_id: Some(one.sale.sale_id.clone()),
        buyer_id: one.sale.buyer_id.clone(),
        old: filed,
        new: Vec::new(),
        moved: false,
    };
    let hinted = evidence::refile(tx, &old, &[piece]).await?;
    link::resolve_buyers(tx, &old, &hinted, std::iter::empty(), &People::new()).await
}
