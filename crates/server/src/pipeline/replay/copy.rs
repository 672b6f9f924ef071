//! Copies the sources that are small: programs, terms, people, decisions. Events, observations and visits are read
//! where they lie.

use tributary_store::whole::{Class, Extent, TABLES, rows};
use tributary_store::{Db, StoreError};

/// Copies all of them.
pub(super) async fn all(from: &Db, to: &Db) -> Result<(), StoreError> {
    for table in TABLES.iter().filter(|table| table.class == Class::Source) {
        rows::copy(from, to, table, Extent::Sources, table.name).await?;
    }
    Ok(())
}
