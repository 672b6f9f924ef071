//! Connecting a Stripe account: check the key, find or make the connection, feed the program from it, and see to
//! it that events arrive, by webhook where Stripe can reach us and by polling where it cannot.

pub mod authorise;
pub(crate) mod check;
pub mod checks;
mod client;
pub mod credential;
mod delivery;
mod disconnect;
pub mod flow;
pub mod rotate;
mod rows;
pub mod tokens;
pub mod warnings;
pub mod wipe;

pub use check::{Checkup, EndpointState, check};
pub use client::{client_as, client_of};
pub use delivery::webhook_url;
pub use disconnect::{AccessFate, Disconnected, EndpointFate, disconnect, recheck};

use crate::audit::Note;
use crate::state::App;
use credential::Way;
use flow::{Flow, Platform};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use tributary_store::StoreError;
use tributary_store::connections::Connection;
use tributary_store::oauth::tokens::Tokens;
use tributary_store::workspaces::Program;
use tributary_stripe::client::{
    ApiError, ApiKey, ConfigError, KeyError, KeyKind, Probe, Wanted, wanted_permissions,
};
use tributary_stripe::connect::{ConnectError, Validation, validate_key_telling};

/// The longest signing secret that is taken, bytes.
const SECRET_MAX: usize = 512;

/// What a person brings to connect an account.
#[derive(Debug)]
pub struct Request {
    /// The program to feed: its public id, or its private one.
    pub program: String,
    /// What the account is let in with.
    pub with: With,
    /// The signing secret of an endpoint that was made by hand. Then none is made.
    pub webhook_secret: Option<SecretString>,
    /// Where the account's API is; `None` = as configured.
    pub api_base: Option<String>,
    /// Poll for events, and make no endpoint.
    pub poll: bool,
    /// Who connects, for the audit log: see [`crate::audit`].
    pub actor: String,
    /// The one connection (`con_…`) that the key may belong to: a new key for it. `None` takes any account.
    pub only: Option<String>,
}

/// What an account is let in with.
#[derive(Debug)]
pub enum With {
    /// Stripe's API key.
    Key(SecretString),
    /// What OAuth granted.
    Grant(Box<Granting>),
}

/// What OAuth granted.
#[derive(Debug)]
pub struct Granting {
    /// By which App or platform.
    pub platform: Platform,
    /// The account that agreed: `acct_…`.
    pub account_id: String,
    /// The tokens, for an App.
    pub tokens: Option<Tokens>,
}

/// How far connecting has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Stripe is asked whose key it is.
    Account,
    /// So many permissions are checked.
    Permissions {
        /// Checked.
        done: usize,
        /// Of so many.
        total: usize,
    },
    /// The webhook endpoint is seen to.
    Endpoint,
}

/// A permission of the key, as it was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Permission {
    /// Stripe's name: `charge_read`.
    pub permission: &'static str,
    /// What it is for.
    pub why: &'static str,
    /// Does following sales need it?
    pub needed: bool,
    /// Has the key got it?
    pub ok: bool,
}

impl From<&Probe> for Permission {
    fn from(probe: &Probe) -> Self {
        Self { permission: probe.permission, why: probe.why, needed: probe.needed, ok: probe.ok.is_ok() }
    }
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Connected {
    /// `con_…`
    pub connection_id: String,
    /// `acct_…`, or `unknown_…` where the key may not read it.
    pub account_id: String,
    /// The account's name, if it may be read.
    pub account_name: Option<String>,
    /// Live or test.
    pub livemode: bool,
    /// The program that it feeds now.
    pub program_public_id: String,
    /// Our endpoint at Stripe (`we_…`), if there is one.
    pub webhook_endpoint: Option<String>,
    /// Where Stripe sends events, or would.
    pub webhook_url: String,
    /// Are events polled?
    pub polling: bool,
    /// Was the account connected before?
    pub known: bool,
    /// What a person should know or do.
    pub warnings: Vec<String>,
    /// The checklist of the key.
    pub permissions: Vec<Permission>,
}

/// Why an account was not connected.
#[derive(Debug, thiserror::Error)]
pub enum ConnectFailure {
    /// No such program.
    #[error(
        "There is no program {0}. Give the public id that `tributary setup` printed, 8 capital letters and digits."
    )]
    NoProgram(String),
    /// The text is no API key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The API base cannot be used.
    #[error(transparent)]
    Base(#[from] ConfigError),
    /// The text is no signing secret.
    #[error("{0}")]
    Secret(&'static str),
    /// A new key was given for a connection that it does not belong to.
    #[error(
        "This key belongs to another Stripe account or mode than the connection, or may not read the account. \
         Nothing was changed. Take a key of the same account and mode."
    )]
    OtherAccount,
    /// Stripe refuses the key, or cannot be reached.
    #[error(transparent)]
    Stripe(#[from] ConnectError),
    /// The account is connected, but its webhook endpoint could not be seen to.
    #[error(
        "The account is connected as {connection_id}, but the webhook endpoint is not certain: {error} Run the same again."
    )]
    Endpoint {
        /// The connection.
        connection_id: String,
        /// What happened.
        error: ApiError,
    },
    /// What is needed to let the account in is not there.
    #[error("{0}")]
    Refused(String),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ConnectFailure {
    /// Was something out of reach, so that the same may work later?
    #[must_use]
    pub const fn is_unavailable(&self) -> bool {
        let (Self::Stripe(ConnectError::Api(error)) | Self::Endpoint { error, .. }) = self else {
            return matches!(self, Self::Store(error) if error.is_unavailable());
        };
        matches!(
            error,
            ApiError::Unavailable { .. } | ApiError::UnknownOutcome { .. } | ApiError::RateLimited { .. }
        )
    }
}

/// Connects an account and attaches the program. The same request again changes nothing but the key.
///
/// # Errors
/// A [`ConnectFailure`]; nothing is stored then, except for [`ConnectFailure::Endpoint`].
pub async fn connect(app: &App, request: &Request) -> Result<Connected, ConnectFailure> {
    connect_telling(app, request, &|_| {}).await
}

/// The same, telling how far it has come.
///
/// # Errors
/// As [`connect`].
pub async fn connect_telling(
    app: &App,
    request: &Request,
    tell: &(dyn Fn(Stage) + Send + Sync),
) -> Result<Connected, ConnectFailure> {
    let program = rows::program(app, &request.program).await?;
    let way = way_of(&request.with)?;
    let secret = request.webhook_secret.as_ref().map(checked_secret).transpose()?;
    let base = request.api_base.clone().unwrap_or_else(|| app.settings.stripe_api_base.clone());
    let client = client_as(&base, way.key.clone(), way.account.as_deref())?;
    tell(Stage::Account);
    let told = |done, total| tell(Stage::Permissions { done, total });
    let seen = validate_key_telling(&client, &told).await?;
    let granted = granted_account(&request.with);
    if granted.is_some_and(|id| seen.account_id.as_ref().is_some_and(|seen| seen != id)) {
        return Err(ConnectFailure::OtherAccount);
    }
    let permissions: Vec<_> = seen.probes.iter().map(Permission::from).collect();
    let entry = rows::Entry {
        only: request.only.clone(),
        ..entry(app, &program, &seen, &request.with, base.clone()).await?
    };
    let found = rows::find_or_insert(app, entry).await;
    let (connection, before) = found.map_err(|error| match error {
        StoreError::Conflict(words) if words == rows::OTHER_ACCOUNT => ConnectFailure::OtherAccount,
        error => error.into(),
    })?;
    tell(Stage::Endpoint);
    let mut warnings = seen.missing.clone();
    warnings.extend(seen.warnings.iter().cloned());
    let wish = delivery::Wish {
        url: rows::endpoint_url(app, &connection, &program).await?,
        secret,
        poll: request.poll,
        may_poll: !seen.missing.iter().any(|line| line.contains("event_read")),
    };
    // A platform's endpoint lies at the platform, and hears of all accounts that are connected to it.
    let place = match &request.with {
        With::Grant(granting) if granting.platform.flow == Flow::Connect => {
            client_as(&base, granting.platform.secret.clone(), None)?
        }
        _ => client,
    };
    let arranged = delivery::arrange(&place, &connection, &wish).await;
    let connection_id = connection.connection_id.clone();
    let delivery =
        arranged.map_err(|error| ConnectFailure::Endpoint { connection_id: connection_id.clone(), error })?;
    warnings.extend(delivery.warnings.iter().cloned());
    if let Some(left) = disconnect::leave_endpoint(app, before.as_ref(), &connection.auth, &delivery).await {
        warnings.push(left);
    }
    let known = before.is_some();
    let account_id = connection.account_id.clone();
    let line = line(request, &connection, &program, known);
    rows::finish(app, connection, &program, &delivery, &warnings, &permissions, line).await?;
    Ok(Connected {
        connection_id,
        account_id,
        account_name: seen.display_name,
        livemode: seen.livemode,
        program_public_id: program.public_id,
        webhook_endpoint: delivery.endpoint_id,
        webhook_url: delivery.url,
        polling: delivery.polling,
        known,
        warnings,
        permissions,
    })
}

/// What a line about a connection names.
#[must_use]
pub fn connection_subject(one: &Connection) -> String {
    let name = if one.account_name.is_empty() { String::new() } else { format!("{}, ", one.account_name) };
    format!("{name}{}, {} mode ({})", one.account_id, one.mode, one.connection_id)
}

fn line(request: &Request, connection: &Connection, program: &Program, known: bool) -> Note {
    let with = match &request.with {
        With::Key(_) => format!("the key {}", connection.key_hint),
        With::Grant(_) => "OAuth".to_owned(),
    };
    let became =
        if known { format!("connected again with {with}") } else { format!("connected with {with}") };
    Note {
        workspace_id: program.workspace_id.clone(),
        actor: request.actor.clone(),
        action: "connection",
        subject: connection_subject(connection),
        became,
        ..Note::default()
    }
}

async fn entry(
    app: &App,
    program: &Program,
    seen: &Validation,
    with: &With,
    api_base: String,
) -> Result<rows::Entry, StoreError> {
    let data_key = app.data_key(&program.workspace_id).await?;
    let account_id = match (seen.account_id.as_deref().or(granted_account(with)), with) {
        (Some(id), _) => id.to_owned(),
        // The same key finds the same connection again, and nobody can tell the key from it.
        (None, With::Key(key)) => {
            format!("unknown_{}", data_key.keyed_hash("stripe-account", key.expose_secret().trim())?)
        }
        (None, With::Grant(_)) => {
            return Err(StoreError::Inconsistent("a grant without an account".to_owned()));
        }
    };
    let (auth, api_key, tokens) = match with {
        With::Key(key) => ("key", SecretString::from(key.expose_secret().trim()), None),
        // Nothing of the account's own is kept in the place of its key.
        With::Grant(granting) => {
            (granting.platform.flow.as_str(), SecretString::from(""), granting.tokens.clone())
        }
    };
    Ok(rows::Entry {
        data_key,
        program: program.clone(),
        mode: if seen.livemode { "live" } else { "test" },
        account_id,
        account_name: seen.display_name.clone().unwrap_or_default(),
        api_base,
        key_hint: hint_of(with),
        auth,
        api_key,
        tokens,
        new_id: crate::state::new_id(tributary_domain::ids::IdKind::Connection)?,
        now: app.now(),
        only: None,
    })
}

fn way_of(with: &With) -> Result<Way, ConnectFailure> {
    Ok(match with {
        With::Key(text) => Way { key: ApiKey::parse(text.expose_secret())?, account: None, version: 0 },
        With::Grant(granting) => match &granting.tokens {
            Some(tokens) => {
                let text = std::str::from_utf8(&tokens.access)
                    .map_err(|_| StoreError::Inconsistent("a token is no text".to_owned()))?;
                Way { key: ApiKey::token(text, granting.platform.mode)?, account: None, version: 0 }
            }
            None => Way {
                key: granting.platform.secret.clone(),
                account: Some(granting.account_id.clone()),
                version: 0,
            },
        },
    })
}

/// The account that agreed to a grant.
fn granted_account(with: &With) -> Option<&str> {
    match with {
        With::Key(_) => None,
        With::Grant(granting) => Some(&granting.account_id),
    }
}

fn hint_of(with: &With) -> String {
    match with {
        With::Key(text) => {
            ApiKey::parse(text.expose_secret()).map_or_else(|_| String::new(), |key| hint(&key))
        }
        With::Grant(granting) => {
            let id = &granting.platform.client_id;
            format!("{} …{}", granting.platform.flow.words(), &id[id.len().saturating_sub(4)..])
        }
    }
}

/// What is kept of a checklist: name and answer, no words.
fn permissions_text(permissions: &[Permission]) -> String {
    let kept: Vec<_> = permissions
        .iter()
        .map(|one| serde_json::json!({ "permission": one.permission, "ok": one.ok }))
        .collect();
    serde_json::Value::Array(kept).to_string()
}

/// A kept checklist with its words. What this version does not ask for any more is left out.
#[must_use]
pub fn kept_permissions(text: &str) -> Vec<Permission> {
    #[derive(serde::Deserialize)]
    struct Kept {
        permission: String,
        ok: bool,
    }
    let kept: Vec<Kept> = serde_json::from_str(text).unwrap_or_default();
    let found = |wanted: Wanted| {
        let Wanted { permission, why, needed } = wanted;
        let kept = kept.iter().find(|kept| kept.permission == permission)?;
        Some(Permission { permission, why, needed, ok: kept.ok })
    };
    wanted_permissions().filter_map(found).collect()
}

/// The key's kind, mode and last letters: enough to recognise it, nothing to use.
pub(crate) fn hint(key: &ApiKey) -> String {
    let kind = if key.info().kind == KeyKind::Restricted { "rk" } else { "sk" };
    let text = key.expose();
    format!("{kind}_{}_…{}", key.info().mode, &text[text.len().saturating_sub(4)..])
}

pub(crate) fn checked_secret(secret: &SecretString) -> Result<SecretString, ConnectFailure> {
    let text = secret.expose_secret().trim();
    if text.starts_with("sk_") || text.starts_with("rk_") || text.starts_with("pk_") {
        return Err(ConnectFailure::Secret(
            "This is an API key, not a webhook signing secret. The secret begins with whsec_.",
        ));
    }
    if text.len() < 8 || text.len() > SECRET_MAX || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(ConnectFailure::Secret(
            "This is not a webhook signing secret. Copy it from the endpoint's page in Stripe; it begins with whsec_.",
        ));
    }
    Ok(SecretString::from(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hint_shows_four_letters() {
        let key = ApiKey::parse("rk_test_51Secretabcd").unwrap();
        assert_eq!(hint(&key), "rk_test_…abcd");
    }

    #[test]
    fn an_api_key_is_not_taken_for_a_signing_secret() {
        for bad in ["sk_test_1234567", "", "whsec", "whsec_with blank", "whsec_ä1234567"] {
            assert!(checked_secret(&SecretString::from(bad)).is_err(), "{bad}");
        }
        assert!(checked_secret(&SecretString::from(" whsec_1234567\n")).is_ok());
    }
}
