//! Sessions: 256 random bits in a cookie, their hash in the database, and an end that comes by itself.

use super::cookies;
use crate::App;
use crate::admin::error::PageError;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};
use subtle::ConstantTimeEq;
use tributary_store::pages::sessions::{self, NewSession, Session};
use tributary_store::setup::Login;
use tributary_store::vault::{random, token_hash};
use tributary_store::{StoreError, Tx, Unit};

/// A session that nobody uses ends after 7 days, ms.
pub const IDLE_MS: i64 = 7 * 86_400_000;
/// Every session ends after 30 days, ms.
pub const WHOLE_MS: i64 = 30 * 86_400_000;
/// Use is written down once in 5 minutes, ms.
const TOUCH_MS: i64 = 300_000;
/// A browser stays known for a year, seconds.
const DEVICE_S: i64 = 31_536_000;

/// Is the public address https, so that cookies can be protected?
#[must_use]
pub fn https(app: &App) -> bool {
    app.settings.public_url.scheme() == "https"
}

/// A path of this server to go to; anything else becomes `/`.
#[must_use]
pub fn own_path(text: &str) -> &str {
    let plain = text.len() <= 2_000 && text.bytes().all(|byte| (0x21..0x7f).contains(&byte) && byte != b'\\');
    if plain && text.starts_with('/') && !text.starts_with("//") { text } else { "/" }
}

/// The page after a log-in.
fn entered(next: &str) -> String {
    format!("/login?entered=1&next={}", crate::ui::text::encode(own_path(next)))
}

/// The session of a request, if it has one that is still good. Its use is noted.
///
/// # Errors
/// The database's.
pub async fn of(app: &App, headers: &HeaderMap) -> Result<Option<Session>, PageError> {
    let Some(token) = cookies::read(headers, cookies::session_name(https(app))) else { return Ok(None) };
    let session_hash = token_hash(token);
    let now = app.now();
    let Some(session) = app.db.read(Find { session_hash: session_hash.clone() }).await? else {
        return Ok(None);
    };
    if now >= session.expires_at || now.saturating_sub(session.seen_at) >= IDLE_MS {
        app.db.write(End { session_hash }).await?;
        return Ok(None);
    }
    if now.saturating_sub(session.seen_at) >= TOUCH_MS {
        app.db.write(Touch { workspace_id: session.workspace_id.clone(), session_hash, now }).await?;
    }
    Ok(Some(session))
}

/// The session's form token under a fresh mask: pages are compressed, and a text that never repeats cannot be
/// guessed from their length.
///
/// # Errors
/// No randomness.
pub fn masked_token(session: &Session) -> Result<String, PageError> {
    let mask = random::<16>()?;
    let token = hex::decode(&session.form_token).map_err(|error| PageError::Internal(error.to_string()))?;
    let hidden: Vec<u8> = token.iter().zip(mask).map(|(byte, mask)| byte ^ mask).collect();
    Ok(format!("{}{}", hex::encode(mask), hex::encode(hidden)))
}

/// Is it the token that the session's forms carry?
///
/// # Errors
/// [`PageError::FormRefused`] if not.
pub fn check_form(session: &Session, masked: &str) -> Result<(), PageError> {
    let bytes = hex::decode(masked).map_err(|_| PageError::FormRefused)?;
    let (mask, hidden) = bytes.split_at_checked(16).ok_or(PageError::FormRefused)?;
    let token: Vec<u8> = hidden.iter().zip(mask).map(|(byte, mask)| byte ^ mask).collect();
    let same =
        hidden.len() == 16 && bool::from(session.form_token.as_bytes().ct_eq(hex::encode(token).as_bytes()));
    if same { Ok(()) } else { Err(PageError::FormRefused) }
}

/// The hash of the session that a request names, whether or not there is such a session.
#[must_use]
pub fn hash(app: &App, headers: &HeaderMap) -> Option<String> {
    cookies::read(headers, cookies::session_name(https(app))).map(token_hash)
}

/// Starts a session with a new id, ends the one that the browser had, and goes to `next`.
///
/// # Errors
/// The database's, or no randomness.
pub async fn start(
    app: &App,
    headers: &HeaderMap,
    login: Login,
    email: &str,
    next: &str,
) -> Result<Response, PageError> {
    let https = https(app);
    let (name, now) = (cookies::session_name(https), app.now());
    let token = hex::encode(random::<32>()?);
    let agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or("");
    let session = NewSession {
        workspace_id: login.workspace_id,
        session_hash: token_hash(&token),
        user_id: login.user_id,
        form_token: hex::encode(random::<16>()?),
        now,
        expires_at: now.saturating_add(WHOLE_MS),
        user_agent: agent.chars().take(200).collect(),
    };
    let before = cookies::read(headers, name).map(token_hash);
    app.db.write(Start { session, before }).await?;
    // By way of the log-in page, which says so if the browser does not send the cookie back.
    let mut response = Redirect::to(&entered(next)).into_response();
    let device = device_mark(app, email)?;
    let set = [
        cookies::private(name, &token, WHOLE_MS / 1000, https),
        cookies::private(cookies::device_name(https), &device, DEVICE_S, https),
    ];
    for cookie in set.into_iter().flatten() {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// Ends the session of a request and goes to the log-in.
///
/// # Errors
/// The database's.
pub async fn end(app: &App, headers: &HeaderMap) -> Result<Response, PageError> {
    let https = https(app);
    let name = cookies::session_name(https);
    if let Some(token) = cookies::read(headers, name) {
        app.db.write(End { session_hash: token_hash(token) }).await?;
    }
    let mut response = Redirect::to("/login").into_response();
    if let Some(cookie) = cookies::private(name, "", 0, https) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response.headers_mut().insert("clear-site-data", HeaderValue::from_static("\"cache\""));
    Ok(response)
}

/// Did this browser log in to the account before?
///
/// # Errors
/// Never in practice.
pub fn known_device(app: &App, headers: &HeaderMap, email: &str) -> Result<bool, PageError> {
    let Some(mark) = cookies::read(headers, cookies::device_name(https(app))) else { return Ok(false) };
    Ok(bool::from(device_mark(app, email)?.as_bytes().ct_eq(mark.as_bytes())))
}

/// A mark that only this server can make, good for one account.
fn device_mark(app: &App, email: &str) -> Result<String, PageError> {
    Ok(app.master().keyed_hash("login-device", email)?)
}

struct Find {
    session_hash: String,
}
impl Unit for Find {
    type Out = Option<Session>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        sessions::find(tx, &self.session_hash).await
    }
}

struct Touch {
    workspace_id: String,
    session_hash: String,
    now: i64,
}
impl Unit for Touch {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        sessions::touch(tx, &self.workspace_id, &self.session_hash, self.now).await
    }
}

struct Start {
    session: NewSession,
    before: Option<String>,
}
impl Unit for Start {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        if let Some(before) = &self.before
            && let Some(old) = sessions::find(tx, before).await?
        {
            sessions::delete(tx, &old.workspace_id, before).await?;
        }
        sessions::insert(tx, &self.session).await
    }
}

struct End {
    session_hash: String,
}
impl Unit for End {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        match sessions::find(tx, &self.session_hash).await? {
            Some(session) => sessions::delete(tx, &session.workspace_id, &self.session_hash).await,
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_token_is_never_written_twice_alike_and_still_known() {
        let session = Session {
            workspace_id: String::new(),
            workspace_name: String::new(),
            user_id: String::new(),
            email: String::new(),
            role: String::new(),
            form_token: hex::encode([7_u8; 16]),
            seen_at: 0,
            expires_at: 0,
        };
        let (one, two) = (masked_token(&session).unwrap(), masked_token(&session).unwrap());
        assert_ne!(one, two);
        check_form(&session, &one).unwrap();
        check_form(&session, &two).unwrap();
        for wrong in ["", "00", "zz", &one[..62], &format!("{one}00"), &"0".repeat(64), &session.form_token] {
            assert!(check_form(&session, wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn only_paths_of_this_server_are_followed() {
        for good in ["/", "/p/AB23CD45/events?outcome=parked", "/a//b"] {
            assert_eq!(own_path(good), good);
        }
        for bad in [
            "",
            "//evil.test",
            "/\\evil.test",
            "https://evil.test",
            "evil",
            "/a\nb",
            "/a b",
            "\u{2f}\u{2f}x",
            "/é",
        ] {
            assert_eq!(own_path(bad), "/", "{bad}");
        }
    }
}
