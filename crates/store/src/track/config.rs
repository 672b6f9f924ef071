//! Programs, links and partners as the tracking surface keeps them in memory.

use crate::links::{Link, find_by_key, find_by_slug};
use crate::{P, Row, StoreError, Tx, Unit};

/// How a program tracks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrackedProgram {
    /// The workspace.
    pub workspace_id: String,
    /// `prg_…`
    pub program_id: String,
    /// 8 capital letters and digits.
    pub public_id: String,
    /// What the program shows now: `test` or `live`.
    pub mode: &'static str,
    /// The merchant's site.
    pub website: String,
    /// The visitor's parameter, such as `aff`.
    pub parameter: String,
    /// JSON array: hosts beside the website's own, exact or `*.host`.
    pub hosts: String,
    /// JSON array: hosts of payment pages, exact or `*.host`.
    pub payment_hosts: String,
    /// How long a visitor is remembered, days.
    pub window_days: i64,
    /// May the answer to a visit leave before its commit?
    pub visits_queued: bool,
}

/// The programs of a workspace. At most 500.
///
/// # Errors
/// The database's.
pub async fn programs(tx: &mut Tx<'_>, workspace_id: &str) -> Result<Vec<TrackedProgram>, StoreError> {
    let sql = "SELECT p.workspace_id, p.program_id, p.public_id, EXISTS (SELECT 1 FROM connection_program cp \
         JOIN connection c ON c.workspace_id = cp.workspace_id AND c.connection_id = cp.connection_id \
         WHERE cp.workspace_id = p.workspace_id AND cp.program_id = p.program_id AND c.mode = 'live' \
         AND c.status <> 'disconnected'), p.website, p.parameter, p.hosts, p.payment_hosts, p.visits_queued, \
         (SELECT y.window_days FROM policy y WHERE y.workspace_id = p.workspace_id AND y.program_id = p.program_id \
         ORDER BY y.version DESC LIMIT 1) FROM program p WHERE p.workspace_id = $1 ORDER BY p.program_id LIMIT 500";
    let rows = tx.rows(sql, &[P::T(workspace_id)]).await?;
    rows.iter()
        .map(|row| {
            Ok(TrackedProgram {
                workspace_id: row.text(0)?,
                program_id: row.text(1)?,
                public_id: row.text(2)?,
                mode: if row.flag(3)? { "live" } else { "test" },
                website: row.text(4)?,
                parameter: row.text(5)?,
                hosts: row.text(6)?,
                payment_hosts: row.text(7)?,
                visits_queued: row.flag(8)?,
                window_days: row.opt_int(9)?.unwrap_or(30),
            })
        })
        .collect()
}

/// A link as the tracking surface keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrackedLink {
    /// The workspace.
    pub workspace_id: String,
    /// `prg_…`
    pub program_id: String,
    /// `ptr_…`
    pub partner_id: String,
    /// `lnk_…`
    pub link_id: String,
    /// The key in the URL.
    pub key: String,
    /// The slug of the short form; may be empty.
    pub slug: String,
    /// Where it leads.
    pub destination: String,
    /// Does it lead to the program's home only?
    pub archived: bool,
}

impl TrackedLink {
    fn of(workspace_id: String, link: Link) -> Self {
        Self {
            workspace_id,
            program_id: link.program_id,
            partner_id: link.partner_id,
            link_id: link.link_id,
            key: link.key,
            slug: link.slug,
            destination: link.destination,
            archived: link.archived_at.is_some(),
        }
    }
}

/// A place in the order of changes: (ms UTC, id).
pub type Mark = (i64, String);

/// Links changed after a mark, oldest change first, with the mark of the last. At most `limit`.
///
/// # Errors
/// The database's.
pub async fn links_after(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    after: &Mark,
    limit: i64,
) -> Result<(Vec<TrackedLink>, Mark), StoreError> {
    let sql = "SELECT program_id, partner_id, link_id, key, slug, destination, archived_at, updated_at \
         FROM referral_link WHERE workspace_id = $1 AND (updated_at, link_id) > ($2, $3) \
         ORDER BY updated_at, link_id LIMIT $4";
    let rows = tx.rows(sql, &[P::T(workspace_id), P::I(after.0), P::T(&after.1), P::I(limit)]).await?;
    let mark = mark(rows.last(), 7, 2, after)?;
    let links = rows.iter().map(|row| {
        Ok(TrackedLink {
            workspace_id: workspace_id.to_owned(),
            program_id: row.text(0)?,
            partner_id: row.text(1)?,
            link_id: row.text(2)?,
            key: row.text(3)?,
            slug: row.text(4)?,
            destination: row.text(5)?,
            archived: row.opt_int(6)?.is_some(),
        })
    });
    Ok((links.collect::<Result<_, StoreError>>()?, mark))
}

/// Partners changed after a mark and whether they are active, with the mark of the last. At most `limit`.
///
/// # Errors
/// The database's.
pub async fn partners_after(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    after: &Mark,
    limit: i64,
) -> Result<(Vec<(String, bool)>, Mark), StoreError> {
    let sql = "SELECT partner_id, status, updated_at FROM partner WHERE workspace_id = $1 \
         AND (updated_at, partner_id) > ($2, $3) ORDER BY updated_at, partner_id LIMIT $4";
    let rows = tx.rows(sql, &[P::T(workspace_id), P::I(after.0), P::T(&after.1), P::I(limit)]).await?;
    let mark = mark(rows.last(), 2, 0, after)?;
    let partners = rows.iter().map(|row| Ok((row.text(0)?, row.text(1)? == "active")));
    Ok((partners.collect::<Result<_, StoreError>>()?, mark))
}

fn mark(last: Option<&Row>, at: usize, id: usize, before: &Mark) -> Result<Mark, StoreError> {
    last.map_or_else(|| Ok(before.clone()), |row| Ok((row.int(at)?, row.text(id)?)))
}

/// By what one link is looked up that is not in memory.
#[derive(Debug, Clone)]
pub enum LookUp {
    /// The workspace, the program, and the key in it.
    Key(String, String, String),
    /// The slug, unique in the installation.
    Slug(String),
}

/// One link with whether its partner is active.
impl Unit for LookUp {
    type Out = Option<(TrackedLink, bool)>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let found = match self {
            Self::Key(ws, program, key) => {
                find_by_key(tx, ws, program, key).await?.map(|link| (ws.clone(), link))
            }
            Self::Slug(slug) => find_by_slug(tx, slug).await?,
        };
        let Some((workspace_id, link)) = found else { return Ok(None) };
        let sql = "SELECT status FROM partner WHERE workspace_id = $1 AND partner_id = $2";
        let row = tx.opt(sql, &[P::T(&workspace_id), P::T(&link.partner_id)]).await?;
        let active = row.map_or(Ok(false), |row| Ok::<_, StoreError>(row.text(0)? == "active"))?;
        Ok(Some((TrackedLink::of(workspace_id, link), active)))
    }
}
