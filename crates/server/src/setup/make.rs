//! Making what a set-up makes: the first account, and programs.

use crate::password::{self, PasswordError};
use crate::setup::reward::TermsInput;
use crate::state::{App, new_id};
use secrecy::{ExposeSecret, SecretString};
use tributary_domain::ids::{self, IdKind};
use tributary_domain::money::Currency;
use tributary_domain::terms::Terms;
use tributary_store::setup::{FirstOwner, Login, NewProgram, Owner};
use tributary_store::workspaces::Program;
use tributary_store::{StoreError, vault};
use url::Url;

/// Why nothing was made.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The password is too easy, too short or too long.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// Somebody or something else has it already.
    #[error("{0}")]
    Taken(String),
    /// The database, or no randomness.
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict(reason) => Self::Taken(reason),
            other => Self::Store(other),
        }
    }
}

/// The owner of the first workspace, ready to be stored. The password is checked by the rules and hashed.
///
/// # Errors
/// [`Refused::Password`], or no randomness.
pub async fn owner(
    email: &str,
    workspace: &str,
    words: &[&str],
    password: SecretString,
) -> Result<Owner, Refused> {
    let mut context = vec![email, workspace];
    context.extend_from_slice(words);
    password::check_new(password.expose_secret(), &context)?;
    Ok(Owner {
        workspace_name: workspace.to_owned(),
        user_id: new_id(IdKind::User)?,
        email: email.to_owned(),
        password_hash: hash(password).await?,
    })
}

/// Hashes a password away from the async threads: it takes tens of milliseconds of a core.
///
/// # Errors
/// No randomness.
pub async fn hash(password: SecretString) -> Result<String, StoreError> {
    let done = tokio::task::spawn_blocking(move || password::hash(password.expose_secret())).await;
    done.map_err(|error| StoreError::Secret(format!("hashing failed: {error}")))?
}

/// Makes the first workspace with its owner.
///
/// # Errors
/// [`Refused::Taken`] if there is one already.
pub async fn first_owner(app: &App, owner: Owner) -> Result<Login, Refused> {
    let workspace_id = new_id(IdKind::Workspace)?;
    let login = Login {
        workspace_id: workspace_id.clone(),
        user_id: owner.user_id.clone(),
        password_hash: owner.password_hash.clone(),
        role: "owner".to_owned(),
    };
    let unit = FirstOwner { master: app.master().clone(), workspace_id, owner, now: app.now() };
    app.db.write(unit).await?;
    Ok(login)
}

/// A program as a person describes it, checked.
#[derive(Debug, Clone)]
pub struct ProgramInput {
    /// Its name.
    pub name: String,
    /// `affiliate` or `refer_a_friend`.
    pub kind: &'static str,
    /// Its site.
    pub website: Url,
    /// Its currency.
    pub currency: Currency,
    /// Are customers found by e-mail address too?
    pub match_email: bool,
    /// What a sale earns.
    pub terms: Terms,
}

/// A program with fresh ids, not stored yet, and its terms as they are kept.
///
/// # Errors
/// No randomness.
pub fn program(app: &App, workspace_id: &str, input: &ProgramInput) -> Result<(Program, String), StoreError> {
    let terms = TermsInput::stored(&input.terms)?;
    let program = Program {
        workspace_id: workspace_id.to_owned(),
        program_id: new_id(IdKind::Program)?,
        public_id: ids::public_id(vault::random()?),
        name: input.name.clone(),
        kind: input.kind.to_owned(),
        currency: input.currency.as_str().to_owned(),
        website: input.website.to_string(),
        created_at: app.now(),
        ..Program::default()
    };
    Ok((program, terms))
}

/// Makes a program in a workspace. It gets no API key: those are made, and shown, on a page of their own.
///
/// # Errors
/// [`Refused::Taken`] if the name is.
pub async fn new_program(app: &App, workspace_id: &str, input: &ProgramInput) -> Result<Program, Refused> {
    let (program, terms) = program(app, workspace_id, input)?;
    app.db
        .write(NewProgram { program: program.clone(), terms, match_email: input.match_email, key: None })
        .await?;
    Ok(program)
}
