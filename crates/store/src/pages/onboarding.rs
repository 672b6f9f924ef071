//! What proves that a program is set up: what was seen of its script and its connection, and its first partner.

use crate::{P, StoreError, Tx};

/// The last time that something of a program was seen, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// `script`, `visit`, `signup`, …
    pub kind: String,
    /// The page.
    pub url: String,
    /// ms UTC.
    pub at: i64,
}

/// Everything that was seen of a program, by kind.
///
/// # Errors
/// The database's.
pub async fn sightings(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    program_id: &str,
) -> Result<Vec<Sighting>, StoreError> {
    let sql = "SELECT kind, url, at FROM sighting WHERE workspace_id = $1 AND program_id = $2 ORDER BY kind LIMIT 50";
    let rows = tx.rows(sql, &[P::T(workspace_id), P::T(program_id)]).await?;
    rows.iter().map(|row| Ok(Sighting { kind: row.text(0)?, url: row.text(1)?, at: row.int(2)? })).collect()
}

/// A partner with the link that it shares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstPartner {
    /// `ptr_…`
    pub partner_id: String,
    /// First and last name, or empty.
    pub name: String,
    /// Lower case.
    pub email: String,
    /// The key in the default link.
    pub key: String,
    /// Where the link leads.
    pub destination: String,
}

/// The oldest partner of a program that is not deleted.
///
/// # Errors
/// The database's.
pub async fn first_partner(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    program_id: &str,
) -> Result<Option<FirstPartner>, StoreError> {
    let sql = "SELECT p.partner_id, p.name, p.surname, p.email, l.key, l.destination FROM partner p \
         JOIN referral_link l ON l.workspace_id = p.workspace_id AND l.partner_id = p.partner_id \
         WHERE p.workspace_id = $1 AND p.program_id = $2 AND p.deleted_at IS NULL AND l.is_default = $3 \
         ORDER BY p.created_at, p.partner_id, l.created_at DESC LIMIT 1";
    let row = tx.opt(sql, &[P::T(workspace_id), P::T(program_id), P::F(true)]).await?;
    row.map(|row| {
        Ok(FirstPartner {
            partner_id: row.text(0)?,
            name: format!("{} {}", row.text(1)?, row.text(2)?).trim().to_owned(),
            email: row.text(3)?,
            key: row.text(4)?,
            destination: row.text(5)?,
        })
    })
    .transpose()
}

/// When the newest customers of each kind came, ms UTC. Looked for among the last 500 customers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Newest {
    /// A purchase made the customer.
    pub by_purchase: Option<i64>,
    /// A sign-up made the customer: by script or by a server call.
    pub by_signup: Option<i64>,
}

/// The newest customers of a program in one mode.
///
/// # Errors
/// The database's.
pub async fn newest_customers(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    program_id: &str,
    mode: &str,
) -> Result<Newest, StoreError> {
    let sql = "SELECT origin, MAX(created_at) FROM (SELECT origin, created_at FROM customer \
         WHERE workspace_id = $1 AND program_id = $2 AND mode = $3 AND deleted_at IS NULL \
         ORDER BY created_at DESC, customer_id DESC LIMIT 500) AS newest GROUP BY origin LIMIT 10";
    let rows = tx.rows(sql, &[P::T(workspace_id), P::T(program_id), P::T(mode)]).await?;
    let mut newest = Newest::default();
    for row in rows {
        match row.text(0)?.as_str() {
            "purchase" => newest.by_purchase = row.opt_int(1)?,
            _ => newest.by_signup = row.opt_int(1)?,
        }
    }
    Ok(newest)
}
