//! The two ways of OAuth, and the operator's own App or platform for each: from the settings, or from the
//! configuration.

use crate::state::App;
use secrecy::SecretString;
use tributary_store::oauth::clients::{self, OauthClient, secret_place};
use tributary_store::{StoreError, Tx, Unit};
use tributary_stripe::client::{ApiKey, KeyKind, Mode};
use url::{Host, Url};

/// A way of OAuth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// The operator's own Stripe App: tokens of an hour, renewed.
    App,
    /// The operator's Connect platform: its own key asks for the account.
    Connect,
}

impl Flow {
    /// Both.
    pub const ALL: [Self; 2] = [Self::App, Self::Connect];

    /// `app` or `connect`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::App => "app",
            Self::Connect => "connect",
        }
    }

    /// What a person calls it.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::App => "Stripe App",
            Self::Connect => "Connect platform",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|flow| flow.as_str() == text)
    }

    /// Where Stripe sends the browser back to. Fixed by the configuration: no request has a say in it.
    #[must_use]
    pub fn redirect_uri(self, public_url: &Url) -> String {
        format!("{}/oauth/stripe/{}/callback", public_url.as_str().trim_end_matches('/'), self.as_str())
    }
}

/// An App or a platform of the configuration, good for every workspace of the installation.
#[derive(Debug, Clone)]
pub struct Preset {
    /// Which way.
    pub flow: Flow,
    /// `ca_…`
    pub client_id: String,
    /// The developer's secret key; it says the mode.
    pub secret: ApiKey,
}

/// What the installation says to and of the world outside.
#[derive(Debug, Clone, Default)]
pub struct Outside {
    /// Apps and platforms of the configuration.
    pub presets: Vec<Preset>,
    /// The page on which an account agrees to an App, if it is not the usual one.
    pub app_authorize_url: Option<Url>,
    /// The same for Connect.
    pub connect_authorize_url: Option<Url>,
    /// Where alerts are posted, if anywhere.
    pub alert_url: Option<Url>,
}

/// An App or a platform that can be used.
#[derive(Debug, Clone)]
pub struct Platform {
    /// Which way.
    pub flow: Flow,
    /// Live or test.
    pub mode: Mode,
    /// `ca_…`
    pub client_id: String,
    /// The developer's secret key.
    pub secret: ApiKey,
    /// Does it come from the configuration?
    pub preset: bool,
}

fn loopback(base: &str) -> bool {
    match Url::parse(base).ok().as_ref().and_then(Url::host) {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

/// The page on which an account agrees: as configured; a sandbox's own; else Stripe's.
#[must_use]
pub fn authorize_url(app: &App, flow: Flow) -> String {
    let base = app.settings.stripe_api_base.trim_end_matches('/');
    let configured = match flow {
        Flow::App => &app.outside.app_authorize_url,
        Flow::Connect => &app.outside.connect_authorize_url,
    };
    match (configured, flow) {
        (Some(url), _) => url.to_string(),
        (None, Flow::App) if loopback(base) => format!("{base}/oauth/v2/authorize"),
        (None, Flow::Connect) if loopback(base) => format!("{base}/oauth/authorize"),
        (None, Flow::App) => "https://marketplace.stripe.com/oauth/v2/authorize".to_owned(),
        (None, Flow::Connect) => "https://connect.stripe.com/oauth/authorize".to_owned(),
    }
}

/// Where codes and tokens are exchanged: base and path. Connect has a host of its own, the one of its page.
#[must_use]
pub fn token_place(app: &App, flow: Flow) -> (String, &'static str) {
    match flow {
        Flow::App => (app.settings.stripe_api_base.clone(), "/v1/oauth/token"),
        Flow::Connect => {
            let page = authorize_url(app, flow);
            let origin = Url::parse(&page).map(|url| url.origin().ascii_serialization());
            (origin.unwrap_or(page), "/oauth/token")
        }
    }
}

struct Find {
    workspace_id: String,
    flow: Flow,
    mode: &'static str,
}

impl Unit for Find {
    type Out = Option<OauthClient>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        clients::find(tx, &self.workspace_id, self.flow.as_str(), self.mode).await
    }
}

/// The mode in the database's word.
#[must_use]
pub const fn mode_word(mode: Mode) -> &'static str {
    if mode.is_live() { "live" } else { "test" }
}

/// The App or platform of a workspace for a mode: its own before the configuration's.
///
/// # Errors
/// The database's, or [`StoreError::Secret`].
pub async fn platform(
    app: &App,
    workspace_id: &str,
    flow: Flow,
    mode: Mode,
) -> Result<Option<Platform>, StoreError> {
    let word = mode_word(mode);
    let find = Find { workspace_id: workspace_id.to_owned(), flow, mode: word };
    if let Some(row) = app.db.read(find).await? {
        let opened =
            app.data_key(workspace_id).await?.open(&secret_place(flow.as_str(), word), &row.secret)?;
        let text = std::str::from_utf8(&opened)
            .map_err(|_| StoreError::Inconsistent("the secret of an App is no text".to_owned()))?;
        let secret = ApiKey::parse(text).map_err(|error| StoreError::Invalid(error.to_string()))?;
        return Ok(Some(Platform { flow, mode, client_id: row.client_id, secret, preset: false }));
    }
    let preset = app.outside.presets.iter().find(|one| one.flow == flow && one.secret.info().mode == mode);
    Ok(preset.map(|one| Platform {
        flow,
        mode,
        client_id: one.client_id.clone(),
        secret: one.secret.clone(),
        preset: true,
    }))
}

/// Reads a client id.
///
/// # Errors
/// A sentence.
pub fn client_id(text: &str) -> Result<String, &'static str> {
    let text = text.trim();
    let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if text.starts_with("ca_") && (8..=100).contains(&text.len()) && plain {
        return Ok(text.to_owned());
    }
    Err(
        "This is not a client id. It begins with ca_ and stands on the page of your App or platform in Stripe.",
    )
}

/// Reads the secret key of an App's owner or a platform.
///
/// # Errors
/// A sentence.
pub fn developer_key(text: &SecretString) -> Result<ApiKey, String> {
    let key = ApiKey::parse(secrecy::ExposeSecret::expose_secret(text)).map_err(|error| error.to_string())?;
    match key.info().kind {
        KeyKind::Secret => Ok(key),
        _ => Err("Codes are exchanged with the secret key of the account that owns the App or platform. It begins \
                  with sk_live_ or sk_test_; a restricted key cannot do it."
            .to_owned()),
    }
}
