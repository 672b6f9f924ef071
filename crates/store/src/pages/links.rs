//! Referral links with what came by them.

use super::Place;
use super::transactions::escaped;
use crate::{P, Row, StoreError, Tx};

/// Rows on a page.
pub const PAGE: i64 = 50;

/// A referral link with what came by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// `lnk_…`
    pub link_id: String,
    /// The key in the URL.
    pub key: String,
    /// The slug of the short form, or empty.
    pub slug: String,
    /// What the merchant calls it; may be empty.
    pub name: String,
    /// Where it leads.
    pub destination: String,
    /// The partner's first link.
    pub is_default: bool,
    /// ms UTC.
    pub created_at: i64,
    /// ms UTC.
    pub archived_at: Option<i64>,
    /// Whose link it is: our id; name, surname, key.
    pub partner: (String, [String; 3]),
    /// What came by it, of all time.
    pub came: Came,
}

/// What came by a link. Only visits count; the rest is counted apart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Came {
    /// Visits.
    pub visits: i64,
    /// Arrivals of a visitor who had come within the half hour before.
    pub repeats: i64,
    /// Robots.
    pub bots: i64,
    /// Prefetches and requests for the head alone.
    pub previews: i64,
}

/// What the list is narrowed to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// `archived`, or empty for those that are not.
    pub state: String,
    /// Part of a key, name, destination or partner; empty for all.
    pub search: String,
}

macro_rules! columns {
    () => {
        "SELECT l.link_id, l.key, l.slug, l.name, l.destination, l.is_default, l.created_at, l.archived_at, \
         p.partner_id, p.name, p.surname, p.key FROM referral_link l JOIN partner p ON p.workspace_id = l.workspace_id \
         AND p.partner_id = l.partner_id WHERE l.workspace_id = $1 AND l.program_id = $2 AND p.deleted_at IS NULL "
    };
}

/// A page of the program's links, the newest first, and one row more if there is a page after it. `offset` is cut at
/// 100,000.
///
/// # Errors
/// The database's.
pub async fn list(
    tx: &mut Tx<'_>,
    place: &Place,
    filter: &Filter,
    offset: i64,
) -> Result<Vec<Line>, StoreError> {
    let sql = concat!(
        columns!(),
        "AND (($3 = 'archived' AND l.archived_at IS NOT NULL) OR ($3 <> 'archived' AND l.archived_at IS NULL)) \
         AND ($4 = '' OR lower(l.key) LIKE $5 ESCAPE '\\' OR lower(l.name) LIKE $5 ESCAPE '\\' \
         OR lower(l.destination) LIKE $5 ESCAPE '\\' OR lower(p.name || ' ' || p.surname) LIKE $5 ESCAPE '\\' \
         OR p.email LIKE $5 ESCAPE '\\') ORDER BY l.created_at DESC, l.link_id DESC LIMIT $6 OFFSET $7"
    );
    let search = filter.search.to_lowercase();
    let pattern = format!("%{}%", escaped(&search));
    let params = [
        P::T(&place.workspace_id),
        P::T(&place.program_id),
        P::T(&filter.state),
        P::T(&search),
        P::T(&pattern),
        P::I(PAGE + 1),
        P::I(offset.clamp(0, 100_000)),
    ];
    let rows = tx.rows(sql, &params).await?;
    let mut lines = rows.iter().map(line).collect::<Result<Vec<_>, _>>()?;
    add_came(tx, place, &mut lines).await?;
    Ok(lines)
}

/// A partner's links, the default one first; at most 250.
///
/// # Errors
/// The database's.
pub async fn of_partner(tx: &mut Tx<'_>, place: &Place, partner_id: &str) -> Result<Vec<Line>, StoreError> {
    let sql = concat!(
        columns!(),
        "AND l.partner_id = $3 ORDER BY l.is_default DESC, l.created_at, l.link_id LIMIT 250"
    );
    let params = [P::T(&place.workspace_id), P::T(&place.program_id), P::T(partner_id)];
    let rows = tx.rows(sql, &params).await?;
    let mut lines = rows.iter().map(line).collect::<Result<Vec<_>, _>>()?;
    add_came(tx, place, &mut lines).await?;
    Ok(lines)
}

async fn add_came(tx: &mut Tx<'_>, place: &Place, lines: &mut [Line]) -> Result<(), StoreError> {
    let sql = "SELECT CAST(COALESCE(SUM(visits), 0) AS BIGINT), CAST(COALESCE(SUM(repeats), 0) AS BIGINT), \
         CAST(COALESCE(SUM(bots), 0) AS BIGINT), CAST(COALESCE(SUM(prefetches + heads), 0) AS BIGINT) FROM link_day \
         WHERE workspace_id = $1 AND mode = $2 AND program_id = $3 AND partner_id = $4 AND link_id = $5";
    let (ws, mode, program) = (P::T(&place.workspace_id), P::T(&place.mode), P::T(&place.program_id));
    let sets: Vec<_> = lines
        .iter()
        .map(|line| vec![ws, mode, program, P::T(&line.partner.0), P::T(&line.link_id)])
        .collect();
    let counted = tx.rows_each(sql, &sets).await?;
    drop(sets);
    for (line, rows) in lines.iter_mut().zip(&counted) {
        if let Some(row) = rows.first() {
            line.came =
                Came { visits: row.int(0)?, repeats: row.int(1)?, bots: row.int(2)?, previews: row.int(3)? };
        }
    }
    Ok(())
}

fn line(row: &Row) -> Result<Line, StoreError> {
    Ok(Line {
        link_id: row.text(0)?,
        key: row.text(1)?,
        slug: row.text(2)?,
        name: row.text(3)?,
        destination: row.text(4)?,
        is_default: row.flag(5)?,
        created_at: row.int(6)?,
        archived_at: row.opt_int(7)?,
        partner: (row.text(8)?, [row.text(9)?, row.text(10)?, row.text(11)?]),
        came: Came::default(),
    })
}
