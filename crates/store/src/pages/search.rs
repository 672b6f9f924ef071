//! One search over everything of a program: by names, e-mail addresses, keys and ids.

use super::Place;
use super::transactions::{escaped, root_of};
use crate::{P, Row, StoreError, Tx};

/// Rows of each kind.
pub const FEW: i64 = 10;

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// The only thing that the whole text names, if it names one.
    pub exact: Option<Exact>,
    /// Partners: our id; name, surname, key; e-mail.
    pub partners: Vec<(String, [String; 3], String)>,
    /// Customers: our id; e-mail, name, surname, key.
    pub customers: Vec<(String, [String; 4])>,
    /// Links: our id, key, destination; the partner's id.
    pub links: Vec<(String, String, String, String)>,
}

/// One thing by its whole name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exact {
    /// A sale by its economic key.
    Sale(String),
    /// An event: connection and id.
    Event(String, String),
    /// A partner by our id.
    Partner(String),
    /// A customer by our id.
    Customer(String),
}

/// Looks for a text. A Stripe id of any object of a sale, an event's id, a partner's key, id or e-mail address and a
/// customer's key, id or e-mail address are exact; parts of names, keys and addresses are found as rows.
///
/// # Errors
/// The database's.
pub async fn find(tx: &mut Tx<'_>, place: &Place, text: &str) -> Result<Found, StoreError> {
    let mut found = Found::default();
    if let Some(root) = root_of(tx, place, text).await? {
        found.exact = Some(Exact::Sale(root));
        return Ok(found);
    }
    let (ws, program, mode) = (P::T(&place.workspace_id), P::T(&place.program_id), P::T(&place.mode));
    let lower = text.to_lowercase();
    let mut exact = Vec::new();
    let sql = "SELECT e.connection_id, e.event_id FROM connection_program cp JOIN connection c \
         ON c.workspace_id = cp.workspace_id AND c.connection_id = cp.connection_id AND c.mode = $3 \
         JOIN event e ON e.workspace_id = cp.workspace_id AND e.connection_id = cp.connection_id AND e.event_id = $4 \
         WHERE cp.workspace_id = $1 AND cp.program_id = $2 LIMIT 2";
    for row in tx.rows(sql, &[ws, program, mode, P::T(text)]).await? {
        exact.push(Exact::Event(row.text(0)?, row.text(1)?));
    }
    let sql = "SELECT partner_id FROM partner WHERE workspace_id = $1 AND program_id = $2 AND deleted_at IS NULL \
         AND (key = $3 OR external_id = $3 OR partner_id = $3 OR email = $4) ORDER BY partner_id LIMIT 2";
    for row in tx.rows(sql, &[ws, program, P::T(text), P::T(&lower)]).await? {
        exact.push(Exact::Partner(row.text(0)?));
    }
    let sql = "SELECT customer_id FROM customer WHERE workspace_id = $1 AND program_id = $2 AND mode = $3 \
         AND deleted_at IS NULL AND (key = $4 OR customer_id = $4 OR email = $5 OR customer_id IN (SELECT b.customer_id \
         FROM buyer_customer b WHERE b.workspace_id = $1 AND b.program_id = $2 AND b.buyer_id = $4 \
         AND b.connection_id IN (SELECT cp.connection_id FROM connection_program cp WHERE cp.workspace_id = $1 \
         AND cp.program_id = $2))) ORDER BY customer_id LIMIT 2";
    for row in tx.rows(sql, &[ws, program, mode, P::T(text), P::T(&lower)]).await? {
        exact.push(Exact::Customer(row.text(0)?));
    }
    if exact.len() == 1 {
        found.exact = exact.pop();
        return Ok(found);
    }
    let pattern = format!("%{}%", escaped(&lower));
    let sql = "SELECT partner_id, name, surname, key, email FROM partner WHERE workspace_id = $1 AND program_id = $2 \
         AND deleted_at IS NULL AND (lower(name || ' ' || surname) LIKE $3 ESCAPE '\\' OR email LIKE $3 ESCAPE '\\' \
         OR lower(key) LIKE $3 ESCAPE '\\' OR lower(external_id) = $4) ORDER BY created_at DESC, partner_id LIMIT $5";
    let params = [ws, program, P::T(&pattern), P::T(&lower), P::I(FEW)];
    let partner = |row: &Row| Ok((row.text(0)?, [row.text(1)?, row.text(2)?, row.text(3)?], row.text(4)?));
    found.partners = tx.rows(sql, &params).await?.iter().map(partner).collect::<Result<_, StoreError>>()?;
    let sql = "SELECT customer_id, email, name, surname, key FROM customer WHERE workspace_id = $1 AND program_id = $2 \
         AND mode = $5 AND deleted_at IS NULL AND (lower(name || ' ' || surname) LIKE $3 ESCAPE '\\' \
         OR email LIKE $3 ESCAPE '\\' OR lower(key) LIKE $3 ESCAPE '\\') ORDER BY created_at DESC, customer_id DESC LIMIT $4";
    let params = [ws, program, P::T(&pattern), P::I(FEW), mode];
    let customer = |row: &Row| Ok((row.text(0)?, [row.text(1)?, row.text(2)?, row.text(3)?, row.text(4)?]));
    found.customers = tx.rows(sql, &params).await?.iter().map(customer).collect::<Result<_, StoreError>>()?;
    let sql = "SELECT link_id, key, destination, partner_id FROM referral_link WHERE workspace_id = $1 \
         AND program_id = $2 AND (lower(key) LIKE $3 ESCAPE '\\' OR lower(slug) LIKE $3 ESCAPE '\\' \
         OR lower(name) LIKE $3 ESCAPE '\\' OR lower(destination) LIKE $3 ESCAPE '\\') \
         ORDER BY created_at DESC, link_id LIMIT $4";
    let params = [ws, program, P::T(&pattern), P::I(FEW)];
    let link = |row: &Row| Ok((row.text(0)?, row.text(1)?, row.text(2)?, row.text(3)?));
    found.links = tx.rows(sql, &params).await?.iter().map(link).collect::<Result<_, StoreError>>()?;
    Ok(found)
}
