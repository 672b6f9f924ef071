//! Which customer a buyer is, in each program that the connection feeds.
//!
//! A pure rule over all hints of the buyer, so the order in which hints and customers came does not matter:
//! named by an API transaction, else `customer_key` in metadata or as client reference, else the Stripe id as
//! the customer's key, else the e-mail address (for sales of the time when the policy matches addresses), else a
//! customer that only a browser told of before the purchase named a partner, else a customer that the purchase
//! itself bears.

use super::clicks::visit_of;
use super::codes;
use super::context::{Context, Fed};
use super::project::{People, Person};
use std::collections::BTreeSet;
use tributary_domain::attribution::{Had, holder_at, second_of};
use tributary_domain::ids;
use tributary_domain::sale::EvidenceKind;
use tributary_store::pipeline::erasure;
use tributary_store::pipeline::evidence::{self, EvidenceRow};
use tributary_store::pipeline::known_as::{self, Name};
use tributary_store::pipeline::people::{self, Birth, Customer, Link};
use tributary_store::pipeline::{commissions, decisions, sales, scopes};
use tributary_store::{StoreError, Tx};

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
    let mut left = Vec::new();
    if let Some(crew) = tx.crew() {
        // Each asks much and in turn: across a socket they ask side by side.
        let works = buyers.iter().map(|buyer| {
            let mut own = crew.member();
            async move { find_customers(&mut own, ctx, buyer, seen).await }
        });
        crew.run(works).await?.into_iter().for_each(|customers| left.extend(customers));
    } else {
        for buyer in &buyers {
            left.extend(find_customers(tx, ctx, buyer, seen).await?);
        }
    }
    // Only now: one that a buyer has left may be the one that another has just become.
    for customer_id in left {
        people::delete_unborn(tx, &ctx.workspace_id, &customer_id).await?;
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
    for customer_id in find_customers(tx, ctx, buyer, seen).await? {
        people::delete_unborn(tx, &ctx.workspace_id, &customer_id).await?;
    }
    Ok(())
}

/// The same; answers the customers that the buyer is no more.
async fn find_customers(
    tx: &mut Tx<'_>,
    ctx: &Context,
    buyer: &str,
    seen: &People,
) -> Result<Vec<String>, StoreError> {
    let (ws, con) = (&ctx.workspace_id, &ctx.connection_id);
    let hints = evidence::hints(tx, ws, con, buyer).await?;
    let before = people::links(tx, ws, con, &[buyer.to_owned()]).await?.into_iter().flatten();
    let mut before: Vec<Link> = before.collect();
    let mut left: Vec<String> = Vec::new();
    let mut changed = false;
    let mut all = Vec::with_capacity(ctx.programs.len());
    for program in &ctx.programs {
        all.push((program, links_of(tx, ctx, program, buyer, &hints, seen).await?));
    }
    for (program, found) in held_before_given_up(all) {
        for link in &found {
            fill_person(tx, ctx, buyer, link, seen).await?;
            // New hints may name another partner: settlement looks, and only then computes every sale anew.
            scopes::raise(tx, ws, &ctx.mode, &link.program_id, &link.customer_id, false).await?;
        }
        let (old, others): (Vec<Link>, Vec<Link>) =
            before.into_iter().partition(|link| link.program_id == program.program_id);
        before = others;
        for link in old.iter().filter(|link| !found.contains(link)) {
            changed = true;
            if found.iter().all(|new| new.by_email != link.by_email) {
                people::delete_link(tx, ws, con, buyer, link).await?;
            }
            left.push(link.customer_id.clone());
        }
        for link in found.iter().filter(|link| !old.contains(link)) {
            changed = true;
            people::upsert_link(tx, ws, con, buyer, link).await?;
        }
    }
    if changed {
        sales::mark_unplaced(tx, ws, con, buyer).await?;
    }
    Ok(left)
}

/// A customer found for a buyer, and when it had what it was found by, seen from when that was said.
struct Found {
    link: Link,
    had: Had,
}

impl Found {
    const fn surely(link: Link) -> Self {
        Self { link, had: Had::Then }
    }
}

/// The links of each program. What a customer of one program gave up, and one of another program had when it was said, is
/// the other's.
fn held_before_given_up(all: Vec<(&Fed, Vec<Found>)>) -> Vec<(&Fed, Vec<Link>)> {
    let same = |a: &Link, b: &Link| (&a.kind, a.by_email) == (&b.kind, b.by_email);
    let held: Vec<Link> = all
        .iter()
        .flat_map(|(_, found)| found)
        .filter(|one| one.had == Had::Then)
        .map(|one| one.link.clone())
        .collect();
    let kept = |one: &Found| one.had != Had::Before || !held.iter().any(|other| same(&one.link, other));
    let links = |found: Vec<Found>| found.into_iter().filter(kept).map(|one| one.link).collect();
    all.into_iter().map(|(program, found)| (program, links(found))).collect()
}

/// Which customer a buyer is in a program, and which one without its address, if it has sales that ask for that.
async fn links_of(
    tx: &mut Tx<'_>,
    ctx: &Context,
    program: &Fed,
    buyer: &str,
    hints: &[EvidenceRow],
    seen: &People,
) -> Result<Vec<Found>, StoreError> {
    let first = find(tx, ctx, program, program.ever_matches(true), buyer, hints, seen).await?;
    let mut found: Vec<Found> = first.into_iter().collect();
    if found.iter().any(|one| one.link.by_email) {
        for span in program.unmatched() {
            let whose = (ctx.connection_id.as_str(), buyer);
            if sales::any_within(tx, &ctx.workspace_id, whose, span).await? {
                found.extend(find(tx, ctx, program, false, buyer, hints, seen).await?);
                break;
            }
        }
    }
    Ok(found)
}

/// The links of a buyer that hold for a sale of an instant (ms UTC): one a program that was fed then, oldest first.
///
/// # Errors
/// The database's.
pub(super) async fn links_at(
    tx: &mut Tx<'_>,
    ctx: &Context,
    buyer: &str,
    links: &[Link],
    at: i64,
) -> Result<Vec<Link>, StoreError> {
    let mut held: Vec<Link> = Vec::with_capacity(links.len());
    for program in ctx.programs.iter().filter(|program| program.fed_at(at)) {
        let of = |by_email: bool| {
            let mut own = links.iter().filter(|link| link.program_id == program.program_id);
            own.find(|link| link.by_email == by_email).cloned()
        };
        let found = match (of(true), of(false)) {
            (Some(link), _) if program.matches_at(at) => Some(link),
            (Some(_), None) => without_email(tx, ctx, program, buyer).await?,
            (_, other) => other,
        };
        held.extend(found);
    }
    held.sort();
    Ok(held)
}

/// The first sale of a buyer that its address must not find a customer for: whom it is without.
async fn without_email(
    tx: &mut Tx<'_>,
    ctx: &Context,
    program: &Fed,
    buyer: &str,
) -> Result<Option<Link>, StoreError> {
    let (ws, con) = (&ctx.workspace_id, &ctx.connection_id);
    let hints = evidence::hints(tx, ws, con, buyer).await?;
    let found = find(tx, ctx, program, false, buyer, &hints, &People::new()).await?.map(|one| one.link);
    if let Some(link) = &found {
        people::upsert_link(tx, ws, con, buyer, link).await?;
        scopes::raise(tx, ws, &ctx.mode, &link.program_id, &link.customer_id, false).await?;
    }
    Ok(found)
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
    program: &Fed,
    match_email: bool,
    buyer: &str,
    hints: &[EvidenceRow],
    seen: &People,
) -> Result<Option<Found>, StoreError> {
    let (ws, mode, program_id) = (&ctx.workspace_id, &ctx.mode, program.program_id.as_str());
    let place = (ws.as_str(), mode.as_str(), program_id);
    let of = |kind: EvidenceKind| hints.iter().filter(move |hint| hint.kind == kind.as_str());
    for hint in of(EvidenceKind::Api) {
        let customer = people::find_customer(tx, ws, &hint.value).await?;
        if let Some(customer) = customer.filter(|c| c.program_id == program_id && c.mode == *mode) {
            return Ok(Some(Found::surely(link_by(hint, &customer))));
        }
    }
    if erasure::any(tx, ws).await? {
        let con = &ctx.connection_id;
        for by_email in if match_email { &[true, false][..] } else { &[false] } {
            if let Some(link) = erasure::link_of(tx, ws, con, buyer, program_id, *by_email).await? {
                return Ok(Some(Found::surely(link)));
            }
        }
    }
    // What only a browser told of gives way to every customer that a call made.
    let mut by_browser: Option<(Customer, Found)> = None;
    for kind in [EvidenceKind::CustomerMetadata, EvidenceKind::ClientReference] {
        for hint in of(kind) {
            let found = named(tx, place, Name::Key, &hint.value, hint.effective_at).await?;
            let Some((customer, had)) = found else { continue };
            // A client reference is read as a partner's key first.
            let names_partner = kind == EvidenceKind::ClientReference
                && people::find_partner_by_key(tx, ws, program_id, &hint.value).await?.is_some();
            if names_partner {
                continue;
            }
            let link = link_by(hint, &customer);
            if let Some(found) = weigh(&mut by_browser, customer, Found { link, had }) {
                return Ok(Some(found));
            }
        }
    }
    // Stripe's id of the buyer as a key: it is said from the first that is known of the buyer on.
    let first = hints.first().map_or(i64::MIN, |hint| hint.effective_at);
    if let Some((customer, had)) = named(tx, place, Name::Key, buyer, first).await? {
        let link = link_to(&customer, EvidenceKind::StripeId);
        if let Some(found) = weigh(&mut by_browser, customer, Found { link, had }) {
            return Ok(Some(found));
        }
    }
    if match_email {
        for hint in of(EvidenceKind::Email) {
            let found = named(tx, place, Name::Email, &hint.value, hint.effective_at).await?;
            if let Some((customer, had)) = found {
                let link = Link { by_email: true, ..link_to(&customer, EvidenceKind::Email) };
                if let Some(found) = weigh(&mut by_browser, customer, Found { link, had }) {
                    return Ok(Some(found));
                }
            }
        }
    }
    let by = naming_partner(tx, ctx, program, hints).await?;
    let given = given(tx, ctx, program_id, buyer).await?;
    let by = by.or(given.as_ref());
    let born = match (by, by_browser) {
        // A browser joins the purchases that come after it; it does not take a customer that a purchase made.
        (Some(by), Some((customer, _))) if second_of(customer.created_at) > by.effective_at => {
            bear(tx, ctx, program_id, buyer, hints, by, seen).await?
        }
        (_, Some((_, found))) => return Ok(Some(found)),
        (Some(by), None) => bear(tx, ctx, program_id, buyer, hints, by, seen).await?,
        (None, None) => None,
    };
    Ok(born.map(Found::surely))
}

/// The customer, made by a call or the script, that a key or an address meant at an instant (ms UTC), and when it had it.
async fn named(
    tx: &mut Tx<'_>,
    place: (&str, &str, &str),
    name: Name,
    value: &str,
    at: i64,
) -> Result<Option<(Customer, Had)>, StoreError> {
    if let Some(holdings) = known_as::holdings(tx, place, name, value).await? {
        return Ok(holder_at(&holdings, at).map(|holding| (holding.who.clone(), holding.had(at))));
    }
    let (ws, mode, program_id) = place;
    let found = match name {
        Name::Key => {
            let found = people::find_customer_by_key(tx, ws, mode, program_id, value).await?;
            found.filter(|customer| customer.origin == "api")
        }
        Name::Email => people::find_customer_by_email(tx, ws, mode, program_id, value).await?,
    };
    Ok(found.map(|customer| (customer, Had::Then)))
}

/// What was found, if a call made its customer. Of the customers that only a browser told of, the first is kept aside.
fn weigh(by_browser: &mut Option<(Customer, Found)>, customer: Customer, found: Found) -> Option<Found> {
    if customer.partner_by != "browser" {
        return Some(found);
    }
    by_browser.get_or_insert((customer, found));
    None
}

fn link_by(hint: &EvidenceRow, customer: &Customer) -> Link {
    Link {
        effective_at: hint.effective_at,
        source_id: hint.object_id.clone(),
        program_id: customer.program_id.clone(),
        customer_id: customer.customer_id.clone(),
        kind: hint.kind.clone(),
        by_email: false,
    }
}

fn link_to(customer: &Customer, kind: EvidenceKind) -> Link {
    Link {
        effective_at: customer.created_at,
        source_id: customer.key.clone(),
        program_id: customer.program_id.clone(),
        customer_id: customer.customer_id.clone(),
        kind: kind.as_str().to_owned(),
        by_email: false,
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
    program: &Fed,
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
    let (ws, program_id) = (&ctx.workspace_id, program.program_id.as_str());
    for hint in hints.iter().filter(|hint| program.hears(hint.effective_at)) {
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
