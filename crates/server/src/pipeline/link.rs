//! Which customer a buyer is, in each program that the connection feeds.
//!
//! A pure rule over all hints of the buyer, so the order in which hints and customers came does not matter:
//! named by an API transaction, else `customer_key` in metadata or as client reference, else the Stripe id as
//! the customer's key, else the e-mail address, else a customer that only a browser told of before the purchase
//! named a partner, else a customer that the purchase itself bears.

use super::clicks::visit_of;
use super::codes;
use super::context::Context;
use super::project::{People, Person};
use std::collections::BTreeSet;
use tributary_domain::attribution::second_of;
use tributary_domain::ids;
use tributary_domain::sale::EvidenceKind;
use tributary_store::pipeline::erasure;
use tributary_store::pipeline::evidence::{self, EvidenceRow};
use tributary_store::pipeline::people::{self, Birth, Customer, Link};
use tributary_store::pipeline::{commissions, decisions, objects, sales, scopes};
use tributary_store::{StoreError, Tx, workspaces};

/// Longest key of a customer, characters.
const KEY_MAX: usize = 64;

/// Finds the customers of buyers whose hints changed, and of buyers that are new and known by nobody.
///
/// # Errors
/// The database's.
pub async fn resolve_buyers(
    tx: &mut Tx<'_>,
    ctx: &Context,
    hinted: &BTreeSet<String>,
    new: impl Iterator<Item = &String>,
    seen: &People,
) -> Result<(), StoreError> {
    let new: Vec<String> = new.filter(|buyer| !hinted.contains(*buyer)).cloned().collect();
    let links = people::links(tx, &ctx.workspace_id, &ctx.connection_id, &new).await?;
    let unknown = new.into_iter().zip(links).filter(|(_, links)| links.is_empty()).map(|(buyer, _)| buyer);
    let buyers: BTreeSet<String> = hinted.iter().cloned().chain(unknown).collect();
    if let Some(crew) = tx.crew() {
        // Each asks much and in turn: across a socket they ask side by side.
        let works = buyers.iter().map(|buyer| {
            let mut own = crew.member();
            async move { resolve(&mut own, ctx, buyer, seen).await }
        });
        crew.run(works).await?;
    } else {
        for buyer in &buyers {
            resolve(tx, ctx, buyer, seen).await?;
        }
    }
    Ok(())
}

/// Finds a buyer's customer in every program; marks its sales if any link changed.
pub(super) async fn resolve(
    tx: &mut Tx<'_>,
    ctx: &Context,
    buyer: &str,
    seen: &People,
) -> Result<(), StoreError> {
    let (ws, con) = (&ctx.workspace_id, &ctx.connection_id);
    let hints = evidence::hints(tx, ws, con, buyer).await?;
    let before = people::links(tx, ws, con, &[buyer.to_owned()]).await?.into_iter().flatten();
    let mut before: Vec<Link> = before.collect();
    let mut left: Vec<String> = Vec::new();
    let mut changed = false;
    for program in &ctx.programs {
        let found = find(tx, ctx, &program.program_id, program.match_email, buyer, &hints, seen).await?;
        let at = before.iter().position(|link| link.program_id == program.program_id);
        let old = at.map(|at| before.swap_remove(at));
        if let Some(link) = &found {
            fill_person(tx, ctx, buyer, link, seen).await?;
            // New hints may name another partner: settlement looks, and only then computes every sale anew.
            scopes::raise(tx, ws, &ctx.mode, &link.program_id, &link.customer_id, false).await?;
        }
        if old == found {
            continue;
        }
        changed = true;
        match &found {
            Some(link) => people::upsert_link(tx, ws, con, buyer, link).await?,
            None => people::delete_link(tx, ws, con, buyer, &program.program_id).await?,
        }
        left.extend(old.map(|link| link.customer_id));
    }
    if changed {
        sales::mark_unplaced(tx, ws, con, buyer).await?;
    }
    for customer_id in left {
        people::delete_unborn(tx, ws, &customer_id).await?;
    }
    Ok(())
}

async fn fill_person(
    tx: &mut Tx<'_>,
    ctx: &Context,
    buyer: &str,
    link: &Link,
    seen: &People,
) -> Result<(), StoreError> {
    if let Some(person) = seen.get(buyer) {
        let born_of = format!("{}|{buyer}", ctx.connection_id);
        let (email, name) = (&person.email, &person.name);
        people::fill_person(tx, &ctx.workspace_id, &born_of, &link.customer_id, email, name).await?;
    }
    Ok(())
}

async fn find(
    tx: &mut Tx<'_>,
    ctx: &Context,
    program_id: &str,
    match_email: bool,
    buyer: &str,
    hints: &[EvidenceRow],
    seen: &People,
) -> Result<Option<Link>, StoreError> {
    let (ws, mode) = (&ctx.workspace_id, &ctx.mode);
    let of = |kind: EvidenceKind| hints.iter().filter(move |hint| hint.kind == kind.as_str());
    for hint in of(EvidenceKind::Api) {
        let customer = people::find_customer(tx, ws, &hint.value).await?;
        if let Some(customer) = customer.filter(|c| c.program_id == program_id && c.mode == *mode) {
            return Ok(Some(link_by(hint, &customer)));
        }
    }
    if erasure::any(tx, ws).await?
        && let Some(link) = erasure::link_of(tx, ws, &ctx.connection_id, buyer, program_id).await?
    {
        return Ok(Some(link));
    }
    // What only a browser told of gives way to every customer that a call made.
    let mut by_browser: Option<(Customer, Link)> = None;
    for kind in [EvidenceKind::CustomerMetadata, EvidenceKind::ClientReference] {
        for hint in of(kind) {
            let customer = people::find_customer_by_key(tx, ws, mode, program_id, &hint.value).await?;
            let Some(customer) = customer.filter(|customer| customer.origin == "api") else { continue };
            // A client reference is read as a partner's key first.
            let names_partner = kind == EvidenceKind::ClientReference
                && people::find_partner_by_key(tx, ws, program_id, &hint.value).await?.is_some();
            if names_partner {
                continue;
            }
            let link = link_by(hint, &customer);
            if let Some(link) = weigh(&mut by_browser, customer, link) {
                return Ok(Some(link));
            }
        }
    }
    let own = people::find_customer_by_key(tx, ws, mode, program_id, buyer).await?;
    if let Some(customer) = own.filter(|customer| customer.origin == "api") {
        let link = link_to(&customer, EvidenceKind::StripeId);
        if let Some(link) = weigh(&mut by_browser, customer, link) {
            return Ok(Some(link));
        }
    }
    if match_email {
        for hint in of(EvidenceKind::Email) {
            if let Some(customer) =
                people::find_customer_by_email(tx, ws, mode, program_id, &hint.value).await?
            {
                let link = link_to(&customer, EvidenceKind::Email);
                if let Some(link) = weigh(&mut by_browser, customer, link) {
                    return Ok(Some(link));
                }
            }
        }
    }
    let by = naming_partner(tx, ctx, program_id, hints).await?;
    let given = given(tx, ctx, program_id, buyer).await?;
    let by = by.or(given.as_ref());
    match (by, by_browser) {
        // A browser joins the purchases that come after it; it does not take a customer that a purchase made.
        (Some(by), Some((customer, _))) if second_of(customer.created_at) > by.effective_at => {
            bear(tx, ctx, program_id, buyer, hints, by, seen).await
        }
        (_, Some((_, link))) => Ok(Some(link)),
        (Some(by), None) => bear(tx, ctx, program_id, buyer, hints, by, seen).await,
        (None, None) => Ok(None),
    }
}

/// The link, if a call made its customer. Of the customers that only a browser told of, the first is kept aside.
fn weigh(by_browser: &mut Option<(Customer, Link)>, customer: Customer, link: Link) -> Option<Link> {
    if customer.partner_by != "browser" {
        return Some(link);
    }
    by_browser.get_or_insert((customer, link));
    None
}

fn link_by(hint: &EvidenceRow, customer: &Customer) -> Link {
    Link {
        effective_at: hint.effective_at,
        source_id: hint.object_id.clone(),
        program_id: customer.program_id.clone(),
        customer_id: customer.customer_id.clone(),
        kind: hint.kind.clone(),
    }
}

fn link_to(customer: &Customer, kind: EvidenceKind) -> Link {
    Link {
        effective_at: customer.created_at,
        source_id: customer.key.clone(),
        program_id: customer.program_id.clone(),
        customer_id: customer.customer_id.clone(),
        kind: kind.as_str().to_owned(),
    }
}

/// A sale of the buyer that somebody gave to a partner of the program, as a hint.
async fn given(
    tx: &mut Tx<'_>,
    ctx: &Context,
    program_id: &str,
    buyer: &str,
) -> Result<Option<EvidenceRow>, StoreError> {
    let ws = &ctx.workspace_id;
    if !commissions::any_decision(tx, ws, program_id).await? {
        return Ok(None);
    }
    let found = decisions::given_of_buyer(tx, ws, program_id, (&ctx.connection_id, buyer)).await?;
    Ok(found.map(|(root_id, at)| given_hint(&root_id, at)))
}

fn given_hint(root_id: &str, at: i64) -> EvidenceRow {
    EvidenceRow {
        effective_at: at,
        object_id: root_id.to_owned(),
        kind: GIVEN.to_owned(),
        value: String::new(),
    }
}

/// The kind of a link that a decision made.
pub(super) const GIVEN: &str = "decision";

/// Makes the customer of a sale that somebody gave to a partner of a program and that nothing else links to it.
///
/// # Errors
/// The database's.
pub(super) async fn bear_given(
    tx: &mut Tx<'_>,
    ctx: &Context,
    program_id: &str,
    sale: &sales::Sale,
) -> Result<Option<Link>, StoreError> {
    let (ws, con, buyer) = (&ctx.workspace_id, &ctx.connection_id, &sale.buyer_id);
    let hints = evidence::hints(tx, ws, con, buyer).await?;
    let by = given_hint(&sale.root_id, sale.occurred_at);
    let link = bear(tx, ctx, program_id, buyer, &hints, &by, &People::new()).await?;
    if let Some(link) = &link {
        people::upsert_link(tx, ws, con, buyer, link).await?;
    }
    Ok(link)
}

/// The earliest hint that names a partner of the program, by key or by a visit.
async fn naming_partner<'h>(
    tx: &mut Tx<'_>,
    ctx: &Context,
    program_id: &str,
    hints: &'h [EvidenceRow],
) -> Result<Option<&'h EvidenceRow>, StoreError> {
    const NAMES_PARTNER: [EvidenceKind; 7] = [
        EvidenceKind::PartnerMetadata,
        EvidenceKind::SubscriptionMetadata,
        EvidenceKind::PromotionCode,
        EvidenceKind::StandingCode,
        EvidenceKind::ClientReference,
        EvidenceKind::CustomerPartnerMetadata,
        // Without a sign-up a partner's key has been seen travelling under the name `customer_key`.
        EvidenceKind::CustomerMetadata,
    ];
    let ws = &ctx.workspace_id;
    for hint in hints {
        let Some(kind) = NAMES_PARTNER.into_iter().find(|kind| kind.as_str() == hint.kind) else { continue };
        if matches!(kind, EvidenceKind::PromotionCode | EvidenceKind::StandingCode) {
            let place = (ws.as_str(), program_id, ctx.connection_id.as_str());
            let found = codes::look_up(tx, place, &hint.value, hint.effective_at).await?;
            if found.is_some_and(|found| found.owner.is_some()) {
                return Ok(Some(hint));
            }
            continue;
        }
        let named = visit_of(tx, ws, &ctx.mode, program_id, kind, &hint.value).await?.is_some()
            || people::find_partner_by_key(tx, ws, program_id, &hint.value).await?.is_some();
        if named {
            return Ok(Some(hint));
        }
    }
    Ok(None)
}

/// A purchase that names a partner of the program bears its customer. One that was borne before is found by its id,
/// also if a call has changed its key since.
async fn bear(
    tx: &mut Tx<'_>,
    ctx: &Context,
    program_id: &str,
    buyer: &str,
    hints: &[EvidenceRow],
    by: &EvidenceRow,
    seen: &People,
) -> Result<Option<Link>, StoreError> {
    let ws = &ctx.workspace_id;
    let key = born_key(tx, ws, program_id, buyer, hints).await?;
    let customer_id = ids::derived("ctm", &[ws, &ctx.mode, program_id, &key]);
    if let Some(known) = people::find_customer(tx, ws, &customer_id).await? {
        return Ok(Some(link_by(by, &known)));
    }
    let born_of = format!("{}|{buyer}", ctx.connection_id);
    let nobody = Person::default();
    let person = seen.get(buyer).unwrap_or(&nobody);
    let birth = Birth {
        customer_id: &customer_id,
        mode: &ctx.mode,
        program_id,
        key: &key,
        born_of: &born_of,
        email: &person.email,
        name: &person.name,
        created_at: by.effective_at,
    };
    people::insert_born(tx, ws, &birth, ctx.now).await?;
    let customer = people::find_customer_by_key(tx, ws, &ctx.mode, program_id, &key).await?;
    Ok(customer.map(|customer| link_by(by, &customer)))
}

/// The key of a customer born of a purchase: the `customer_key` that travelled along, else `stripe_` and who
/// bought.
async fn born_key(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    program_id: &str,
    buyer: &str,
    hints: &[EvidenceRow],
) -> Result<String, StoreError> {
    let named = hints.iter().filter(|hint| hint.kind == EvidenceKind::CustomerMetadata.as_str());
    for hint in named.filter(|hint| (1..=KEY_MAX).contains(&hint.value.chars().count())) {
        if people::find_partner_by_key(tx, workspace_id, program_id, &hint.value).await?.is_none() {
            return Ok(hint.value.clone());
        }
    }
    Ok(born_by(buyer))
}

/// The key of a customer that a buyer's purchase bears where no other travelled along.
pub(super) fn born_by(buyer: &str) -> String {
    match buyer.split_once(':') {
        Some(("guest", hash)) => format!("stripe_guest_{}", hash.get(..16).unwrap_or(hash)),
        Some((_, rest)) => format!("stripe_{rest}"),
        None => format!("stripe_{buyer}"),
    }
}

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
    for value in [Some(&customer.key), customer.email_hash.as_ref()].into_iter().flatten() {
        buyers.extend(evidence::buyers_with_value(tx, workspace_id, &customer.program_id, value).await?);
    }
    let connections =
        tributary_store::connections::list_of_program(tx, workspace_id, &customer.program_id).await?;
    if customer.key.starts_with("cus_") {
        let own = connections.iter().map(|c| (c.connection_id.clone(), customer.key.clone()));
        buyers.extend(own);
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
    let named = evidence::buyers_with_value(tx, workspace_id, &program_id, &key).await?;
    for connection in tributary_store::connections::list_of_program(tx, workspace_id, &program_id).await? {
        let of_connection = |(con, _): &&(String, String)| *con == connection.connection_id;
        let buyers: BTreeSet<_> = named.iter().filter(of_connection).cloned().collect();
        look_again(tx, workspace_id, &connection.mode, &buyers, now).await?;
        for (con, buyer) in &buyers {
            sales::mark_unplaced(tx, workspace_id, con, buyer).await?;
        }
    }
    // Its dated status decides what its sales earn.
    let sql = "UPDATE scope SET generation = generation + 1, whole = TRUE WHERE workspace_id = $1 AND program_id = $2 \
         AND customer_id IN (SELECT customer_id FROM commission WHERE workspace_id = $1 AND partner_id = $3)";
    tx.exec(sql, &[P::T(workspace_id), P::T(&program_id), P::T(partner_id)]).await?;
    Ok(())
}

/// To be called in the unit that dated a version of the policy in the past: every sale is attributed anew.
///
/// # Errors
/// The database's.
pub async fn policy_changed(tx: &mut Tx<'_>, workspace_id: &str, program_id: &str) -> Result<(), StoreError> {
    use tributary_store::P;
    let sql = "UPDATE scope SET generation = generation + 1, whole = TRUE WHERE workspace_id = $1 AND program_id = $2";
    tx.exec(sql, &[P::T(workspace_id), P::T(program_id)]).await?;
    Ok(())
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
    let mut buyers: BTreeSet<(String, String)> =
        evidence::buyers_with_value(tx, workspace_id, program_id, visit_id).await?.into_iter().collect();
    if buyers.is_empty() {
        return Ok(());
    }
    objects::lock_program(tx, workspace_id, program_id).await?;
    let connections = tributary_store::connections::list_of_program(tx, workspace_id, program_id).await?;
    buyers.retain(|(connection, _)| {
        connections.iter().any(|c| c.connection_id == *connection && c.mode == mode)
    });
    look_again(tx, workspace_id, mode, &buyers, now).await
}

/// To be called in the unit that attached a program to a connection: buyers that came before are looked at
/// again.
///
/// # Errors
/// The database's.
pub async fn program_attached(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
    mode: &str,
    now: i64,
) -> Result<(), StoreError> {
    objects::lock_connection(tx, workspace_id, connection_id).await?;
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
