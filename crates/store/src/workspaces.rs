//! Workspaces and their data keys, users, programs, terms, API keys, and the `route` table that finds them.

use crate::vault::Key;
use crate::{P, Row, StoreError, Tx};
use tributary_domain::terms::TermsVersion;

/// A program. `Default` gives what a new program starts with where nobody chose otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// The workspace.
    pub workspace_id: String,
    /// Private id (`prg_…`).
    pub program_id: String,
    /// 8 capital letters and digits.
    pub public_id: String,
    /// Its name.
    pub name: String,
    /// `affiliate` or `refer_a_friend`.
    pub kind: String,
    /// Default currency, lower case.
    pub currency: String,
    /// The merchant's site.
    pub website: String,
    /// When it was made, ms UTC.
    pub created_at: i64,
    /// The parameter of referral links: `aff` in `?aff=KEY`.
    pub parameter: String,
    /// Hosts where the script may run beside the website's own: `shop.example.com` or `*.example.com`.
    pub hosts: Vec<String>,
    /// Hosts of payment pages whose links get the reference.
    pub payment_hosts: Vec<String>,
    /// IANA name of the time zone of its dates.
    pub zone: String,
    /// Are visits written after the redirect, in groups, instead of before it?
    pub visits_queued: bool,
    /// When its set-up was left for the overview, ms UTC.
    pub setup_done_at: Option<i64>,
}

impl Default for Program {
    fn default() -> Self {
        Self {
            workspace_id: String::new(),
            program_id: String::new(),
            public_id: String::new(),
            name: String::new(),
            kind: "affiliate".to_owned(),
            currency: "usd".to_owned(),
            website: String::new(),
            created_at: 0,
            parameter: "aff".to_owned(),
            hosts: Vec::new(),
            payment_hosts: vec!["buy.stripe.com".to_owned()],
            zone: "UTC".to_owned(),
            visits_queued: false,
            setup_done_at: None,
        }
    }
}

macro_rules! columns {
    () => {
        "SELECT workspace_id, program_id, public_id, name, kind, currency, website, created_at, parameter, \
         hosts, payment_hosts, zone, visits_queued, setup_done_at FROM program WHERE workspace_id = $1 "
    };
}

const PROGRAM: &str = concat!(columns!(), "AND program_id = $2");

fn program(row: &Row) -> Result<Program, StoreError> {
    Ok(Program {
        workspace_id: row.text(0)?,
        program_id: row.text(1)?,
        public_id: row.text(2)?,
        name: row.text(3)?,
        kind: row.text(4)?,
        currency: row.text(5)?,
        website: row.text(6)?,
        created_at: row.int(7)?,
        parameter: row.text(8)?,
        hosts: list(&row.text(9)?)?,
        payment_hosts: list(&row.text(10)?)?,
        zone: row.text(11)?,
        visits_queued: row.flag(12)?,
        setup_done_at: row.opt_int(13)?,
    })
}

fn list(text: &str) -> Result<Vec<String>, StoreError> {
    serde_json::from_str(text).map_err(|e| StoreError::Inconsistent(format!("a list of hosts: {e}")))
}

fn list_text(list: &[String]) -> Result<String, StoreError> {
    serde_json::to_string(list).map_err(|e| StoreError::Inconsistent(format!("a list of hosts: {e}")))
}

/// What a route token leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The workspace.
    pub workspace_id: String,
    /// The program, where the token belongs to one.
    pub program_id: Option<String>,
}

/// Finds what arrives without a workspace. `kind` is `program` (public id), `api_key` (hash), `session` (hash)
/// or `login` (lower-case e-mail).
///
/// # Errors
/// The database's.
pub async fn find_route(tx: &mut Tx<'_>, kind: &str, token: &str) -> Result<Option<Route>, StoreError> {
    let sql = "SELECT workspace_id, program_id FROM route WHERE kind = $1 AND token = $2";
    let row = tx.opt(sql, &[P::T(kind), P::T(token)]).await?;
    row.map(|row| Ok(Route { workspace_id: row.text(0)?, program_id: row.opt_text(1)? })).transpose()
}

/// Makes a token known.
///
/// # Errors
/// [`StoreError::Conflict`] if the token is taken.
pub async fn insert_route(
    tx: &mut Tx<'_>,
    kind: &str,
    token: &str,
    workspace_id: &str,
    program_id: Option<&str>,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO route (kind, token, workspace_id, program_id) VALUES ($1, $2, $3, $4)";
    tx.exec(sql, &[P::T(kind), P::T(token), P::T(workspace_id), P::opt_t(program_id)]).await?;
    Ok(())
}

/// Forgets a token.
///
/// # Errors
/// The database's.
pub async fn delete_route(tx: &mut Tx<'_>, kind: &str, token: &str) -> Result<(), StoreError> {
    tx.exec("DELETE FROM route WHERE kind = $1 AND token = $2", &[P::T(kind), P::T(token)]).await?;
    Ok(())
}

/// All workspaces: (id, name, sealed data key), oldest first. At most 1,000.
///
/// # Errors
/// The database's.
pub async fn list_workspaces(tx: &mut Tx<'_>) -> Result<Vec<(String, String, Vec<u8>)>, StoreError> {
    let sql =
        "SELECT workspace_id, name, data_key FROM workspace ORDER BY created_at, workspace_id LIMIT 1000";
    tx.rows(sql, &[]).await?.iter().map(|row| Ok((row.text(0)?, row.text(1)?, row.bytes(2)?))).collect()
}

/// Where a workspace's data key lies, for the vault.
#[must_use]
pub fn data_key_place(workspace_id: &str) -> String {
    format!("workspace.data_key/{workspace_id}")
}

/// Makes a workspace with a fresh data key sealed under the master key.
///
/// # Errors
/// The database's, or no randomness.
pub async fn insert_workspace(
    tx: &mut Tx<'_>,
    master: &Key,
    workspace_id: &str,
    name: &str,
    now: i64,
) -> Result<(), StoreError> {
    let sealed = master.seal(&data_key_place(workspace_id), Key::random()?.bytes())?;
    let sql = "INSERT INTO workspace (workspace_id, name, data_key, created_at) VALUES ($1, $2, $3, $4)";
    tx.exec(sql, &[P::T(workspace_id), P::T(name), P::B(&sealed), P::I(now)]).await?;
    Ok(())
}

/// Opens a workspace's data key. A wrong master key is told apart from a missing workspace.
///
/// # Errors
/// [`StoreError::NotFound`], or [`StoreError::Secret`] for a wrong master key.
pub async fn data_key(tx: &mut Tx<'_>, master: &Key, workspace_id: &str) -> Result<Key, StoreError> {
    let sql = "SELECT data_key FROM workspace WHERE workspace_id = $1";
    let row = tx.opt(sql, &[P::T(workspace_id)]).await?;
    let row = row.ok_or_else(|| StoreError::NotFound(format!("workspace {workspace_id}")))?;
    let opened = master.open(&data_key_place(workspace_id), &row.bytes(0)?)?;
    let bytes = <[u8; 32]>::try_from(opened.as_slice())
        .map_err(|_| StoreError::Secret("the data key has a wrong length".into()))?;
    Ok(Key::new(bytes))
}

/// Makes a program, its route, and the first version of its terms (which has no start).
///
/// # Errors
/// [`StoreError::Conflict`] if the name is taken in the workspace.
pub async fn insert_program(tx: &mut Tx<'_>, program: &Program, terms: &str) -> Result<(), StoreError> {
    let sql = "INSERT INTO program (workspace_id, program_id, public_id, name, kind, currency, website, \
         created_at, parameter, hosts, payment_hosts, zone, visits_queued, setup_done_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $8)";
    let p = program;
    let (hosts, payment_hosts) = (list_text(&p.hosts)?, list_text(&p.payment_hosts)?);
    let params = [
        P::T(&p.workspace_id),
        P::T(&p.program_id),
        P::T(&p.public_id),
        P::T(&p.name),
        P::T(&p.kind),
        P::T(&p.currency),
        P::T(&p.website),
        P::I(p.created_at),
        P::T(&p.parameter),
        P::T(&hosts),
        P::T(&payment_hosts),
        P::T(&p.zone),
        P::F(p.visits_queued),
        P::opt_i(p.setup_done_at),
    ];
    tx.exec(sql, &params).await?;
    insert_route(tx, "program", &p.public_id, &p.workspace_id, Some(&p.program_id)).await?;
    insert_terms(tx, &p.workspace_id, &p.program_id, 1, None, terms, p.created_at).await
}

/// Replaces what a program's settings may change: all but its ids, kind, currency of past rows, and birth.
///
/// # Errors
/// [`StoreError::Conflict`] if the name is taken in the workspace, [`StoreError::NotFound`] for no such program.
pub async fn update_program(tx: &mut Tx<'_>, program: &Program, now: i64) -> Result<(), StoreError> {
    let p = program;
    let sql = "SELECT 1 FROM program WHERE workspace_id = $1 AND name = $2 AND program_id <> $3";
    if tx.opt(sql, &[P::T(&p.workspace_id), P::T(&p.name), P::T(&p.program_id)]).await?.is_some() {
        return Err(StoreError::Conflict(format!("there is a program named “{}” already", p.name)));
    }
    let sql = "UPDATE program SET name = $3, currency = $4, website = $5, parameter = $6, \
         hosts = $7, payment_hosts = $8, zone = $9, visits_queued = $10, setup_done_at = $11, updated_at = $12 \
         WHERE workspace_id = $1 AND program_id = $2";
    let (hosts, payment_hosts) = (list_text(&p.hosts)?, list_text(&p.payment_hosts)?);
    let params = [
        P::T(&p.workspace_id),
        P::T(&p.program_id),
        P::T(&p.name),
        P::T(&p.currency),
        P::T(&p.website),
        P::T(&p.parameter),
        P::T(&hosts),
        P::T(&payment_hosts),
        P::T(&p.zone),
        P::F(p.visits_queued),
        P::opt_i(p.setup_done_at),
        P::I(now),
    ];
    match tx.exec(sql, &params).await? {
        1 => Ok(()),
        _ => Err(StoreError::NotFound(format!("program {}", p.program_id))),
    }
}

/// Adds a version of terms (JSON of [`tributary_domain::terms::Terms`]).
///
/// # Errors
/// [`StoreError::Conflict`] if the version exists.
pub async fn insert_terms(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    program_id: &str,
    version: i64,
    from_ms: Option<i64>,
    body: &str,
    now: i64,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO terms (workspace_id, program_id, version, from_ms, body, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6)";
    let (ws, id) = (P::T(workspace_id), P::T(program_id));
    tx.exec(sql, &[ws, id, P::I(version), P::opt_i(from_ms), P::T(body), P::I(now)]).await?;
    Ok(())
}

/// All versions of a program's terms.
///
/// # Errors
/// [`StoreError::Inconsistent`] for terms that cannot be read.
pub async fn list_terms(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    program_id: &str,
) -> Result<Vec<TermsVersion>, StoreError> {
    let sql = "SELECT version, from_ms, body FROM terms WHERE workspace_id = $1 AND program_id = $2 \
         ORDER BY version LIMIT 1000";
    let rows = tx.settings(sql, &[P::T(workspace_id), P::T(program_id)]).await?;
    rows.iter()
        .map(|row| {
            let body = row.text(2)?;
            let terms = serde_json::from_str(&body)
                .map_err(|e| StoreError::Inconsistent(format!("terms of {program_id}: {e}")))?;
            let version = u32::try_from(row.int(0)?)
                .map_err(|_| StoreError::Inconsistent(format!("terms of {program_id}: version")))?;
            Ok(TermsVersion { version, from_ms: row.opt_int(1)?, terms })
        })
        .collect()
}

/// One program.
///
/// # Errors
/// The database's.
pub async fn find_program(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    program_id: &str,
) -> Result<Option<Program>, StoreError> {
    tx.opt(PROGRAM, &[P::T(workspace_id), P::T(program_id)]).await?.map(|row| program(&row)).transpose()
}

/// The program with a public id, in whatever workspace.
///
/// # Errors
/// The database's.
pub async fn find_program_by_public_id(
    tx: &mut Tx<'_>,
    public_id: &str,
) -> Result<Option<Program>, StoreError> {
    let Some(route) = find_route(tx, "program", public_id).await? else { return Ok(None) };
    let Some(program_id) = route.program_id else { return Ok(None) };
    find_program(tx, &route.workspace_id, &program_id).await
}

/// The programs of a workspace, by name. At most 500.
///
/// # Errors
/// The database's.
pub async fn list_programs(tx: &mut Tx<'_>, workspace_id: &str) -> Result<Vec<Program>, StoreError> {
    let sql = concat!(columns!(), "ORDER BY name, program_id LIMIT 500");
    tx.rows(sql, &[P::T(workspace_id)]).await?.iter().map(program).collect()
}

/// A program shows one mode at a time: test until a live connection is attached, then live.
///
/// # Errors
/// The database's.
pub async fn program_mode(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    program_id: &str,
) -> Result<&'static str, StoreError> {
    let sql = "SELECT 1 FROM connection_program cp JOIN connection c ON c.workspace_id = cp.workspace_id \
         AND c.connection_id = cp.connection_id \
         WHERE cp.workspace_id = $1 AND cp.program_id = $2 AND c.mode = 'live' AND c.status <> 'disconnected' LIMIT 1";
    let live = tx.opt(sql, &[P::T(workspace_id), P::T(program_id)]).await?.is_some();
    Ok(if live { "live" } else { "test" })
}

/// The last letters of a key, by which a person tells it.
pub(crate) fn key_hint(token: &str) -> String {
    token.chars().rev().take(4).collect::<Vec<_>>().into_iter().rev().collect()
}

/// Stores an API key: its hash and a hint of its last letters, never the key.
///
/// # Errors
/// The database's.
pub async fn insert_api_key(
    tx: &mut Tx<'_>,
    program: &Program,
    key_id: &str,
    name: &str,
    token: &str,
    now: i64,
) -> Result<(), StoreError> {
    let hash = crate::vault::token_hash(token);
    let hint = key_hint(token);
    let sql = "INSERT INTO api_key (workspace_id, key_id, program_id, name, hint, token_hash, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let (ws, prg) = (P::T(&program.workspace_id), P::T(&program.program_id));
    tx.exec(sql, &[ws, P::T(key_id), prg, P::T(name), P::T(&hint), P::T(&hash), P::I(now)]).await?;
    insert_route(tx, "api_key", &hash, &program.workspace_id, Some(&program.program_id)).await
}

/// Stores a user and the route by which the login finds it. The e-mail must be lower case.
///
/// # Errors
/// [`StoreError::Conflict`] if the e-mail is taken.
pub async fn insert_user(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    user_id: &str,
    email: &str,
    password_hash: &str,
    role: &str,
    now: i64,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO user_account (workspace_id, user_id, email, password_hash, role, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6)";
    let (ws, id) = (P::T(workspace_id), P::T(user_id));
    tx.exec(sql, &[ws, id, P::T(email), P::T(password_hash), P::T(role), P::I(now)]).await?;
    insert_route(tx, "login", email, workspace_id, None).await
}
