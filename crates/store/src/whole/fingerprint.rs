//! One short text for all that is derived from: while it stays the same, what was derived still holds.

use super::rows::{self, Cell, Plan};
use super::{Class, Extent, TABLES, Table};
use crate::{Db, StoreError, Tx, Unit};
use sha2::{Digest as _, Sha256};

/// Columns that change by themselves while a server runs, and that nothing is derived from.
const VOLATILE: &[(&str, &str)] = &[
    ("connection", "cursor_at"),
    ("connection", "checked_at"),
    ("connection", "looked_at"),
    ("connection", "look_failures"),
    ("connection", "status"),
    ("connection", "status_reason"),
    ("connection", "warnings"),
    ("connection", "permissions"),
    ("connection", "updated_at"),
];

/// Of large sources their marks are enough: they are never changed.
const MARKS: &[&str] = &[
    "SELECT COUNT(*), CAST(COALESCE(SUM(processed_at % 1000003), 0) AS BIGINT) FROM event \
     WHERE outcome = 'processed'",
    "SELECT COUNT(*), CAST(COALESCE(SUM(fetched_at % 1000003), 0) AS BIGINT) FROM observation",
];

/// How the sources' tables are read.
#[derive(Debug, Clone)]
pub struct Plans(Vec<(&'static Table, Plan)>);

impl Plans {
    /// For a database.
    ///
    /// # Errors
    /// The database's.
    pub async fn of(db: &Db) -> Result<Self, StoreError> {
        let mut plans = Vec::new();
        for table in TABLES.iter().filter(|table| table.class == Class::Source) {
            plans.push((table, Plan::of(db, table, Extent::Sources, table.name).await?));
        }
        Ok(Self(plans))
    }

    /// The fingerprint, inside of a transaction.
    ///
    /// # Errors
    /// The database's.
    pub async fn read(&self, tx: &mut Tx<'_>) -> Result<String, StoreError> {
        let mut hash = Sha256::new();
        for sql in MARKS {
            for row in tx.rows(sql, &[]).await? {
                hash.update(format!("{} {}\n", row.int(0)?, row.int(1)?));
            }
        }
        for (table, plan) in &self.0 {
            let skipped: Vec<bool> =
                plan.names().map(|name| VOLATILE.contains(&(table.name, name))).collect();
            hash.update(format!("{}\n", table.name));
            let mut after = Vec::new();
            loop {
                let rows = plan.read(tx, &after).await?;
                let Some(last) = rows.last() else { break };
                after = plan.key_of(last);
                for row in &rows {
                    for (cell, _) in row.iter().zip(&skipped).filter(|(_, skipped)| !**skipped) {
                        add(&mut hash, cell);
                    }
                }
            }
        }
        Ok(hex::encode(hash.finalize()))
    }
}

/// Each value with its length, so that no two rows look alike that are not.
fn add(hash: &mut Sha256, cell: &Cell) {
    let bytes = match cell {
        Cell::Text(text) => text.as_ref().map(|text| text.as_bytes().to_vec()),
        Cell::Int(value) => value.map(|value| value.to_le_bytes().to_vec()),
        Cell::Bytes(bytes) => bytes.clone(),
        Cell::Flag(flag) => flag.map(|flag| vec![u8::from(flag)]),
    };
    let length = bytes.as_ref().map_or(-1, |bytes| i64::try_from(bytes.len()).unwrap_or(i64::MAX));
    hash.update(length.to_le_bytes());
    hash.update(bytes.unwrap_or_default());
}

/// A short text for the rows of one whole table. Two databases that sort texts differently say the same: the hashes of
/// the rows are added up, whatever their order.
///
/// # Errors
/// The database's.
pub async fn of_table(db: &Db, table: &Table) -> Result<String, StoreError> {
    let plan = Plan::of(db, table, Extent::All, table.name).await?;
    let (mut after, mut sums) = (Vec::new(), [0_u64; 4]);
    loop {
        let rows = rows::page(db, &plan, after).await?;
        let Some(last) = rows.last() else { break };
        after = plan.key_of(last);
        for row in &rows {
            let mut hash = Sha256::new();
            row.iter().for_each(|cell| add(&mut hash, cell));
            for (sum, part) in sums.iter_mut().zip(hash.finalize().chunks_exact(8)) {
                *sum = sum.wrapping_add(part.iter().fold(0, |whole, byte| (whole << 8) | u64::from(*byte)));
            }
        }
    }
    Ok(sums.iter().map(|sum| format!("{sum:016x}")).collect())
}

/// Reads the fingerprint on one snapshot.
#[derive(Debug)]
pub struct Fingerprint(pub Plans);

impl Unit for Fingerprint {
    type Out = String;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<String, StoreError> {
        self.0.read(tx).await
    }
}
