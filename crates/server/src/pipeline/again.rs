//! What has to be looked at again when a source changes that says who a buyer is, or whose a sale is.

use super::context::Context;
use super::link::resolve;
use super::project::People;
use std::collections::BTreeSet;
use tributary_domain::attribution::PolicyVersion;
use tributary_store::connections::feeds;
use tributary_store::pipeline::evidence;
use tributary_store::pipeline::{known_as, people};
use tributary_store::pipeline::{objects, sales, scopes};
use tributary_store::{StoreError, Tx, workspaces};

/// To be called in the unit that inserted, changed, deleted or restored a customer: the buyers that it may be
/// are looked at again.
///
/// # Errors
/// The database's.
pub async fn customer_changed(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    mode: &str,
    customer_id: &str,
    now: i64,
) -> Result<(), StoreError> {
    let Some(customer) = people::find_customer(tx, workspace_id, customer_id).await? else {
        return Err(StoreError::NotFound(format!("customer {customer_id}")));
    };
    objects::lock_program(tx, workspace_id, &customer.program_id).await?;
    let mut buyers: BTreeSet<(String, String)> =
        people::buyers_of(tx, workspace_id, customer_id).await?.into_iter().collect();
    let connections = feeds::connections_of(tx, workspace_id, &customer.program_id).await?;
    let noted = known_as::of_customer(tx, workspace_id, customer_id).await?;
    let mut names: BTreeSet<String> = noted.into_iter().map(|(_, value)| value).collect();
    names.insert(customer.key);
    names.extend(customer.email_hash);
    for name in &names {
        buyers.extend(evidence::buyers_with_value(tx, workspace_id, &customer.program_id, name).await?);
        if name.starts_with("cus_") {
            buyers.extend(connections.iter().map(|c| (c.connection_id.clone(), name.clone())));
        }
    }
    buyers.retain(|(connection, _)| {
        connections.iter().any(|c| c.connection_id == *connection && c.mode == mode)
    });
    look_again(tx, workspace_id, mode, &buyers, now).await?;
    scopes::raise(tx, workspace_id, mode, &customer.program_id, customer_id, true).await
}

/// To be called in the unit that created a partner or changed its key or status: purchases that named the key
/// before are looked at again, and sales of its customers are settled anew.
///
/// # Errors
/// The database's.
pub async fn partner_changed(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    partner_id: &str,
    now: i64,
) -> Result<(), StoreError> {
    use tributary_store::P;
    let sql = "SELECT program_id, key FROM partner WHERE workspace_id = $1 AND partner_id = $2";
    let Some(row) = tx.opt(sql, &[P::T(workspace_id), P::T(partner_id)]).await? else {
        return Err(StoreError::NotFound(format!("partner {partner_id}")));
    };
    let (program_id, key) = (row.text(0)?, row.text(1)?);
    objects::lock_program(tx, workspace_id, &program_id).await?;
    if workspaces::find_program(tx, workspace_id, &program_id).await?.is_none() {
        return Err(StoreError::NotFound(format!("program {program_id}")));
    }
    key_taken(tx, (workspace_id, &program_id), &key, now).await?;
    // Its dated status decides what its sales earn.
    let sql = "UPDATE scope SET generation = generation + 1, whole = TRUE WHERE workspace_id = $1 AND program_id = $2 \
         AND customer_id IN (SELECT customer_id FROM commission WHERE workspace_id = $1 AND partner_id = $3)";
    tx.exec(sql, &[P::T(workspace_id), P::T(&program_id), P::T(partner_id)]).await?;
    Ok(())
}

/// To be called in the unit in which a partner got a key, its own or a link's: purchases that named it before are looked
/// at again.
///
/// # Errors
/// The database's.
pub async fn key_taken(
    tx: &mut Tx<'_>,
    (ws, program_id): (&str, &str),
    key: &str,
    now: i64,
) -> Result<(), StoreError> {
    objects::lock_program(tx, ws, program_id).await?;
    let named = evidence::buyers_with_value(tx, ws, program_id, key).await?;
    for connection in feeds::connections_of(tx, ws, program_id).await? {
        let of_connection = |(con, _): &&(String, String)| *con == connection.connection_id;
        let buyers: BTreeSet<_> = named.iter().filter(of_connection).cloned().collect();
        look_again(tx, ws, &connection.mode, &buyers, now).await?;
        for (con, buyer) in &buyers {
            sales::mark_unplaced(tx, ws, con, buyer).await?;
        }
    }
    Ok(())
}

/// To be called in the unit that added a version of the policy, from an instant (ms UTC) on, to those that were known.
///
/// # Errors
/// The database's.
pub async fn policy_added(
    tx: &mut Tx<'_>,
    (ws, program_id): (&str, &str),
    (known, added): (&[PolicyVersion], &PolicyVersion),
    now: i64,
) -> Result<(), StoreError> {
    objects::lock_program(tx, ws, program_id).await?;
    // Where no address was ever looked for, nobody knows yet whose the addresses are.
    let news = added.match_email && !known.is_empty() && known.iter().all(|version| !version.match_email);
    for connection in feeds::connections_of(tx, ws, program_id).await? {
        let con = &connection.connection_id;
        // A sale whose clock runs before ours may be of the new version's time already.
        sales::mark_unplaced_from(tx, ws, con, now).await?;
        if news {
            let buyers = evidence::buyers_of_connection(tx, ws, con).await?;
            let buyers: BTreeSet<_> = buyers.into_iter().map(|buyer| (con.clone(), buyer)).collect();
            look_again(tx, ws, &connection.mode, &buyers, now).await?;
        }
    }
    scopes::raise_from(tx, ws, program_id, now).await
}

/// To be called in the unit that stored a visit later than the visitor was sent on: a purchase may have named it
/// already.
///
/// # Errors
/// The database's.
pub async fn visit_recorded(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    mode: &str,
    program_id: &str,
    visit_id: &str,
    now: i64,
) -> Result<(), StoreError> {
    // A purchase that names it may just be read, and not find it yet.
    objects::lock_program(tx, workspace_id, program_id).await?;
    let mut buyers: BTreeSet<(String, String)> =
        evidence::buyers_with_value(tx, workspace_id, program_id, visit_id).await?.into_iter().collect();
    if buyers.is_empty() {
        return Ok(());
    }
    let connections = feeds::connections_of(tx, workspace_id, program_id).await?;
    buyers.retain(|(connection, _)| {
        connections.iter().any(|c| c.connection_id == *connection && c.mode == mode)
    });
    look_again(tx, workspace_id, mode, &buyers, now).await
}

/// To be called in the unit that detached a program from a connection at an instant (ms UTC): what it has stays.
///
/// # Errors
/// The database's.
pub async fn program_detached(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
    now: i64,
) -> Result<(), StoreError> {
    objects::lock_connection(tx, workspace_id, connection_id).await?;
    // A sale whose clock runs before ours may lie after it already.
    sales::mark_unplaced_from(tx, workspace_id, connection_id, now).await
}

/// To be called in the unit that attached a program to a connection: buyers that came before are looked at
/// again.
///
/// # Errors
/// The database's.
pub async fn program_attached(
    tx: &mut Tx<'_>,
    (workspace_id, program_id): (&str, &str),
    connection_id: &str,
    mode: &str,
    now: i64,
) -> Result<(), StoreError> {
    // Who changes a customer or a partner of the program meanwhile does not know yet that this connection feeds it.
    let (connection, program) = (BTreeSet::from([connection_id]), BTreeSet::from([program_id]));
    objects::lock_each(tx, workspace_id, &connection, &program).await?;
    sales::mark_unplaced_from(tx, workspace_id, connection_id, now).await?;
    let buyers = evidence::buyers_of_connection(tx, workspace_id, connection_id).await?;
    let buyers: BTreeSet<(String, String)> =
        buyers.into_iter().map(|buyer| (connection_id.to_owned(), buyer)).collect();
    look_again(tx, workspace_id, mode, &buyers, now).await
}

async fn look_again(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    mode: &str,
    buyers: &BTreeSet<(String, String)>,
    now: i64,
) -> Result<(), StoreError> {
    let mut ctx: Option<Context> = None;
    for (connection, buyer) in buyers {
        if ctx.as_ref().is_none_or(|ctx| ctx.connection_id != *connection) {
            ctx = Some(Context::load(tx, workspace_id, connection, mode, now, 0).await?);
        }
        if let Some(ctx) = &ctx {
            resolve(tx, ctx, buyer, &People::new()).await?;
        }
    }
    Ok(())
}
