//! Referral links: partner, destination, and the slug of the short form.

use crate::workspaces::find_route;
use crate::{P, Row, StoreError, Tx};
use sha2::{Digest, Sha256};

/// Most links of one partner.
pub const PER_PARTNER: i64 = 250;
/// Tries for a free slug: the key, then the key with four characters.
const SLUG_TRIES: u8 = 20;

/// A referral link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// `lnk_…`
    pub link_id: String,
    /// The program.
    pub program_id: String,
    /// Whose link it is (our id).
    pub partner_id: String,
    /// The key in the URL, unique in the program.
    pub key: String,
    /// The slug of the short link `/r/{slug}`, unique in the installation; empty where there is only the long form.
    pub slug: String,
    /// What the merchant calls it; may be empty.
    pub name: String,
    /// Where it leads.
    pub destination: String,
    /// The partner's first link.
    pub is_default: bool,
    /// ms UTC.
    pub created_at: i64,
    /// Leads to the program's home from then on, ms UTC.
    pub archived_at: Option<i64>,
}

/// A link to be made.
#[derive(Debug, Clone, Copy)]
pub struct NewLink<'a> {
    /// The workspace.
    pub workspace_id: &'a str,
    /// The program.
    pub program_id: &'a str,
    /// Whose link it is (our id).
    pub partner_id: &'a str,
    /// `lnk_…`
    pub link_id: &'a str,
    /// Letters, digits, `-` and `_`, 1 to 64 of them.
    pub key: &'a str,
    /// May be empty.
    pub name: &'a str,
    /// A checked URL.
    pub destination: &'a str,
    /// The partner's first link?
    pub is_default: bool,
    /// ms UTC.
    pub now: i64,
}

macro_rules! columns {
    () => {
        "SELECT link_id, program_id, partner_id, key, slug, name, destination, is_default, created_at, archived_at \
         FROM referral_link WHERE workspace_id = $1 "
    };
}

fn link(row: &Row) -> Result<Link, StoreError> {
    Ok(Link {
        link_id: row.text(0)?,
        program_id: row.text(1)?,
        partner_id: row.text(2)?,
        key: row.text(3)?,
        slug: row.text(4)?,
        name: row.text(5)?,
        destination: row.text(6)?,
        is_default: row.flag(7)?,
        created_at: row.int(8)?,
        archived_at: row.opt_int(9)?,
    })
}

/// May this text be the key of a partner or a link?
#[must_use]
pub fn is_key(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

/// Is a key free in its program: no link and no other partner has it?
///
/// # Errors
/// The database's.
pub async fn is_key_free(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    program_id: &str,
    partner_id: &str,
    key: &str,
) -> Result<bool, StoreError> {
    let params = [P::T(workspace_id), P::T(program_id), P::T(key)];
    let sql = "SELECT 1 FROM referral_link WHERE workspace_id = $1 AND program_id = $2 AND key = $3";
    if tx.opt(sql, &params).await?.is_some() {
        return Ok(false);
    }
    let sql = "SELECT partner_id FROM partner WHERE workspace_id = $1 AND program_id = $2 AND key = $3";
    let owner = tx.opt(sql, &params).await?;
    owner.map_or(Ok(true), |row| Ok(row.text(0)? == partner_id))
}

/// Has a partner fewer than [`PER_PARTNER`] links?
///
/// # Errors
/// The database's.
pub async fn has_room(tx: &mut Tx<'_>, workspace_id: &str, partner_id: &str) -> Result<bool, StoreError> {
    let sql =
        "SELECT CAST(COUNT(*) AS BIGINT) FROM referral_link WHERE workspace_id = $1 AND partner_id = $2";
    let count = tx.opt(sql, &[P::T(workspace_id), P::T(partner_id)]).await?;
    Ok(count.map_or(Ok(0), |row| row.int(0))? < PER_PARTNER)
}

/// Makes a link and its slug: the key where it is free, else the key and four characters.
///
/// # Errors
/// [`StoreError::Invalid`] for a key that cannot stand in a URL; [`StoreError::Conflict`] if the key is taken in the
/// program, or the partner has [`PER_PARTNER`] links.
pub async fn create(tx: &mut Tx<'_>, new: &NewLink<'_>) -> Result<Link, StoreError> {
    if !is_key(new.key) {
        return Err(StoreError::Invalid(
            "a key is 1 to 64 letters, digits, hyphens and underscores".to_owned(),
        ));
    }
    if !is_key_free(tx, new.workspace_id, new.program_id, new.partner_id, new.key).await? {
        return Err(StoreError::Conflict(format!("the key {} has already been taken", new.key)));
    }
    if !has_room(tx, new.workspace_id, new.partner_id).await? {
        return Err(StoreError::Conflict(format!("a partner has at most {PER_PARTNER} links")));
    }
    let slug = take_slug(tx, new).await?;
    let sql = "INSERT INTO referral_link (workspace_id, link_id, program_id, partner_id, key, destination, is_default, \
         created_at, slug, name, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $8)";
    let params = [
        P::T(new.workspace_id),
        P::T(new.link_id),
        P::T(new.program_id),
        P::T(new.partner_id),
        P::T(new.key),
        P::T(new.destination),
        P::F(new.is_default),
        P::I(new.now),
        P::T(&slug),
        P::T(new.name),
    ];
    tx.exec(sql, &params).await?;
    Ok(Link {
        link_id: new.link_id.to_owned(),
        program_id: new.program_id.to_owned(),
        partner_id: new.partner_id.to_owned(),
        key: new.key.to_owned(),
        slug,
        name: new.name.to_owned(),
        destination: new.destination.to_owned(),
        is_default: new.is_default,
        created_at: new.now,
        archived_at: None,
    })
}

/// Takes the first free slug. Empty where none of the tries is: the long form works all the same.
async fn take_slug(tx: &mut Tx<'_>, new: &NewLink<'_>) -> Result<String, StoreError> {
    let sql = "INSERT INTO route (kind, token, workspace_id, program_id) VALUES ('link', $1, $2, $3) \
         ON CONFLICT (kind, token) DO NOTHING";
    for attempt in 0..SLUG_TRIES {
        let slug = slug(new, attempt);
        let params = [P::T(&slug), P::T(new.workspace_id), P::T(new.program_id)];
        if tx.exec(sql, &params).await? == 1 {
            return Ok(slug);
        }
    }
    Ok(String::new())
}

/// Four characters that belong to the link, so that a unit that runs again takes the same slug.
fn slug(new: &NewLink<'_>, attempt: u8) -> String {
    const LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz234567890";
    if attempt == 0 {
        return new.key.to_owned();
    }
    let mut hash = Sha256::new_with_prefix(new.link_id.as_bytes());
    hash.update([attempt]);
    let tail = hash.finalize().into_iter().take(4).map(|byte| char::from(LETTERS[usize::from(byte & 31)]));
    new.key.chars().chain(tail).collect()
}

/// One link of a program.
///
/// # Errors
/// The database's.
pub async fn find(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    program_id: &str,
    link_id: &str,
) -> Result<Option<Link>, StoreError> {
    let sql = concat!(columns!(), "AND program_id = $2 AND link_id = $3");
    let params = [P::T(workspace_id), P::T(program_id), P::T(link_id)];
    tx.opt(sql, &params).await?.map(|row| link(&row)).transpose()
}

/// The link with a key.
///
/// # Errors
/// The database's.
pub async fn find_by_key(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    program_id: &str,
    key: &str,
) -> Result<Option<Link>, StoreError> {
    let sql = concat!(columns!(), "AND program_id = $2 AND key = $3");
    let params = [P::T(workspace_id), P::T(program_id), P::T(key)];
    tx.opt(sql, &params).await?.map(|row| link(&row)).transpose()
}

/// The link with a slug, in whatever workspace; with the workspace's id.
///
/// # Errors
/// The database's.
pub async fn find_by_slug(tx: &mut Tx<'_>, slug: &str) -> Result<Option<(String, Link)>, StoreError> {
    let Some(route) = find_route(tx, "link", slug).await? else { return Ok(None) };
    let Some(program_id) = route.program_id else { return Ok(None) };
    let sql = concat!(columns!(), "AND program_id = $2 AND slug = $3");
    let params = [P::T(&route.workspace_id), P::T(&program_id), P::T(slug)];
    let Some(row) = tx.opt(sql, &params).await? else { return Ok(None) };
    Ok(Some((route.workspace_id, link(&row)?)))
}

/// A partner's links, the default one first, then the oldest. At most [`PER_PARTNER`].
///
/// # Errors
/// The database's.
pub async fn list_of_partner(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    partner_id: &str,
) -> Result<Vec<Link>, StoreError> {
    let sql =
        concat!(columns!(), "AND partner_id = $2 ORDER BY is_default DESC, created_at, link_id LIMIT 250");
    tx.rows(sql, &[P::T(workspace_id), P::T(partner_id)]).await?.iter().map(link).collect()
}

/// Gives a link another name and destination.
///
/// # Errors
/// [`StoreError::NotFound`] for a link of another program.
pub async fn change(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    program_id: &str,
    link_id: &str,
    (name, destination): (&str, &str),
    now: i64,
) -> Result<(), StoreError> {
    let sql = "UPDATE referral_link SET name = $4, destination = $5, updated_at = $6 WHERE workspace_id = $1 \
         AND program_id = $2 AND link_id = $3";
    let ids = [P::T(workspace_id), P::T(program_id), P::T(link_id)];
    let params = [ids[0], ids[1], ids[2], P::T(name), P::T(destination), P::I(now)];
    found(tx.exec(sql, &params).await?, link_id)
}

/// Archives a link (it leads to the program's home from now on), or brings it back. Its key and slug stay taken:
/// what was published never becomes somebody else's. The default link cannot be archived.
///
/// # Errors
/// [`StoreError::NotFound`] for a link of another program; [`StoreError::Conflict`] for a default link.
pub async fn archive(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    program_id: &str,
    link_id: &str,
    archived: bool,
    now: i64,
) -> Result<(), StoreError> {
    let before = find(tx, workspace_id, program_id, link_id).await?;
    if archived && before.is_some_and(|link| link.is_default) {
        return Err(StoreError::Conflict("a partner's default link cannot be archived".to_owned()));
    }
    let sql = "UPDATE referral_link SET archived_at = $4, updated_at = $5 WHERE workspace_id = $1 \
         AND program_id = $2 AND link_id = $3";
    let at = P::opt_i(archived.then_some(now));
    let params = [P::T(workspace_id), P::T(program_id), P::T(link_id), at, P::I(now)];
    found(tx.exec(sql, &params).await?, link_id)
}

fn found(changed: u64, link_id: &str) -> Result<(), StoreError> {
    if changed == 0 { Err(StoreError::NotFound(format!("link {link_id}"))) } else { Ok(()) }
}
