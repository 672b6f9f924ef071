//! Derived rows that were computed elsewhere, laid beside the ones in use and then put in their place, in one
//! transaction and with the ids that the ledger knows.
//!
//! A sale's id comes from the root that it had first, which depends on the order of arrival. A sale that was derived
//! anew therefore takes the id of the one with the same root, so that its commissions stay its own.
//!
//! Each run has tables of its own, and the newest run takes away those of all others: two that run at once never fill the
//! same ones.

use super::rows::copy;
use super::schema::{all_names, columns, statement};
use super::{Class, Extent, Table};
use crate::{Db, P, StoreError, Tx, Unit};

/// What the names of tables laid beside begin with. In the statements below it stands for the run's own.
pub const PREFIX: &str = "shadow_";

/// The tables of one run.
#[derive(Debug, Clone)]
pub struct Beside {
    prefix: String,
}

impl Beside {
    /// Names for a run that begins now.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] without a source of randomness.
    pub fn new() -> Result<Self, StoreError> {
        Ok(Self { prefix: format!("{PREFIX}{:08x}_", u32::from_be_bytes(crate::vault::random()?)) })
    }

    fn sql(&self, text: &str) -> &'static str {
        statement(text.replace(PREFIX, &self.prefix))
    }

    /// Fails where another run has taken the tables away.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] then; else the database's.
    async fn check(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let own = format!("{}customer", self.prefix);
        if all_names(tx).await?.contains(&own) {
            return Ok(());
        }
        Err(StoreError::Conflict(
            "another `replay --apply` was begun meanwhile, and goes on alone".to_owned(),
        ))
    }
}

struct Check(Beside);

impl Unit for Check {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        self.0.check(tx).await
    }
}

/// The tables that are replaced.
const SHADOWED: &[&str] =
    &["fact", "alias", "sale", "evidence", "buyer_hint", "buyer_customer", "code_name", "customer"];

/// Which sale of the new ones takes which id: by root, else its own, unless another one has that.
const MAP: &[&str] = &[
    "CREATE TABLE shadow_map AS SELECT s.workspace_id AS workspace_id, s.sale_id AS new_id, COALESCE(\
     (SELECT MIN(r.sale_id) FROM sale r WHERE r.workspace_id = s.workspace_id AND r.connection_id = s.connection_id \
     AND r.root_id = s.root_id AND r.merged_into IS NULL), CASE WHEN EXISTS (SELECT 1 FROM sale o JOIN shadow_sale t \
     ON t.workspace_id = o.workspace_id AND t.connection_id = o.connection_id AND t.root_id = o.root_id \
     WHERE o.workspace_id = s.workspace_id AND o.sale_id = s.sale_id AND o.merged_into IS NULL \
     AND t.merged_into IS NULL) THEN s.sale_id || '_r' ELSE s.sale_id END) AS real_id FROM shadow_sale s \
     WHERE s.merged_into IS NULL",
    "CREATE INDEX shadow_ix_map ON shadow_map (workspace_id, new_id)",
    "CREATE INDEX shadow_ix_real ON shadow_map (workspace_id, real_id)",
    "CREATE INDEX shadow_ix_alias ON shadow_alias (workspace_id, connection_id, object_id)",
];

/// Sales that no source makes any more go, or stay as what their commissions belonged to, and earn nothing.
const OLD_SALES: &[&str] = &[
    "UPDATE shadow_sale SET awaiting_since = COALESCE((SELECT r.awaiting_since FROM shadow_map m JOIN sale r \
     ON r.workspace_id = m.workspace_id AND r.sale_id = m.real_id WHERE m.workspace_id = shadow_sale.workspace_id \
     AND m.new_id = shadow_sale.sale_id), awaiting_since) WHERE awaiting_since IS NOT NULL",
    "DELETE FROM sale WHERE NOT EXISTS (SELECT 1 FROM shadow_map m WHERE m.workspace_id = sale.workspace_id \
     AND m.real_id = sale.sale_id) AND NOT EXISTS (SELECT 1 FROM commission c WHERE c.workspace_id = sale.workspace_id \
     AND c.sale_id = sale.sale_id)",
    "DELETE FROM sale WHERE EXISTS (SELECT 1 FROM shadow_map m WHERE m.workspace_id = sale.workspace_id \
     AND m.real_id = sale.sale_id)",
    "UPDATE sale SET state = 'merged', unsettled = FALSE, unplaced = FALSE, awaiting_since = NULL, merged_into = \
     (SELECT m.real_id FROM shadow_alias a JOIN shadow_map m ON m.workspace_id = a.workspace_id \
     AND m.new_id = a.sale_id WHERE a.workspace_id = sale.workspace_id AND a.connection_id = sale.connection_id \
     AND a.object_id = sale.root_id)",
    "UPDATE sale SET state = 'withdrawn' WHERE merged_into IS NULL",
];

/// Customers that a purchase bore.
const CUSTOMERS: &[&str] =
    &["DELETE FROM customer WHERE origin = 'purchase' AND NOT EXISTS (SELECT 1 FROM shadow_customer s \
     WHERE s.workspace_id = customer.workspace_id AND s.customer_id = customer.customer_id) \
     AND customer_id NOT IN (SELECT customer_id FROM api_transaction) \
     AND customer_id NOT IN (SELECT customer_id FROM browser_signup)"];

/// Everything must be settled anew.
const SCOPES: &[&str] = &[
    "UPDATE scope SET generation = generation + 1, whole = TRUE",
    "INSERT INTO scope (workspace_id, program_id, customer_id, mode, generation, settled_generation, whole) \
     SELECT DISTINCT workspace_id, program_id, customer_id, mode, 1, 0, TRUE FROM sale \
     WHERE program_id IS NOT NULL AND customer_id IS NOT NULL ON CONFLICT DO NOTHING",
];

/// Commissions whose row does not say what their journals say.
const OFF: &str = "SELECT c.workspace_id, c.commission_id, CAST(COALESCE(t.posted, 0) AS BIGINT), \
     COALESCE(t.last_seq, 0), t.matured FROM commission c LEFT JOIN (SELECT j.workspace_id, j.commission_id, \
     SUM(CASE WHEN d.kind = 'expense' THEN e.amount WHEN k.kind = 'expense' THEN -e.amount ELSE 0 END) AS posted, \
     MAX(j.seq) AS last_seq, MAX(CASE WHEN j.kind = 'matured' THEN j.created_at END) AS matured FROM journal j \
     JOIN entry e ON e.workspace_id = j.workspace_id AND e.journal_id = j.journal_id \
     JOIN account d ON d.workspace_id = e.workspace_id AND d.mode = e.mode AND d.currency = e.currency \
     AND d.account_id = e.debit_account JOIN account k ON k.workspace_id = e.workspace_id AND k.mode = e.mode \
     AND k.currency = e.currency AND k.account_id = e.credit_account GROUP BY j.workspace_id, j.commission_id) t \
     ON t.workspace_id = c.workspace_id AND t.commission_id = c.commission_id \
     WHERE c.target <> COALESCE(t.posted, 0) OR c.last_seq <> COALESCE(t.last_seq, 0) \
     OR (c.matured_at IS NULL AND t.matured IS NOT NULL)";

/// Makes the tables beside, empty. Those of other runs are dropped.
#[derive(Debug)]
pub struct Prepare(pub Beside);

impl Unit for Prepare {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        drop_those(tx, PREFIX).await?;
        for name in SHADOWED {
            let sql = format!("CREATE TABLE {PREFIX}{name} AS SELECT * FROM {name} WHERE 1 = 0");
            tx.exec(self.0.sql(&sql), &[]).await?;
        }
        Ok(())
    }
}

/// Takes the tables beside away.
#[derive(Debug)]
pub struct Clear(pub Beside);

impl Unit for Clear {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        drop_those(tx, &self.0.prefix).await
    }
}

async fn drop_those(tx: &mut Tx<'_>, prefix: &str) -> Result<(), StoreError> {
    for name in all_names(tx).await?.iter().filter(|name| name.starts_with(prefix)) {
        tx.exec(statement(format!("DROP TABLE IF EXISTS {name}")), &[]).await?;
    }
    Ok(())
}

/// Fills the tables beside from the database in which everything was derived anew.
///
/// # Errors
/// [`StoreError::Conflict`] if another run was begun meanwhile; else the databases'.
pub async fn fill(derived: &Db, db: &Db, beside: &Beside) -> Result<(), StoreError> {
    for name in SHADOWED {
        let sources = if *name == "customer" { "origin = 'purchase'" } else { "" };
        let table = Table { name, class: Class::Derived, sources };
        let into = beside.sql(&format!("{PREFIX}{name}"));
        if let Err(error) = copy(derived, db, &table, Extent::Sources, into).await {
            db.read(Check(beside.clone())).await?;
            return Err(error);
        }
    }
    Ok(())
}

/// Keeps every other writer of what is derived out until this transaction ends. SQLite has one writer anyway.
///
/// # Errors
/// The database's.
pub async fn lock(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    if tx.is_postgres() {
        // Not what an event's foreign key looks at: events come in meanwhile.
        let sql = "LOCK TABLE partner_status, customer, decision, api_transaction, browser_signup, fact, \
             alias, sale, evidence, buyer_hint, buyer_customer, code_name, scope, commission, journal IN EXCLUSIVE MODE";
        tx.exec(sql, &[]).await?;
    }
    Ok(())
}

/// Puts what lies beside in the place of what is used, and asks for the settlement of everything. The commissions'
/// rows are set to what their journals say.
///
/// # Errors
/// [`StoreError::Conflict`] if another run was begun meanwhile; else the database's. Then nothing was changed.
pub async fn swap(tx: &mut Tx<'_>, beside: &Beside) -> Result<(), StoreError> {
    beside.check(tx).await?;
    all(tx, beside, MAP).await?;
    all(tx, beside, OLD_SALES).await?;
    let of_sale =
        [("sale_id", "m.real_id"), ("unsettled", "(s.program_id IS NOT NULL)"), ("unplaced", "FALSE")];
    replace(tx, beside, "sale", " JOIN", &of_sale).await?;
    for name in ["fact", "alias", "evidence", "buyer_hint", "buyer_customer", "code_name"] {
        tx.exec(statement(format!("DELETE FROM {name}")), &[]).await?;
        if matches!(name, "alias" | "evidence") {
            replace(tx, beside, name, " LEFT JOIN", &of_sale[..1]).await?;
        } else {
            replace(tx, beside, name, "", &[]).await?;
        }
    }
    all(tx, beside, CUSTOMERS).await?;
    replace(tx, beside, "customer", "", &[]).await?;
    correct_commissions(tx).await?;
    all(tx, beside, SCOPES).await?;
    drop_those(tx, &beside.prefix).await
}

async fn all(tx: &mut Tx<'_>, beside: &Beside, statements: &[&str]) -> Result<(), StoreError> {
    for sql in statements {
        tx.exec(beside.sql(sql), &[]).await?;
    }
    Ok(())
}

/// Inserts the rows that lie beside, some columns from elsewhere; a row that is there already stays. `join` says how
/// the map of sales is joined, if it is.
async fn replace(
    tx: &mut Tx<'_>,
    beside: &Beside,
    name: &str,
    join: &str,
    other: &[(&str, &str)],
) -> Result<(), StoreError> {
    let columns = columns(tx, name).await?;
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let value = |name: &&str| {
        let other = other.iter().find(|(column, _)| column == name);
        other.map_or_else(|| format!("s.{name}"), |(_, value)| (*value).to_owned())
    };
    let values: Vec<String> = names.iter().map(value).collect();
    let (names, values) = (names.join(", "), values.join(", "));
    let map = " shadow_map m ON m.workspace_id = s.workspace_id AND m.new_id = s.sale_id";
    let map = if join.is_empty() { "" } else { map };
    let sql = format!(
        "INSERT INTO {name} ({names}) SELECT {values} FROM {PREFIX}{name} s{join}{map} \
         WHERE s.workspace_id IS NOT NULL ON CONFLICT DO NOTHING"
    );
    tx.exec(beside.sql(&sql), &[]).await?;
    Ok(())
}

async fn correct_commissions(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    let off = tx.rows(OFF, &[]).await?;
    let sql = "UPDATE commission SET target = $3, last_seq = $4, matured_at = COALESCE(matured_at, $5), last_seal = \
         COALESCE((SELECT j.seal FROM journal j WHERE j.workspace_id = $1 AND j.commission_id = $2 AND j.seq = $4), '') \
         WHERE workspace_id = $1 AND commission_id = $2";
    for row in &off {
        let (ws, id, target, seq) = (row.text(0)?, row.text(1)?, row.int(2)?, row.int(3)?);
        // Journals that add up to less than nothing are a matter for `verify`, not for a row to hide.
        let target = P::I(target.max(0));
        tx.exec(sql, &[P::T(&ws), P::T(&id), target, P::I(seq), P::opt_i(row.opt_int(4)?)]).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::Location;

    struct Swap(Beside);

    impl Unit for Swap {
        type Out = ();
        async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
            swap(tx, &self.0).await
        }
    }

    #[tokio::test]
    async fn the_newest_run_goes_on_alone() {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(&Location::Sqlite(folder.path().join("a.db"))).await.unwrap();
        db.migrate().await.unwrap();
        let (first, second) = (Beside::new().unwrap(), Beside::new().unwrap());
        db.write(Prepare(first.clone())).await.unwrap();
        db.read(Check(first.clone())).await.unwrap();
        db.write(Prepare(second.clone())).await.unwrap();
        for refused in [db.read(Check(first.clone())).await, db.write(Swap(first)).await] {
            let said = refused.unwrap_err();
            assert!(matches!(&said, StoreError::Conflict(words) if words.contains("another")), "{said:?}");
        }
        db.write(Swap(second.clone())).await.unwrap();
        assert!(db.read(Check(second)).await.is_err(), "nothing is left beside");
    }
}
