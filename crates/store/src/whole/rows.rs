//! Rows of any table, read in order of their key and written elsewhere.

use super::schema::{Column, Holds, columns_of, statement};
use super::{Extent, Table};
use crate::{Db, P, Row, StoreError, Tx, Ty, Unit};

/// Rows read and written at once.
pub const PAGE: i64 = 500;

/// One value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// TEXT
    Text(Option<String>),
    /// BIGINT
    Int(Option<i64>),
    /// BYTEA
    Bytes(Option<Vec<u8>>),
    /// BOOLEAN
    Flag(Option<bool>),
}

impl Cell {
    fn read(row: &Row, at: usize, holds: Holds) -> Result<Self, StoreError> {
        Ok(match holds {
            Holds::Text => Self::Text(row.opt_text(at)?),
            Holds::Int => Self::Int(row.opt_int(at)?),
            Holds::Bytes => Self::Bytes(row.opt_bytes(at)?),
            Holds::Flag => Self::Flag(row.opt_flag(at)?),
        })
    }

    /// As a parameter.
    #[must_use]
    pub fn param(&self) -> P<'_> {
        match self {
            Self::Text(text) => P::opt_t(text.as_deref()),
            Self::Int(value) => P::opt_i(*value),
            Self::Bytes(bytes) => bytes.as_deref().map_or(P::Null(Ty::Bytes), P::B),
            Self::Flag(flag) => flag.map_or(P::Null(Ty::Flag), P::F),
        }
    }
}

/// How one table is read and written: statements made of its columns.
#[derive(Debug, Clone)]
pub struct Plan {
    columns: Vec<Column>,
    /// The places of the key's columns, in their order.
    key: Vec<usize>,
    first: &'static str,
    next: &'static str,
    insert: &'static str,
}

impl Plan {
    /// Of a table's rows, to be written into a table of the same columns.
    ///
    /// # Errors
    /// The database's.
    pub async fn of(db: &Db, table: &Table, extent: Extent, into: &str) -> Result<Self, StoreError> {
        Ok(Self::made(columns_of(db, table.name).await?, table, extent, into))
    }

    fn made(columns: Vec<Column>, table: &Table, extent: Extent, into: &str) -> Self {
        let mut key: Vec<usize> = (0..columns.len()).filter(|at| columns[*at].key > 0).collect();
        key.sort_by_key(|at| columns[*at].key);
        let names = |places: &mut dyn Iterator<Item = usize>| {
            places.map(|at| columns[at].name.as_str()).collect::<Vec<_>>().join(", ")
        };
        let holes = |from: usize, count: usize| {
            (from..from + count).map(|n| format!("${n}")).collect::<Vec<_>>().join(", ")
        };
        let (all, by) = (names(&mut (0..columns.len())), names(&mut key.iter().copied()));
        let sources = match extent {
            Extent::Sources if !table.sources.is_empty() => table.sources,
            _ => "TRUE",
        };
        let from = format!("SELECT {all} FROM {} WHERE ({sources})", table.name);
        let next = format!("{from} AND ({by}) > ({}) ORDER BY {by} LIMIT $1", holes(2, key.len()));
        let values = holes(1, columns.len());
        let insert = format!("INSERT INTO {into} ({all}) VALUES ({values}) ON CONFLICT DO NOTHING");
        Self {
            first: statement(format!("{from} ORDER BY {by} LIMIT $1")),
            next: statement(next),
            insert: statement(insert),
            columns,
            key,
        }
    }

    /// The rows after a key, in its order; at most [`PAGE`].
    ///
    /// # Errors
    /// The database's.
    pub async fn read(&self, tx: &mut Tx<'_>, after: &[Cell]) -> Result<Vec<Vec<Cell>>, StoreError> {
        let mut params = vec![P::I(PAGE)];
        params.extend(after.iter().map(Cell::param));
        let sql = if after.is_empty() { self.first } else { self.next };
        let cells = |row: &Row| {
            self.columns.iter().enumerate().map(|(at, column)| Cell::read(row, at, column.holds)).collect()
        };
        tx.rows(sql, &params).await?.iter().map(cells).collect()
    }

    /// The key of a row.
    #[must_use]
    pub fn key_of(&self, row: &[Cell]) -> Vec<Cell> {
        self.key.iter().filter_map(|at| row.get(*at)).cloned().collect()
    }

    /// The columns' names, in the order of a row's cells.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|column| column.name.as_str())
    }

    /// Writes rows; one that is there already stays as it is.
    ///
    /// # Errors
    /// The database's.
    pub async fn write(&self, tx: &mut Tx<'_>, rows: &[Vec<Cell>]) -> Result<(), StoreError> {
        let sets: Vec<Vec<P<'_>>> = rows.iter().map(|row| row.iter().map(Cell::param).collect()).collect();
        tx.exec_each(self.insert, &sets).await?;
        Ok(())
    }
}

struct Read {
    plan: Plan,
    after: Vec<Cell>,
}

impl Unit for Read {
    type Out = Vec<Vec<Cell>>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        self.plan.read(tx, &self.after).await
    }
}

struct Write {
    plan: Plan,
    rows: Vec<Vec<Cell>>,
}

impl Unit for Write {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        self.plan.write(tx, &self.rows).await
    }
}

/// The rows of a table after a key, in a transaction of their own; at most [`PAGE`].
///
/// # Errors
/// The database's.
pub async fn page(db: &Db, plan: &Plan, after: Vec<Cell>) -> Result<Vec<Vec<Cell>>, StoreError> {
    db.read(Read { plan: plan.clone(), after }).await
}

/// Copies the rows of a table into a table of the same columns (`into`), in order of the key. Rows that are there
/// already stay, so a copy that was cut off can be run again. Returns how many rows were read.
///
/// # Errors
/// The databases'. What was copied before stays.
pub async fn copy(from: &Db, to: &Db, table: &Table, extent: Extent, into: &str) -> Result<u64, StoreError> {
    let plan = Plan::of(from, table, extent, into).await?;
    let (mut after, mut count) = (Vec::new(), 0);
    loop {
        let rows = page(from, &plan, after).await?;
        let read = rows.len();
        let Some(last) = rows.last() else { return Ok(count) };
        after = plan.key_of(last);
        count += read as u64;
        to.write(Write { plan: plan.clone(), rows }).await?;
        if i64::try_from(read) != Ok(PAGE) {
            return Ok(count);
        }
    }
}
