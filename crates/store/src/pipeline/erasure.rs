//! Persons who were erased: tombstones, and what is taken away.

use super::known_as::{self, Name};
use super::people::{Customer, Link};
use crate::{P, Row, StoreError, Tx};
use std::collections::BTreeSet;

/// Was anybody ever erased in this workspace?
///
/// # Errors
/// The database's.
pub async fn any(tx: &mut Tx<'_>, workspace_id: &str) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM erased_object WHERE workspace_id = $1 LIMIT 1";
    Ok(!tx.settings(sql, &[P::T(workspace_id)]).await?.is_empty())
}

/// Which of the objects belong to an erased person.
///
/// # Errors
/// The database's.
pub async fn among(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
    ids: &BTreeSet<String>,
) -> Result<BTreeSet<String>, StoreError> {
    let sql = "SELECT object_id FROM erased_object WHERE workspace_id = $1 AND connection_id = $2 AND object_id = $3";
    let sets: Vec<_> = ids.iter().map(|id| vec![P::T(workspace_id), P::T(connection_id), P::T(id)]).collect();
    tx.rows_each(sql, &sets).await?.iter().flatten().map(|row| row.text(0)).collect()
}

/// Marks objects as those of an erased person.
///
/// # Errors
/// The database's.
pub async fn add_objects(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
    ids: &BTreeSet<String>,
    now: i64,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO erased_object (workspace_id, connection_id, object_id, created_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (workspace_id, connection_id, object_id) DO NOTHING";
    let (ws, con) = (P::T(workspace_id), P::T(connection_id));
    let sets: Vec<Vec<P<'_>>> = ids.iter().map(|id| vec![ws, con, P::T(id), P::I(now)]).collect();
    tx.exec_each(sql, &sets).await?;
    Ok(())
}

/// Fixes which customers a buyer is, in the order of the links.
///
/// # Errors
/// The database's.
pub async fn add_buyer(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
    buyer_id: &str,
    links: &[Link],
) -> Result<(), StoreError> {
    let sql = "INSERT INTO erased_buyer (workspace_id, connection_id, buyer_id, program_id, customer_id, effective_at, place, \
         by_email) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
         ON CONFLICT (workspace_id, connection_id, buyer_id, program_id, by_email) DO NOTHING";
    let mut sets: Vec<Vec<P<'_>>> = Vec::with_capacity(links.len());
    let mut place = 0;
    for (at, link) in links.iter().enumerate() {
        let same =
            |before: &Link| (before.effective_at, &before.source_id) == (link.effective_at, &link.source_id);
        // Links that tied must go on to tie.
        if at > 0 && !links.get(at - 1).is_some_and(same) {
            place += 1;
        }
        let (ws, con, buyer) = (P::T(workspace_id), P::T(connection_id), P::T(buyer_id));
        let (program, customer) = (P::T(&link.program_id), P::T(&link.customer_id));
        let (at, by_email) = (P::I(link.effective_at), P::F(link.by_email));
        sets.push(vec![ws, con, buyer, program, customer, at, P::I(place), by_email]);
    }
    tx.exec_each(sql, &sets).await?;
    Ok(())
}

/// Which customer an erased buyer is in a program: by its address as it was, or without it.
///
/// # Errors
/// The database's.
pub async fn link_of(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
    buyer_id: &str,
    program_id: &str,
    by_email: bool,
) -> Result<Option<Link>, StoreError> {
    let sql = "SELECT effective_at, place, customer_id FROM erased_buyer WHERE workspace_id = $1 AND connection_id = $2 \
         AND buyer_id = $3 AND program_id = $4 AND by_email = $5";
    let params = [P::T(workspace_id), P::T(connection_id), P::T(buyer_id), P::T(program_id), P::F(by_email)];
    let read = |row: Row| {
        Ok(Link {
            effective_at: row.int(0)?,
            source_id: format!("erasure {:03}", row.int(1)?),
            program_id: program_id.to_owned(),
            customer_id: row.text(2)?,
            kind: "erasure".to_owned(),
            by_email,
        })
    };
    tx.opt(sql, &params).await?.map(read).transpose()
}

/// A customer that may belong to the person.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Named {
    /// `ctm_…`
    pub customer_id: String,
    /// The program.
    pub program_id: String,
    /// `test` or `live`.
    pub mode: String,
    /// In clear; may be empty.
    pub email: String,
    /// HMAC of it; a customer that a purchase made has none.
    pub email_hash: Option<String>,
    /// The key.
    pub key: String,
    /// `connection|buyer`, if a purchase made it.
    pub born_of: Option<String>,
}

/// The columns of [`Named`], of the table `c`.
macro_rules! named_columns {
    () => {
        "c.customer_id, c.program_id, c.mode, c.email, c.email_hash, c.key, c.born_of"
    };
}

fn named(row: &Row) -> Result<Named, StoreError> {
    Ok(Named {
        customer_id: row.text(0)?,
        program_id: row.text(1)?,
        mode: row.text(2)?,
        email: row.text(3)?,
        email_hash: row.opt_text(4)?,
        key: row.text(5)?,
        born_of: row.opt_text(6)?,
    })
}

/// The customers that had a key or the hash of an address that nobody has now, in every program and mode. At most 1,000.
async fn by_former(tx: &mut Tx<'_>, workspace_id: &str, value: &str) -> Result<Vec<Named>, StoreError> {
    let sql = concat!(
        "SELECT DISTINCT ",
        named_columns!(),
        " FROM known_as n JOIN customer c ON c.workspace_id = n.workspace_id AND c.customer_id = n.customer_id \
         WHERE n.workspace_id = $1 AND n.value = $2 LIMIT 1000"
    );
    tx.rows(sql, &[P::T(workspace_id), P::T(value)]).await?.iter().map(named).collect()
}

/// The customer of an id, or the customers of a key in all programs and modes; where nobody has the key, those who had it.
///
/// # Errors
/// The database's.
pub async fn by_id(tx: &mut Tx<'_>, workspace_id: &str, id: &str) -> Result<Vec<Named>, StoreError> {
    let sql = concat!(
        "SELECT ",
        named_columns!(),
        " FROM customer c WHERE c.workspace_id = $1 AND (c.customer_id = $2 OR c.key = $2)"
    );
    let rows = tx.rows(sql, &[P::T(workspace_id), P::T(id)]).await?;
    if rows.is_empty() {
        return by_former(tx, workspace_id, id).await;
    }
    rows.iter().map(named).collect()
}

/// The customers of an address, in every program and mode. At most 1,000.
///
/// # Errors
/// The database's.
pub async fn by_email(tx: &mut Tx<'_>, workspace_id: &str, email: &str) -> Result<Vec<Named>, StoreError> {
    // SQLite's LOWER knows ASCII alone.
    let sql = concat!(
        "SELECT ",
        named_columns!(),
        " FROM customer c WHERE c.workspace_id = $1 AND (LOWER(c.email) IN ($2, $3) OR LOWER(c.key) IN ($2, $3)) \
         LIMIT 1000"
    );
    let (lower, ascii) = (email.trim().to_lowercase(), email.trim().to_ascii_lowercase());
    let params = [P::T(workspace_id), P::T(&lower), P::T(&ascii)];
    let mut rows = tx.rows(sql, &params).await?;
    // A key that was an address.
    let former = concat!(
        "SELECT DISTINCT ",
        named_columns!(),
        " FROM known_as n JOIN customer c ON c.workspace_id = n.workspace_id AND c.customer_id = n.customer_id \
         WHERE n.workspace_id = $1 AND n.kind = 'key' AND LOWER(n.value) IN ($2, $3) AND NOT EXISTS (SELECT 1 \
         FROM customer o WHERE o.workspace_id = n.workspace_id AND o.customer_id <> n.customer_id \
         AND (LOWER(o.email) IN ($2, $3) OR LOWER(o.key) IN ($2, $3))) LIMIT 1000"
    );
    rows.extend(tx.rows(former, &params).await?);
    rows.iter().map(named).collect()
}

/// The customers whose address has a hash, in every program and mode; where nobody has it, those who had it. At most 1,000.
///
/// # Errors
/// The database's.
pub async fn by_hash(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    email_hash: &str,
) -> Result<Vec<Named>, StoreError> {
    let sql = concat!(
        "SELECT ",
        named_columns!(),
        " FROM customer c WHERE c.workspace_id = $1 AND c.email_hash = $2 LIMIT 1000"
    );
    let rows = tx.rows(sql, &[P::T(workspace_id), P::T(email_hash)]).await?;
    if rows.is_empty() {
        return by_former(tx, workspace_id, email_hash).await;
    }
    rows.iter().map(named).collect()
}

/// The customers that purchases of a buyer (`connection|buyer`) made, also those that it is no more.
///
/// # Errors
/// The database's.
pub async fn by_birth(tx: &mut Tx<'_>, workspace_id: &str, born_of: &str) -> Result<Vec<Named>, StoreError> {
    let sql = concat!(
        "SELECT ",
        named_columns!(),
        " FROM customer c WHERE c.workspace_id = $1 AND c.born_of = $2 LIMIT 1000"
    );
    tx.rows(sql, &[P::T(workspace_id), P::T(born_of)]).await?.iter().map(named).collect()
}

/// The customers that a buyer is.
///
/// # Errors
/// The database's.
pub async fn by_buyer(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
    buyer_id: &str,
) -> Result<Vec<Named>, StoreError> {
    let sql = concat!(
        "SELECT ",
        named_columns!(),
        " FROM buyer_customer b JOIN customer c ON c.workspace_id = b.workspace_id \
         AND c.customer_id = b.customer_id WHERE b.workspace_id = $1 AND b.connection_id = $2 AND b.buyer_id = $3"
    );
    let params = [P::T(workspace_id), P::T(connection_id), P::T(buyer_id)];
    tx.rows(sql, &params).await?.iter().map(named).collect()
}

/// Buyers (connection, buyer) whose objects carry an address. At most 1,000.
///
/// # Errors
/// The database's.
pub async fn buyers_by_hash(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    email_hash: &str,
) -> Result<Vec<(String, String)>, StoreError> {
    let sql = "SELECT DISTINCT connection_id, buyer_id FROM buyer_hint WHERE workspace_id = $1 AND value = $2 LIMIT 1000";
    let rows = tx.rows(sql, &[P::T(workspace_id), P::T(email_hash)]).await?;
    rows.iter().map(|row| Ok((row.text(0)?, row.text(1)?))).collect()
}

/// The objects of all purchases of a buyer, the root ids among them, merged sales too.
///
/// # Errors
/// The database's.
pub async fn objects_of_buyer(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
    buyer_id: &str,
) -> Result<BTreeSet<String>, StoreError> {
    let sql = "SELECT a.object_id FROM sale s JOIN alias a ON a.workspace_id = s.workspace_id AND a.sale_id = s.sale_id \
         WHERE s.workspace_id = $1 AND s.connection_id = $2 AND s.buyer_id = $3";
    let params = [P::T(workspace_id), P::T(connection_id), P::T(buyer_id)];
    tx.rows(sql, &params).await?.iter().map(|row| row.text(0)).collect()
}

/// The sales of a customer in a program that are no part of another one: (sale id). At most `limit` after an id.
///
/// # Errors
/// The database's.
pub async fn sales_of(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    program_id: &str,
    customer_id: &str,
    after: &str,
    limit: i64,
) -> Result<Vec<String>, StoreError> {
    let sql = "SELECT sale_id FROM sale WHERE workspace_id = $1 AND program_id = $2 AND customer_id = $3 \
         AND merged_into IS NULL AND sale_id > $4 ORDER BY sale_id LIMIT $5";
    let params = [P::T(workspace_id), P::T(program_id), P::T(customer_id), P::T(after), P::I(limit)];
    tx.rows(sql, &params).await?.iter().map(|row| row.text(0)).collect()
}

/// The sales of a buyer that are no part of another one and that nobody's customer made: (sale id). At most `limit` after
/// an id.
///
/// # Errors
/// The database's.
pub async fn sales_of_nobody(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    (connection_id, buyer_id): (&str, &str),
    after: &str,
    limit: i64,
) -> Result<Vec<String>, StoreError> {
    let sql = "SELECT sale_id FROM sale WHERE workspace_id = $1 AND connection_id = $2 AND buyer_id = $3 \
         AND customer_id IS NULL AND merged_into IS NULL AND currency <> '' AND sale_id > $4 ORDER BY sale_id LIMIT $5";
    let params = [P::T(workspace_id), P::T(connection_id), P::T(buyer_id), P::T(after), P::I(limit)];
    tx.rows(sql, &params).await?.iter().map(|row| row.text(0)).collect()
}

/// Takes everything personal from a customer's row, its sign-ups and its visits, and makes the row a source with the
/// partner given.
///
/// # Errors
/// The database's.
pub async fn clear_customer(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    before: &Customer,
    key: &str,
    partner_id: Option<&str>,
    actor: &str,
    now: i64,
) -> Result<(), StoreError> {
    let (ws, id) = (P::T(workspace_id), P::T(&before.customer_id));
    for sql in [
        "DELETE FROM visitor_link WHERE workspace_id = $1 AND visitor IN (SELECT v.visitor FROM visit v \
         JOIN browser_signup s ON s.workspace_id = v.workspace_id AND s.visit_id = v.visit_id \
         WHERE s.workspace_id = $1 AND s.customer_id = $2)",
        "UPDATE visit SET visitor = '', landing = '', referrer = '' WHERE workspace_id = $1 AND visit_id IN \
         (SELECT visit_id FROM browser_signup WHERE workspace_id = $1 AND customer_id = $2 AND visit_id IS NOT NULL)",
        "UPDATE browser_signup SET value = '', page = '', visit_id = NULL WHERE workspace_id = $1 AND customer_id = $2",
    ] {
        tx.exec(sql, &[ws, id]).await?;
    }
    let sql = "UPDATE customer SET key = $3, email = '', email_hash = NULL, name = '', surname = '', tags = '[]', \
         origin = 'api', born_of = NULL, partner_id = $4, partner_by = 'erased', updated_at = $5 \
         WHERE workspace_id = $1 AND customer_id = $2";
    tx.exec(sql, &[ws, id, P::T(key), P::opt_t(partner_id), P::I(now)]).await?;
    let of = (before.program_id.as_str(), before.mode.as_str());
    super::decisions::follow_key(tx, workspace_id, of, &before.key, key).await?;
    let former = known_as::of_nobody_else(tx, workspace_id, &before.customer_id).await?;
    let former = former.iter().filter(|(name, _)| *name == Name::Key).map(|(_, value)| value);
    for old in former.chain([&before.key]) {
        crate::pages::audit::follow_key(tx, workspace_id, of, old, key).await?;
    }
    known_as::forget(tx, workspace_id, &before.customer_id).await?;
    let sql = "INSERT INTO erasure (workspace_id, customer_id, actor, created_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (workspace_id, customer_id) DO NOTHING";
    tx.exec(sql, &[ws, id, P::T(actor), P::I(now)]).await?;
    super::people::count_partner(tx, workspace_id, before, partner_id).await
}

/// Takes everything personal from the visits that purchases named.
///
/// # Errors
/// The database's.
pub async fn clear_visits(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    visit_ids: &BTreeSet<String>,
) -> Result<(), StoreError> {
    let sets: Vec<_> = visit_ids.iter().map(|id| vec![P::T(workspace_id), P::T(id)]).collect();
    for sql in [
        "DELETE FROM visitor_link WHERE workspace_id = $1 AND visitor IN (SELECT visitor FROM visit \
         WHERE workspace_id = $1 AND visit_id = $2)",
        "UPDATE visit SET visitor = '', landing = '', referrer = '' WHERE workspace_id = $1 AND visit_id = $2",
    ] {
        tx.exec_each(sql, &sets).await?;
    }
    Ok(())
}

/// Takes the hash of the address from the sales of a buyer. A guest's sales are no longer found by it: those that turned
/// out to be a part of another one are never read again and get their last buyer, all others get theirs when they are
/// read again.
///
/// # Errors
/// The database's.
pub async fn clear_sales(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
    buyer_id: &str,
) -> Result<(), StoreError> {
    let sql = "UPDATE sale SET email_hash = NULL, buyer_id = CASE WHEN buyer_id NOT LIKE 'guest:%' THEN buyer_id \
         WHEN merged_into IS NULL THEN 'erased:' || root_id ELSE 'unknown:' || root_id END \
         WHERE workspace_id = $1 AND connection_id = $2 AND buyer_id = $3";
    tx.exec(sql, &[P::T(workspace_id), P::T(connection_id), P::T(buyer_id)]).await?;
    Ok(())
}

/// The client references that a buyer's objects carry.
///
/// # Errors
/// The database's.
pub async fn references_of(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
    buyer_id: &str,
) -> Result<BTreeSet<String>, StoreError> {
    let sql = "SELECT value FROM buyer_hint WHERE workspace_id = $1 AND connection_id = $2 AND buyer_id = $3";
    let params = [P::T(workspace_id), P::T(connection_id), P::T(buyer_id)];
    tx.rows(sql, &params).await?.iter().map(|row| row.text(0)).collect()
}

/// A stored fact: source, its number within the source, and what it says as JSON.
pub type StoredFact = (String, i64, String);

/// The stored facts about an object.
///
/// # Errors
/// The database's.
pub async fn facts_of(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
    object_id: &str,
) -> Result<Vec<StoredFact>, StoreError> {
    let sql = "SELECT source_id, n, body FROM fact WHERE workspace_id = $1 AND connection_id = $2 AND object_id = $3";
    let params = [P::T(workspace_id), P::T(connection_id), P::T(object_id)];
    let rows = tx.rows(sql, &params).await?;
    rows.iter().map(|row| Ok((row.text(0)?, row.int(1)?, row.text(2)?))).collect()
}

/// Writes facts anew.
///
/// # Errors
/// The database's.
pub async fn rewrite_facts(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
    facts: &[StoredFact],
) -> Result<(), StoreError> {
    let sql = "UPDATE fact SET body = $5 WHERE workspace_id = $1 AND connection_id = $2 AND source_id = $3 AND n = $4";
    let sets: Vec<Vec<P<'_>>> = facts
        .iter()
        .map(|(source, n, body)| {
            vec![P::T(workspace_id), P::T(connection_id), P::T(source), P::I(*n), P::T(body)]
        })
        .collect();
    tx.exec_each(sql, &sets).await?;
    Ok(())
}
