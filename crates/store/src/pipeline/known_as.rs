//! The keys and addresses that customers had, with their time: a source, as the customers are.

use super::people::{Customer, columns, customer};
use crate::{P, StoreError, Tx};
use tributary_domain::attribution::Holding;

/// What somebody is known by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Name {
    /// The merchant's key.
    Key,
    /// The hash of the e-mail address.
    Email,
}

impl Name {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Email => "email",
        }
    }
}

/// Did a customer of this workspace ever change its key or address?
///
/// # Errors
/// The database's.
async fn any(tx: &mut Tx<'_>, workspace_id: &str) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM known_as WHERE workspace_id = $1 LIMIT 1";
    Ok(!tx.settings(sql, &[P::T(workspace_id)]).await?.is_empty())
}

/// Notes that a customer has another key or address from an instant (ms UTC) on; `was` it had since `since`, or since its
/// last change. Nothing for what it has none of.
///
/// # Errors
/// The database's.
pub async fn note(
    tx: &mut Tx<'_>,
    (workspace_id, customer_id): (&str, &str),
    name: Name,
    (was, since): (&str, i64),
    (is, now): (&str, i64),
) -> Result<(), StoreError> {
    let of = [P::T(workspace_id), P::T(customer_id), P::T(name.as_str())];
    let last = "SELECT MAX(from_ms) FROM known_as WHERE workspace_id = $1 AND customer_id = $2 AND kind = $3";
    let last = tx.opt(last, &of).await?.map(|row| row.opt_int(0)).transpose()?.flatten().unwrap_or(since);
    // A clock that went back, or two changes in one millisecond: what was had before was had for a while.
    let now = now.max(last.saturating_add(1));
    let first = "INSERT INTO known_as (workspace_id, customer_id, kind, from_ms, value) SELECT $1, $2, $3, CAST($4 AS BIGINT), $5 \
         WHERE NOT EXISTS (SELECT 1 FROM known_as WHERE workspace_id = $1 AND customer_id = $2 AND kind = $3)";
    tx.exec(first, &[&of[..], &[P::I(since), P::T(was)]].concat()).await?;
    let next =
        "INSERT INTO known_as (workspace_id, customer_id, kind, from_ms, value) VALUES ($1, $2, $3, $4, $5)";
    tx.exec(next, &[&of[..], &[P::I(now), P::T(is)]].concat()).await?;
    Ok(())
}

/// The customers of a program and mode, made by a call or the script, that have or had a key or an address, each with
/// the time; in the order of their sign-up. At most 200. `None` if nobody in the workspace ever changed one, so that only
/// those who have it need to be asked for.
///
/// # Errors
/// The database's.
pub async fn holdings(
    tx: &mut Tx<'_>,
    (workspace_id, mode, program_id): (&str, &str, &str),
    name: Name,
    value: &str,
) -> Result<Option<Vec<Holding<Customer>>>, StoreError> {
    if !any(tx, workspace_id).await? {
        return Ok(None);
    }
    let (had, have) = match name {
        Name::Key => (HAD, HAVE_KEY),
        Name::Email => (HAD, HAVE_EMAIL),
    };
    let place = [P::T(workspace_id), P::T(mode), P::T(program_id), P::T(name.as_str()), P::T(value)];
    let mut found = Vec::new();
    for sql in [had, have] {
        for row in tx.rows(sql, &place).await? {
            let who = customer(&row)?;
            let (from_ms, until_ms) = (row.int(12)?, row.opt_int(13)?);
            found.push(Holding { by_browser: who.partner_by == "browser", who, from_ms, until_ms });
        }
    }
    found.sort_by(|a, b| (a.who.created_at, &a.who.key).cmp(&(b.who.created_at, &b.who.key)));
    Ok(Some(found))
}

const HAD: &str = concat!(
    "SELECT ",
    columns!("c."),
    ", n.from_ms, (SELECT MIN(m.from_ms) FROM known_as m WHERE m.workspace_id = n.workspace_id \
     AND m.customer_id = n.customer_id AND m.kind = n.kind AND m.from_ms > n.from_ms) \
     FROM known_as n JOIN customer c ON c.workspace_id = n.workspace_id AND c.customer_id = n.customer_id \
     WHERE n.workspace_id = $1 AND n.value = $5 AND n.kind = $4 AND c.mode = $2 AND c.program_id = $3 \
     AND c.origin = 'api' ORDER BY CASE WHEN c.partner_by = 'browser' THEN 1 ELSE 0 END, n.from_ms, n.customer_id LIMIT 100"
);

/// Those who never changed it have no row. The order is an expression: SQLite would else read all customers of the program
/// in the order of an index rather than sort the few of the value.
macro_rules! have {
    ($column:literal) => {
        concat!(
            "SELECT ",
            columns!("c."),
            ", c.created_at, CAST(NULL AS BIGINT) FROM customer c WHERE c.workspace_id = $1 AND c.mode = $2 \
             AND c.program_id = $3 AND c.",
            $column,
            " = $5 AND c.origin = 'api' AND NOT EXISTS (SELECT 1 FROM known_as n WHERE n.workspace_id = $1 \
             AND n.customer_id = c.customer_id AND n.kind = $4) ORDER BY CASE WHEN c.partner_by = 'browser' THEN 1 ELSE 0 END, \
             c.created_at, c.key LIMIT 100"
        )
    };
}
const HAVE_KEY: &str = have!("key");
const HAVE_EMAIL: &str = have!("email_hash");

/// Every key and address that a customer has noted, now or before: (what it is, value).
///
/// # Errors
/// The database's.
pub async fn of_customer(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    customer_id: &str,
) -> Result<Vec<(Name, String)>, StoreError> {
    let sql = "SELECT DISTINCT kind, value FROM known_as WHERE workspace_id = $1 AND customer_id = $2 AND value <> '' \
         ORDER BY kind, value LIMIT 1000";
    let rows = tx.rows(sql, &[P::T(workspace_id), P::T(customer_id)]).await?;
    rows.iter()
        .map(|row| Ok((if row.text(0)? == "key" { Name::Key } else { Name::Email }, row.text(1)?)))
        .collect()
}

/// Forgets what a customer had: it is what it is now, and was it from the start.
///
/// # Errors
/// The database's.
pub async fn forget(tx: &mut Tx<'_>, workspace_id: &str, customer_id: &str) -> Result<(), StoreError> {
    let sql = "DELETE FROM known_as WHERE workspace_id = $1 AND customer_id = $2";
    tx.exec(sql, &[P::T(workspace_id), P::T(customer_id)]).await?;
    Ok(())
}

/// The keys and addresses that a customer has noted and that nobody else has now: (what it is, value).
///
/// # Errors
/// The database's.
pub async fn of_nobody_else(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    customer_id: &str,
) -> Result<Vec<(Name, String)>, StoreError> {
    let mut own = Vec::new();
    for (name, value) in of_customer(tx, workspace_id, customer_id).await? {
        let sql = match name {
            Name::Key => {
                "SELECT 1 FROM customer WHERE workspace_id = $1 AND customer_id <> $2 AND key = $3 LIMIT 1"
            }
            Name::Email => {
                "SELECT 1 FROM customer WHERE workspace_id = $1 AND customer_id <> $2 AND email_hash = $3 LIMIT 1"
            }
        };
        if tx.opt(sql, &[P::T(workspace_id), P::T(customer_id), P::T(&value)]).await?.is_none() {
            own.push((name, value));
        }
    }
    Ok(own)
}

/// Takes the hash of an erased person's address from whoever else had it; when, stays.
///
/// # Errors
/// The database's.
pub async fn blank(tx: &mut Tx<'_>, workspace_id: &str, email_hash: &str) -> Result<(), StoreError> {
    let sql = "UPDATE known_as SET value = '' WHERE workspace_id = $1 AND value = $2 AND kind = 'email'";
    tx.exec(sql, &[P::T(workspace_id), P::T(email_hash)]).await?;
    Ok(())
}
