//! Copies the sources that are small: settings, people, decisions. Events and observations are read where
//! they lie.

use tributary_store::{Db, P, Row, StoreError, Tx, Ty, Unit};

/// Rows copied at once.
const PAGE: i64 = 1_000;

/// A table's columns: name and type (`t`ext, `i`nteger, `b`ytes, `f`lag).
struct Table {
    select: &'static str,
    insert: &'static str,
    types: &'static str,
}

macro_rules! table {
    ($name:literal, $order:literal, $where:literal, $columns:literal, $holes:literal, $types:literal) => {
        Table {
            select: concat!(
                "SELECT ",
                $columns,
                " FROM ",
                $name,
                $where,
                " ORDER BY ",
                $order,
                " LIMIT $1 OFFSET $2"
            ),
            insert: concat!("INSERT INTO ", $name, " (", $columns, ") VALUES (", $holes, ")"),
            types: $types,
        }
    };
}

/// In an order that foreign keys allow.
const TABLES: &[Table] = &[
    table!(
        "workspace",
        "workspace_id",
        "",
        "workspace_id, name, data_key, created_at",
        "$1, $2, $3, $4",
        "ttbi"
    ),
    table!(
        "program",
        "workspace_id, program_id",
        "",
        "workspace_id, program_id, public_id, name, kind, currency, website, match_email, created_at",
        "$1, $2, $3, $4, $5, $6, $7, $8, $9",
        "tttttttfi"
    ),
    table!(
        "terms",
        "workspace_id, program_id, version",
        "",
        "workspace_id, program_id, version, from_ms, body, created_at",
        "$1, $2, $3, $4, $5, $6",
        "ttiiti"
    ),
    table!(
        "partner",
        "workspace_id, partner_id",
        "",
        "workspace_id, partner_id, program_id, external_id, key, email, name, surname, status, tags, created_at, \
         updated_at, deleted_at",
        "$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13",
        "ttttttttttiii"
    ),
    table!(
        "partner_status",
        "workspace_id, partner_id, from_ms",
        "",
        "workspace_id, partner_id, from_ms, status",
        "$1, $2, $3, $4",
        "ttit"
    ),
    table!(
        "customer",
        "workspace_id, customer_id",
        " WHERE origin = 'api'",
        "workspace_id, customer_id, mode, program_id, key, email, email_hash, name, surname, status, tags, origin, \
         partner_id, born_of, partner_by, archived, created_at, updated_at, deleted_at",
        "$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19",
        "ttttttttttttttttiii"
    ),
    table!(
        "policy",
        "workspace_id, program_id, version",
        "",
        "workspace_id, program_id, version, from_ms, window_days, created_at, code_first, per_sale",
        "$1, $2, $3, $4, $5, $6, $7, $8",
        "ttiiiiff"
    ),
    table!(
        "referral_link",
        "workspace_id, link_id",
        "",
        "workspace_id, link_id, program_id, partner_id, key, destination, is_default, created_at",
        "$1, $2, $3, $4, $5, $6, $7, $8",
        "ttttttfi"
    ),
    table!(
        "partner_code",
        "workspace_id, code_id",
        "",
        "workspace_id, code_id, program_id, partner_id, code, promo_id, from_ms, until_ms, created_at",
        "$1, $2, $3, $4, $5, $6, $7, $8, $9",
        "ttttttiii"
    ),
    table!(
        "visit",
        "workspace_id, visit_id, at",
        // Those that a purchase named: of all others attribution knows nothing.
        " WHERE visit_id IN (SELECT value FROM buyer_hint)",
        "workspace_id, visit_id, mode, program_id, partner_id, link_id, visitor, via, landing, referrer, at",
        "$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11",
        "tttttttttti"
    ),
    table!(
        "browser_signup",
        "workspace_id, signup_id",
        "",
        "workspace_id, signup_id, mode, program_id, customer_id, partner_id, visit_id, value, page, at",
        "$1, $2, $3, $4, $5, $6, $7, $8, $9, $10",
        "ttttttttti"
    ),
    table!(
        "connection",
        "workspace_id, connection_id",
        "",
        "workspace_id, connection_id, mode, account_id, account_name, api_base, api_key, key_hint, status, \
         status_reason, warnings, endpoint_id, endpoint_url, polling, cursor_at, created_at, updated_at",
        "$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17",
        "ttttttbttttttfiii"
    ),
    table!(
        "connection_program",
        "workspace_id, connection_id, program_id",
        "",
        "workspace_id, connection_id, program_id, created_at",
        "$1, $2, $3, $4",
        "ttti"
    ),
    table!(
        "decision",
        "workspace_id, decision_id",
        "",
        "workspace_id, decision_id, mode, program_id, kind, connection_id, subject, value, actor, created_at, reason, \
         from_ms",
        "$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12",
        "tttttttttiti"
    ),
];

enum Cell {
    Text(Option<String>),
    Int(Option<i64>),
    Bytes(Vec<u8>),
    Flag(bool),
}

impl Cell {
    fn read(row: &Row, at: usize, kind: char) -> Result<Self, StoreError> {
        Ok(match kind {
            't' => Self::Text(row.opt_text(at)?),
            'i' => Self::Int(row.opt_int(at)?),
            'b' => Self::Bytes(row.bytes(at)?),
            _ => Self::Flag(row.flag(at)?),
        })
    }

    fn param(&self) -> P<'_> {
        match self {
            Self::Text(text) => text.as_deref().map_or(P::Null(Ty::Text), P::T),
            Self::Int(value) => P::opt_i(*value),
            Self::Bytes(bytes) => P::B(bytes),
            Self::Flag(flag) => P::F(*flag),
        }
    }
}

struct Read {
    table: &'static Table,
    offset: i64,
}

impl Unit for Read {
    type Out = Vec<Vec<Cell>>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let rows = tx.rows(self.table.select, &[P::I(PAGE), P::I(self.offset)]).await?;
        let cells = |row: &Row| {
            self.table.types.chars().enumerate().map(|(at, kind)| Cell::read(row, at, kind)).collect()
        };
        rows.iter().map(cells).collect()
    }
}

struct Write {
    table: &'static Table,
    rows: Vec<Vec<Cell>>,
}

impl Unit for Write {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let sets: Vec<Vec<P<'_>>> =
            self.rows.iter().map(|row| row.iter().map(Cell::param).collect()).collect();
        tx.exec_each(self.table.insert, &sets).await?;
        Ok(())
    }
}

/// Copies all of them.
pub(super) async fn all(from: &Db, to: &Db) -> Result<(), StoreError> {
    for table in TABLES {
        let mut offset = 0;
        loop {
            let rows = from.read(Read { table, offset }).await?;
            let count = i64::try_from(rows.len()).unwrap_or(PAGE);
            if count > 0 {
                to.write(Write { table, rows }).await?;
            }
            if count < PAGE {
                break;
            }
            offset += count;
        }
    }
    Ok(())
}
