//! Setting an installation up: the first workspace with its owner, then a program with its first API key.

use crate::pipeline::policies;
use crate::vault::Key;
use crate::workspaces::{self, Program};
use crate::{P, StoreError, Tx, Unit};

/// The route token that only one first workspace can take, so that two set-ups at once cannot make two.
const FIRST: (&str, &str) = ("setup", "first-workspace");

/// A user as the log-in needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// The workspace.
    pub workspace_id: String,
    /// `usr_…`
    pub user_id: String,
    /// PHC text.
    pub password_hash: String,
    /// `owner`, `admin` or `analyst`.
    pub role: String,
}

/// What is there before a set-up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Is there any workspace?
    pub any_workspace: bool,
    /// The user with the e-mail asked for.
    pub login: Option<Login>,
}

/// Looks for workspaces and for the user of a lower-case e-mail.
#[derive(Debug)]
pub struct Look {
    /// Lower-case e-mail.
    pub email: String,
}

impl Unit for Look {
    type Out = Found;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Found, StoreError> {
        let any_workspace = !workspaces::list_workspaces(tx).await?.is_empty();
        Ok(Found { any_workspace, login: find_login(tx, &self.email).await? })
    }
}

/// The user of a lower-case e-mail, in whatever workspace.
///
/// # Errors
/// The database's.
pub async fn find_login(tx: &mut Tx<'_>, email: &str) -> Result<Option<Login>, StoreError> {
    let Some(route) = workspaces::find_route(tx, "login", email).await? else { return Ok(None) };
    let sql = "SELECT user_id, password_hash, role FROM user_account WHERE workspace_id = $1 AND email = $2";
    let row = tx.opt(sql, &[P::T(&route.workspace_id), P::T(email)]).await?;
    row.map(|row| {
        Ok(Login {
            workspace_id: route.workspace_id.clone(),
            user_id: row.text(0)?,
            password_hash: row.text(1)?,
            role: row.text(2)?,
        })
    })
    .transpose()
}

/// The first workspace and its owner.
#[derive(Debug)]
pub struct Owner {
    /// Name of the workspace.
    pub workspace_name: String,
    /// `usr_…`
    pub user_id: String,
    /// Lower-case e-mail.
    pub email: String,
    /// PHC text.
    pub password_hash: String,
}

/// Makes, in one transaction, the first workspace with its owner (if given) and a program with one API key.
#[derive(Debug)]
pub struct Setup {
    /// The master key, under which a new workspace's data key is sealed.
    pub master: Key,
    /// The first workspace's owner; `None` adds a program to the workspace that is there.
    pub owner: Option<Owner>,
    /// The program; its `workspace_id` is the new or the known workspace.
    pub program: Program,
    /// JSON of [`tributary_domain::terms::Terms`].
    pub terms: String,
    /// Are the program's customers found by e-mail address too?
    pub match_email: bool,
    /// `key_…`
    pub key_id: String,
    /// The API key, stored hashed.
    pub token: String,
}

impl Unit for Setup {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        if let Some(owner) = &self.owner {
            let (ws, now) = (&self.program.workspace_id, self.program.created_at);
            make_workspace(tx, &self.master, ws, owner, now).await?;
        }
        let key = Some((self.key_id.as_str(), self.token.as_str()));
        add_program(tx, &self.program, &self.terms, self.match_email, key).await
    }
}

/// Makes the first workspace with its owner, without a program.
#[derive(Debug)]
pub struct FirstOwner {
    /// The master key, under which the workspace's data key is sealed.
    pub master: Key,
    /// `wsp_…`
    pub workspace_id: String,
    /// Its owner.
    pub owner: Owner,
    /// ms UTC.
    pub now: i64,
}

impl Unit for FirstOwner {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        make_workspace(tx, &self.master, &self.workspace_id, &self.owner, self.now).await
    }
}

/// Adds a program to a workspace that is there, with an API key (id, token) if one is given.
#[derive(Debug)]
pub struct NewProgram {
    /// The program; its `workspace_id` is the known workspace.
    pub program: Program,
    /// JSON of [`tributary_domain::terms::Terms`].
    pub terms: String,
    /// Are its customers found by e-mail address too?
    pub match_email: bool,
    /// `key_…` and the key itself, stored hashed.
    pub key: Option<(String, String)>,
}

impl Unit for NewProgram {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let key = self.key.as_ref().map(|(id, token)| (id.as_str(), token.as_str()));
        add_program(tx, &self.program, &self.terms, self.match_email, key).await
    }
}

async fn add_program(
    tx: &mut Tx<'_>,
    program: &Program,
    terms: &str,
    match_email: bool,
    key: Option<(&str, &str)>,
) -> Result<(), StoreError> {
    let sql = "SELECT 1 FROM program WHERE workspace_id = $1 AND name = $2";
    if tx.opt(sql, &[P::T(&program.workspace_id), P::T(&program.name)]).await?.is_some() {
        return Err(StoreError::Conflict(format!("there is a program named “{}” already", program.name)));
    }
    workspaces::insert_program(tx, program, terms).await?;
    let (ws, id) = (&program.workspace_id, &program.program_id);
    policies::begin(tx, ws, id, match_email, program.created_at).await?;
    let Some((key_id, token)) = key else { return Ok(()) };
    workspaces::insert_api_key(tx, program, key_id, "setup", token, program.created_at).await
}

async fn make_workspace(
    tx: &mut Tx<'_>,
    master: &Key,
    ws: &str,
    owner: &Owner,
    now: i64,
) -> Result<(), StoreError> {
    if workspaces::find_route(tx, FIRST.0, FIRST.1).await?.is_some() {
        return Err(StoreError::Conflict("another set-up made the first workspace meanwhile".into()));
    }
    workspaces::insert_workspace(tx, master, ws, &owner.workspace_name, now).await?;
    workspaces::insert_route(tx, FIRST.0, FIRST.1, ws, None).await?;
    let (id, email) = (&owner.user_id, &owner.email);
    workspaces::insert_user(tx, ws, id, email, &owner.password_hash, "owner", now).await
}
