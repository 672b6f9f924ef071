//! An authorisation by OAuth from its beginning to its return: the state that binds both, and the code for a token.

use super::credential::NoClient;
use super::flow::{self, Flow, Platform, mode_word};
use super::tokens::{is_grant_refused, kept, token_client};
use super::{Granting, With};
use crate::state::App;
use secrecy::SecretString;
use tributary_store::oauth::states::{self, OauthState};
use tributary_store::vault::{random, token_hash};
use tributary_store::workspaces::{self, Program};
use tributary_store::{StoreError, Tx, Unit};
use tributary_stripe::client::{ApiError, Grant, Mode};
use url::Url;

/// A state is good so long, ms.
const STATE_MS: i64 = 600_000;
/// The longest code that is looked at, bytes.
const CODE_MAX: usize = 512;

/// Who begins an authorisation, and for what.
#[derive(Debug)]
pub struct Begin {
    /// The workspace.
    pub workspace_id: String,
    /// The hash of the session that begins.
    pub session_hash: String,
    /// The program to feed, by its private id.
    pub program_id: String,
    /// Which way.
    pub flow: Flow,
    /// Live or test.
    pub mode: Mode,
    /// The one connection that may be renewed, if it is for one.
    pub only: Option<String>,
}

/// Begins: keeps a state, and says where the browser has to go. `None` if the App or platform is not entered.
///
/// # Errors
/// The database's, or no randomness.
pub async fn begin(app: &App, begin: Begin) -> Result<Option<String>, StoreError> {
    let (flow, mode) = (begin.flow, begin.mode);
    let Some(platform) = flow::platform(app, &begin.workspace_id, flow, mode).await? else { return Ok(None) };
    let page = flow::authorize_url(app, flow);
    let mut url = Url::parse(&page).map_err(|_| StoreError::Invalid(format!("{page} is no address")))?;
    let (state, now) = (hex::encode(random::<16>()?), app.now());
    url.query_pairs_mut()
        .append_pair("client_id", &platform.client_id)
        .append_pair("redirect_uri", &flow.redirect_uri(&app.settings.public_url))
        .append_pair("state", &state);
    if flow == Flow::Connect {
        url.query_pairs_mut().append_pair("response_type", "code").append_pair("scope", "read_write");
    }
    let row = OauthState {
        workspace_id: begin.workspace_id,
        state_hash: token_hash(&state),
        session_hash: begin.session_hash,
        program_id: begin.program_id,
        flow: flow.as_str().to_owned(),
        mode: mode_word(mode).to_owned(),
        connection_id: begin.only,
        expires_at: now.saturating_add(STATE_MS),
        used_at: None,
    };
    app.db.write(Keep(row, now)).await?;
    Ok(Some(url.to_string()))
}

/// What came back with the browser.
#[derive(Debug, Default, serde::Deserialize)]
pub struct Returned {
    /// The state, if there is one.
    #[serde(default)]
    pub state: Option<String>,
    /// The code, if the account agreed.
    #[serde(default)]
    pub code: Option<SecretString>,
    /// Why not, in OAuth's word.
    #[serde(default)]
    pub error: Option<String>,
}

/// Why nothing came of an authorisation. Nothing was changed in any of these cases.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// No state, or none that can be.
    #[error("The address has no state, so it is not known who began this authorisation.")]
    NoState,
    /// A state that is not of this workspace.
    #[error("This authorisation was not begun in your workspace, or long ago.")]
    Unknown,
    /// A state of another session.
    #[error("This authorisation was begun in another browser or log-in than this one.")]
    Foreign,
    /// It was used.
    #[error("This authorisation came back once already, and counts once only.")]
    Used,
    /// Its time is over.
    #[error("This authorisation took longer than ten minutes.")]
    Over,
    /// It came back the other way than it went.
    #[error("This answer came back by another way than the authorisation went out.")]
    Mixed,
    /// The account said no.
    #[error("The authorisation was denied in Stripe.")]
    Denied,
    /// Stripe says something else.
    #[error("Stripe ended the authorisation with “{0}”.")]
    Ended(String),
    /// Neither a code nor a reason.
    #[error("The answer holds no code.")]
    NoCode,
    /// The App or platform is gone.
    #[error("The Stripe App or Connect platform is not entered any more.")]
    NotEntered,
    /// Stripe does not take the code.
    #[error(
        "Stripe does not take the code: it was used already, is over, or belongs to another application."
    )]
    BadCode,
    /// The token is of the other mode.
    #[error("The account was authorised in {got} mode, but this authorisation was for {wanted} mode.")]
    OtherMode {
        /// What was asked for.
        wanted: Mode,
        /// What came.
        got: Mode,
    },
    /// No account in the answer.
    #[error("Stripe's answer does not say which account was authorised.")]
    NoAccount,
    /// Stripe did not answer, or not as it should.
    #[error("The code could not be exchanged: {0}")]
    Failed(String),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What an authorisation brought: the program, what to connect with, and the one connection that it may renew.
#[derive(Debug)]
pub struct Brought {
    /// The program's public id.
    pub program: String,
    /// What was granted.
    pub with: With,
    /// The one connection.
    pub only: Option<String>,
}

/// Takes what came back. The state is used up whatever comes of it.
///
/// # Errors
/// A [`Refusal`].
pub async fn finish(
    app: &App,
    workspace_id: &str,
    session_hash: &str,
    flow: Flow,
    returned: &Returned,
) -> Result<Brought, Refusal> {
    let state = returned.state.as_deref().unwrap_or("");
    if state.len() != 32 || !state.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Refusal::NoState);
    }
    let now = app.now();
    let take = Take { workspace_id: workspace_id.to_owned(), state_hash: token_hash(state), now };
    let (state, program) = app.db.write(take).await?.ok_or(Refusal::Unknown)?;
    if state.used_at.is_some() {
        return Err(Refusal::Used);
    }
    if state.session_hash != session_hash {
        return Err(Refusal::Foreign);
    }
    if now >= state.expires_at {
        return Err(Refusal::Over);
    }
    if state.flow != flow.as_str() {
        return Err(Refusal::Mixed);
    }
    let code = code_of(returned)?;
    let mode = if state.mode == "live" { Mode::Live } else { Mode::Test };
    let platform = flow::platform(app, workspace_id, flow, mode).await?.ok_or(Refusal::NotEntered)?;
    let granting = exchange(app, platform, code).await?;
    Ok(Brought {
        program: program.public_id,
        with: With::Grant(Box::new(granting)),
        only: state.connection_id,
    })
}

fn code_of(returned: &Returned) -> Result<&SecretString, Refusal> {
    if let Some(error) = returned.error.as_deref().filter(|error| !error.is_empty()) {
        let word: String =
            error.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(60).collect();
        return Err(if word == "access_denied" { Refusal::Denied } else { Refusal::Ended(word) });
    }
    let fits = |code: &&SecretString| {
        let code = secrecy::ExposeSecret::expose_secret(*code);
        (1..=CODE_MAX).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_graphic())
    };
    returned.code.as_ref().filter(fits).ok_or(Refusal::NoCode)
}

async fn exchange(app: &App, platform: Platform, code: &SecretString) -> Result<Granting, Refusal> {
    let (base, path) = flow::token_place(app, platform.flow);
    let client = token_client(&base, &platform).map_err(|error| match error {
        NoClient::Store(error) => Refusal::Store(error),
        error => Refusal::Failed(error.to_string()),
    })?;
    let granted = match client.oauth_token(path, &Grant::Code(code)).await {
        Ok(granted) => granted,
        Err(error) if is_grant_refused(&error) => return Err(Refusal::BadCode),
        Err(error @ (ApiError::UnknownOutcome { .. } | ApiError::Unavailable { .. })) => {
            return Err(Refusal::Failed(format!("{error} A code counts once, so begin again.")));
        }
        Err(error) => return Err(Refusal::Failed(error.to_string())),
    };
    let got = granted.livemode.map(|live| if live { Mode::Live } else { Mode::Test });
    if let Some(got) = got.filter(|got| *got != platform.mode) {
        return Err(Refusal::OtherMode { wanted: platform.mode, got });
    }
    let account_id = granted.account_id.clone().filter(|id| id.starts_with("acct_") && id.len() <= 255);
    let account_id = account_id.ok_or(Refusal::NoAccount)?;
    let now = app.now();
    let tokens = (platform.flow == Flow::App).then(|| {
        let mut tokens = kept(&granted, &[], now, 1, now);
        if granted.refresh_token.is_none() {
            tokens.refresh = Default::default();
        }
        tokens
    });
    Ok(Granting { platform, account_id, tokens })
}

struct Keep(OauthState, i64);
impl Unit for Keep {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        states::insert(tx, &self.0, self.1).await
    }
}

struct Take {
    workspace_id: String,
    state_hash: String,
    now: i64,
}

impl Unit for Take {
    type Out = Option<(OauthState, Program)>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let Some(state) = states::take(tx, &self.workspace_id, &self.state_hash, self.now).await? else {
            return Ok(None);
        };
        let program = workspaces::find_program(tx, &self.workspace_id, &state.program_id).await?;
        Ok(program.map(|program| (state, program)))
    }
}
