//! Sign-ups that a browser told of: sources, kept for what they made or changed.

use crate::{P, Row, StoreError, Tx};

/// A sign-up that made a customer, or gave one its partner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrowserSignup {
    /// `sgn_…`
    pub signup_id: String,
    /// Whom it made or gave a partner.
    pub customer_id: String,
    /// That partner (our id).
    pub partner_id: Option<String>,
    /// The visit that the browser named, if it is one of this program and of that partner.
    pub visit_id: Option<String>,
    /// The key of the customer, as it was given.
    pub value: String,
    /// The page, without query.
    pub page: String,
    /// ms UTC.
    pub at: i64,
}

/// Keeps one.
///
/// # Errors
/// The database's.
pub async fn insert(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    mode: &str,
    program_id: &str,
    s: &BrowserSignup,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO browser_signup (workspace_id, signup_id, mode, program_id, customer_id, partner_id, \
         visit_id, value, page, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    let params = [
        P::T(workspace_id),
        P::T(&s.signup_id),
        P::T(mode),
        P::T(program_id),
        P::T(&s.customer_id),
        P::opt_t(s.partner_id.as_deref()),
        P::opt_t(s.visit_id.as_deref()),
        P::T(&s.value),
        P::T(&s.page),
        P::I(s.at),
    ];
    tx.exec(sql, &params).await?;
    Ok(())
}

/// The first sign-up of a customer.
///
/// # Errors
/// The database's.
pub async fn first_of(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    customer_id: &str,
) -> Result<Option<BrowserSignup>, StoreError> {
    let sql = "SELECT signup_id, customer_id, partner_id, visit_id, value, page, at FROM browser_signup \
         WHERE workspace_id = $1 AND customer_id = $2 ORDER BY at, signup_id LIMIT 1";
    let read = |row: Row| {
        Ok(BrowserSignup {
            signup_id: row.text(0)?,
            customer_id: row.text(1)?,
            partner_id: row.opt_text(2)?,
            visit_id: row.opt_text(3)?,
            value: row.text(4)?,
            page: row.text(5)?,
            at: row.int(6)?,
        })
    };
    tx.opt(sql, &[P::T(workspace_id), P::T(customer_id)]).await?.map(read).transpose()
}
