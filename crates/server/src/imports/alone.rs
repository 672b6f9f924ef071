//! PaymentIntents that belong to no invoice and to no session, by lists that were read to their ends.
//!
//! A bare charge is a sale of its own only when a source says so. An import has read every session and every invoice
//! payment before it comes to PaymentIntents and charges: what those lists did not name needs no look-up of its own.
//! The conclusion is kept beside the page that raised the question, so that replay concludes the same.

use crate::pipeline::context::Context;
use std::collections::{BTreeMap, BTreeSet};
use tributary_domain::fact::{Fact, Field, Kind, Value};
use tributary_store::imports::Run;
use tributary_store::pipeline::objects;
use tributary_store::{StoreError, Tx};
use tributary_stripe::lists::List;

/// Has the run read what would name them?
fn proves(run: &Run) -> bool {
    let counts: BTreeMap<String, i64> = serde_json::from_str(&run.counts).unwrap_or_default();
    [List::Sessions, List::InvoicePayments].iter().all(|list| counts.contains_key(list.as_str()))
}

/// The PaymentIntents of a page (whose facts were taken in already) that stand alone.
///
/// # Errors
/// The database's.
pub(super) async fn alone(
    tx: &mut Tx<'_>,
    ctx: &Context,
    run: &Run,
    facts: &[Fact],
) -> Result<Vec<String>, StoreError> {
    if !proves(run) {
        return Ok(Vec::new());
    }
    let named: BTreeSet<String> =
        facts.iter().filter(|fact| is_covered(run, fact)).filter_map(intent).collect();
    let ids: Vec<String> = named.into_iter().collect();
    let (ws, con) = (&ctx.workspace_id, &ctx.connection_id);
    let aliases = objects::load_aliases(tx, ws, con, &ids).await?;
    let sales: BTreeSet<String> = aliases.values().filter_map(|alias| alias.sale_id.clone()).collect();
    let members = objects::load_members(tx, ws, &sales.into_iter().collect::<Vec<_>>()).await?;
    let joined: BTreeSet<&String> = members
        .iter()
        .filter(|(id, alias)| joins(id, alias))
        .filter_map(|(_, alias)| alias.sale_id.as_ref())
        .collect();
    let stands = |id: &String| {
        let Some(alias) = aliases.get(id) else { return false };
        let known = alias.state.as_ref().is_some_and(|intent| {
            (intent.flag(Field::NoInvoicePayment) && intent.flag(Field::NoSession))
                || intent.said_none(Field::Invoice)
        });
        !known && alias.sale_id.as_ref().is_some_and(|sale| !joined.contains(sale))
    };
    Ok(ids.into_iter().filter(stands).collect())
}

/// Were the lists read for a time that holds all that could name the payment?
fn is_covered(run: &Run, fact: &Fact) -> bool {
    let Some(Value::Int(created)) = fact.fields.get(&Field::Created) else { return false };
    // A charge may be much later than its PaymentIntent; only lists from the beginning cover it.
    let since = fact.kind == Kind::PaymentIntent || run.since_at == 0;
    since && *created >= run.since_at && *created < run.started_at
}

fn intent(fact: &Fact) -> Option<String> {
    match (fact.kind, fact.fields.get(&Field::PaymentIntent)) {
        (Kind::PaymentIntent, _) => Some(fact.object_id.clone()),
        (Kind::Charge, Some(Value::Text(id))) => Some(id.clone()),
        _ => None,
    }
}

fn joins(id: &str, alias: &objects::Alias) -> bool {
    let kind = alias.state.as_ref().map_or_else(|| Kind::of_stripe_id(id), |state| Some(state.kind));
    matches!(kind, Some(Kind::Invoice | Kind::InvoicePayment | Kind::Session))
}
