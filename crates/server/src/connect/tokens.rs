//! Tokens of connections by a Stripe App: used while they are good, renewed before they end, by one node at a time.
//!
//! A refresh token is good once. Its answer may get lost on the way, so the token that brought the newest one is kept
//! until the newest has worked, and is tried again where Stripe refuses the newest.

use super::credential::{NoClient, Way, mode_of, not_configured};
use super::flow::{self, Flow, Platform};
use crate::pipeline::fetch::set_status;
use crate::state::App;
use secrecy::{ExposeSecret, SecretString};
use std::time::Duration;
use tributary_store::connections::Connection;
use tributary_store::oauth::tokens::{self, Tokens};
use tributary_store::pipeline::objects;
use tributary_store::vault::{Key, Zeroizing};
use tributary_store::{StoreError, Tx, Unit};
use tributary_stripe::client::{ApiError, ApiKey, Grant, Granted, StripeClient};

/// A token that ends within this time is renewed first, ms.
const MARGIN_MS: i64 = 5 * 60_000;
/// A token without a stated life is good so long, ms.
const LIFE_MS: i64 = 3_600_000;
/// One node has so long to renew, ms.
const LEASE_MS: i64 = 30_000;
/// After Stripe could not be reached, the next try waits so long, ms.
const PAUSE_MS: i64 = 5_000;
/// How often another node's renewal is looked for, and how long.
const LOOK: Duration = Duration::from_millis(200);
const LOOKS: u32 = 150;

/// A client for the token endpoint, which repeats nothing by itself.
///
/// # Errors
/// For a base that cannot be used.
pub(super) fn token_client(base: &str, platform: &Platform) -> Result<StripeClient, NoClient> {
    super::client::once(base, platform.secret.clone()).map_err(|error| NoClient::Refused(error.to_string()))
}

/// New tokens, as they are kept.
pub(super) fn kept(granted: &Granted, before: &[u8], granted_at: i64, version: i64, now: i64) -> Tokens {
    let life = granted.expires_in_s.map_or(LIFE_MS, |seconds| seconds.clamp(1, 31_536_000) * 1_000);
    let bytes = |text: &SecretString| Zeroizing::new(text.expose_secret().as_bytes().to_vec());
    Tokens {
        access: bytes(&granted.access_token),
        access_until: now.saturating_add(life),
        refresh: granted.refresh_token.as_ref().map_or_else(|| Zeroizing::new(before.to_vec()), bytes),
        refresh_before: Zeroizing::new(before.to_vec()),
        granted_at,
        version,
        lease_until: 0,
        refused: String::new(),
    }
}

#[derive(Clone)]
struct Of {
    data_key: Key,
    workspace_id: String,
    connection_id: String,
}

struct Find(Of);
impl Unit for Find {
    type Out = Option<Tokens>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        tokens::find(tx, &self.0.data_key, &self.0.workspace_id, &self.0.connection_id).await
    }
}

struct Lease(Of, i64, i64);
impl Unit for Lease {
    type Out = bool;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<bool, StoreError> {
        let (of, version, now) = (&self.0, self.1, self.2);
        let until = now.saturating_add(LEASE_MS);
        tokens::lease(tx, &of.workspace_id, &of.connection_id, version, now, until).await
    }
}

struct Release(Of, i64, i64, String);
impl Unit for Release {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let of = &self.0;
        tokens::release(tx, &of.workspace_id, &of.connection_id, self.1, self.2, &self.3).await
    }
}

/// What came of renewing: new tokens, or why there will be none. Kept unless the ones that they renew are not in use any more:
/// somebody has authorised the account anew meanwhile, or disconnected it. Answers what is in use then.
struct Renewed {
    of: Of,
    old: Tokens,
    came: Result<Tokens, String>,
}
impl Unit for Renewed {
    type Out = Result<(), Option<Tokens>>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let Of { data_key, workspace_id, connection_id } = &self.of;
        objects::lock_connection(tx, workspace_id, connection_id).await?;
        let found = tokens::find(tx, data_key, workspace_id, connection_id).await?;
        let same = |now: &Tokens| (now.version, &now.refresh) == (self.old.version, &self.old.refresh);
        if !found.as_ref().is_some_and(same) {
            return Ok(Err(found));
        }
        match &self.came {
            Ok(new) => tokens::put(tx, data_key, workspace_id, connection_id, new).await?,
            Err(words) => {
                tokens::release(tx, workspace_id, connection_id, self.old.version, 0, words).await?;
            }
        }
        Ok(Ok(()))
    }
}

struct Mark {
    of: Of,
    version: i64,
    worked: bool,
}
impl Unit for Mark {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let of = &self.of;
        if self.worked {
            tokens::worked(tx, &of.workspace_id, &of.connection_id, self.version).await
        } else {
            tokens::expire(tx, &of.workspace_id, &of.connection_id, self.version).await
        }
    }
}

async fn of(app: &App, connection: &Connection) -> Result<Of, StoreError> {
    Ok(Of {
        data_key: app.data_key(&connection.workspace_id).await?,
        workspace_id: connection.workspace_id.clone(),
        connection_id: connection.connection_id.clone(),
    })
}

/// A token that is good for a while yet.
///
/// # Errors
/// A [`NoClient`].
pub(super) async fn fresh(app: &App, connection: &Connection) -> Result<Way, NoClient> {
    let of = of(app, connection).await?;
    for _ in 0..LOOKS {
        let now = app.now();
        let Some(tokens) = app.db.read(Find(of.clone())).await? else {
            return Err(NoClient::Refused(again("No token is kept for this account.")));
        };
        if !tokens.refused.is_empty() {
            return Err(NoClient::Refused(tokens.refused));
        }
        let left = tokens.access_until.saturating_sub(now);
        if left > MARGIN_MS.min(life_margin(&tokens)) {
            return way(connection, &tokens);
        }
        if tokens.refresh.is_empty() {
            return match left > 0 {
                true => way(connection, &tokens),
                false => {
                    Err(NoClient::Refused(again("The token is over, and nothing came with it to renew it.")))
                }
            };
        }
        if app.db.write(Lease(of.clone(), tokens.version, now)).await? {
            return renew(app, connection, &of, &tokens).await;
        }
        if left > 0 {
            return way(connection, &tokens);
        }
        tokio::time::sleep(LOOK).await;
    }
    Err(NoClient::Unavailable("the token is being renewed and that takes too long".to_owned()))
}

/// Tokens of a short life are renewed when a tenth is left, at the latest when they are over.
fn life_margin(tokens: &Tokens) -> i64 {
    let life = tokens.access_until.saturating_sub(tokens.granted_at);
    (life / 10).max(0)
}

fn again(words: &str) -> String {
    format!("{words} Authorise the account again under Integration, Stripe.")
}

fn way(connection: &Connection, tokens: &Tokens) -> Result<Way, NoClient> {
    let text = std::str::from_utf8(&tokens.access)
        .map_err(|_| StoreError::Inconsistent("a token is no text".to_owned()))?;
    let key = ApiKey::token(text, mode_of(connection)).map_err(|e| NoClient::Refused(e.to_string()))?;
    Ok(Way { key, account: None, version: tokens.version })
}

/// Renews under the lease.
async fn renew(app: &App, connection: &Connection, of: &Of, old: &Tokens) -> Result<Way, NoClient> {
    let mode = mode_of(connection);
    let platform = match flow::platform(app, &connection.workspace_id, Flow::App, mode).await? {
        Some(platform) => platform,
        None => {
            app.db.write(Release(of.clone(), old.version, 0, String::new())).await?;
            return match old.access_until > app.now() {
                true => way(connection, old),
                false => Err(not_configured(Flow::App, mode)),
            };
        }
    };
    let path = flow::token_place(app, Flow::App).1;
    let client = token_client(&connection.api_base, &platform)?;
    let (used, answer) = exchange(&client, path, old).await;
    let error = match answer {
        Ok(granted) => {
            if granted.account_id.as_ref().is_some_and(|id| id != &connection.account_id) {
                let words = again("Stripe renewed the token of another account.");
                return refuse(app, connection, of, old, words).await;
            }
            let now = app.now();
            let new = kept(&granted, &used, now, old.version + 1, now);
            let renewed = Renewed { of: of.clone(), old: old.clone(), came: Ok(new.clone()) };
            return match app.db.write(renewed).await? {
                Ok(()) => way(connection, &new),
                Err(in_use) => instead(connection, in_use),
            };
        }
        Err(error) => error,
    };
    if is_grant_refused(&error) {
        let words =
            again("Stripe refuses to renew the authorisation of this account: it was withdrawn or is over.");
        return refuse(app, connection, of, old, words).await;
    }
    // Nothing is certain, so nothing is given up: the same token is tried again after a pause.
    let until = app.now().saturating_add(PAUSE_MS);
    app.db.write(Release(of.clone(), old.version, until, String::new())).await?;
    if old.access_until > app.now() {
        return way(connection, old);
    }
    match error {
        ApiError::Unauthorised { .. } | ApiError::Forbidden { .. } => Err(NoClient::Refused(format!(
            "Stripe does not accept the secret key of the Stripe App, so the token cannot be renewed: {error}"
        ))),
        error => Err(NoClient::Unavailable(error.to_string())),
    }
}

/// Asks with the newest refresh token and, where that is refused, with the one before it.
async fn exchange(
    client: &StripeClient,
    path: &str,
    old: &Tokens,
) -> (Zeroizing<Vec<u8>>, Result<Granted, ApiError>) {
    let ask = async |token: &[u8]| {
        let text = SecretString::from(String::from_utf8_lossy(token).into_owned());
        client.oauth_token(path, &Grant::Refresh(&text)).await
    };
    match ask(&old.refresh).await {
        Err(error) if is_grant_refused(&error) && !old.refresh_before.is_empty() => {
            (old.refresh_before.clone(), ask(&old.refresh_before).await)
        }
        answer => (old.refresh.clone(), answer),
    }
}

/// Is it said for good that the code or token is not taken?
pub(super) fn is_grant_refused(error: &ApiError) -> bool {
    matches!(error, ApiError::Invalid { code: Some(code), .. } if code == "invalid_grant")
}

async fn refuse(
    app: &App,
    connection: &Connection,
    of: &Of,
    old: &Tokens,
    words: String,
) -> Result<Way, NoClient> {
    let renewed = Renewed { of: of.clone(), old: old.clone(), came: Err(words.clone()) };
    if let Err(in_use) = app.db.write(renewed).await? {
        return instead(connection, in_use);
    }
    set_status(app, connection, "broken", &words).await?;
    Err(NoClient::Refused(words))
}

/// Whoever was too late to renew goes in by what is in use now.
fn instead(connection: &Connection, in_use: Option<Tokens>) -> Result<Way, NoClient> {
    let gone = || NoClient::Unavailable("the account was disconnected meanwhile".to_owned());
    way(connection, &in_use.ok_or_else(gone)?)
}

/// The newest token has worked.
///
/// # Errors
/// The database's.
pub async fn worked(app: &App, connection: &Connection, version: i64) -> Result<(), StoreError> {
    app.db.write(Mark { of: of(app, connection).await?, version, worked: true }).await
}

/// Stripe refused the token before its time: it is renewed at the next use.
///
/// # Errors
/// The database's.
pub async fn expire(app: &App, connection: &Connection, version: i64) -> Result<(), StoreError> {
    app.db.write(Mark { of: of(app, connection).await?, version, worked: false }).await
}

/// The tokens of a connection by an App: until when, how often renewed, and why no more.
///
/// # Errors
/// The database's.
pub async fn state(app: &App, connection: &Connection) -> Result<Option<Tokens>, StoreError> {
    app.db.read(Find(of(app, connection).await?)).await
}
