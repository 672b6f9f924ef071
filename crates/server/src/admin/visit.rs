//! A request of somebody who is logged in, and the frame that every page of a program has.

use super::error::PageError;
use crate::App;
use crate::audit::{self, Note};
use crate::auth::{session, theme};
use crate::ui::Tone;
use crate::ui::frame::{Frame, Head, ProgramCard, Section, Theme};
use crate::ui::lists::Bar;
use crate::ui::text::encode;
use crate::ui::when::day;
use axum::extract::{FromRequestParts, OriginalUri};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use tributary_store::pages::frame::{self as stored, Shown};
use tributary_store::pages::sessions::Session;
use tributary_store::{StoreError, Tx};

/// A sale that waits longer for Stripe than this raises an alarm, ms.
const LATE_MS: i64 = 86_400_000;

/// Who asks, when, and how the page is to look.
#[derive(Debug, Clone)]
pub struct Visit {
    /// Who is logged in.
    pub session: Session,
    /// The theme to paint in.
    pub theme: Theme,
    /// Path and query of the request.
    pub here: String,
    /// Now, ms UTC: one reading for the whole page.
    pub now: i64,
    /// What this page's forms carry.
    pub form_token: String,
    /// Does a part of a page renew itself?
    pub partial: bool,
    /// Does the public address make the session readable by others on the network?
    pub exposed: bool,
}

impl FromRequestParts<App> for Visit {
    type Rejection = Response;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let theme = theme::of(&parts.headers);
        let here = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |original| &original.0);
        let here = here.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        let partial = parts.headers.contains_key("hx-request");
        match session::of(app, &parts.headers).await {
            Ok(Some(session)) => {
                let exposed = is_exposed(&app.settings.public_url);
                let form_token = session::masked_token(&session).map_err(|error| error.answer(theme))?;
                Ok(Self { session, theme, here, now: app.now(), form_token, partial, exposed })
            }
            Ok(None) => Err(to_login(&parts.method, &here, partial)),
            Err(error) => Err(error.answer(theme)),
        }
    }
}

/// Goes to the log-in and, for a page that was only looked at, back again.
fn to_login(method: &Method, here: &str, partial: bool) -> Response {
    let address = if method.is_safe() && here != "/" {
        format!("/login?next={}", encode(here))
    } else {
        "/login".to_owned()
    };
    if partial {
        let mut headers = HeaderMap::new();
        if let Ok(value) = HeaderValue::from_str("/login") {
            headers.insert("hx-redirect", value);
        }
        return (StatusCode::UNAUTHORIZED, headers).into_response();
    }
    Redirect::to(&address).into_response()
}

/// Plain http to a name that is not this machine.
#[must_use]
pub fn is_exposed(public_url: &url::Url) -> bool {
    let loopback = match public_url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    };
    public_url.scheme() != "https" && !loopback
}

/// Loads the frame of a program, inside the page's own unit of work.
///
/// # Errors
/// [`StoreError::NotFound`] if the workspace has no such program.
pub async fn load(tx: &mut Tx<'_>, workspace_id: &str, public_id: &str) -> Result<stored::Frame, StoreError> {
    let frame = stored::load(tx, workspace_id, public_id).await?;
    frame.ok_or_else(|| StoreError::NotFound(format!("program {public_id}")))
}

impl Visit {
    /// A line of the audit log about what the visitor does; `program_id` is empty for what holds for all programs.
    #[must_use]
    pub fn note(
        &self,
        program_id: &str,
        action: &'static str,
        subject: impl Into<String>,
        became: impl Into<String>,
    ) -> Note {
        Note {
            workspace_id: self.session.workspace_id.clone(),
            program_id: program_id.to_owned(),
            actor: audit::user(&self.session.email),
            action,
            subject: subject.into(),
            became: became.into(),
            ..Note::default()
        }
    }

    /// The frame of a page.
    #[must_use]
    pub fn frame(&self, loaded: &stored::Frame, section: Section, title: &str) -> Frame {
        let program = card(&loaded.shown);
        let bars = self.bars(loaded, &program);
        Frame {
            head: Head { title: title.to_owned(), theme: self.theme, here: self.here.clone() },
            section,
            program,
            programs: loaded.programs.iter().map(card).collect(),
            workspace: self.session.workspace_name.clone(),
            user: self.session.email.clone(),
            form_token: self.form_token.clone(),
            bars,
            parked: loaded.parked,
            search: String::new(),
        }
    }

    /// May this user change anything?
    #[must_use]
    pub fn may_write(&self) -> bool {
        self.session.role != "analyst"
    }

    /// Lets a form through: its token is the session's, and the role may change things.
    ///
    /// # Errors
    /// [`PageError::FormRefused`] or [`PageError::NotAllowed`].
    pub fn check_write(&self, form_token: &str) -> Result<(), PageError> {
        session::check_form(&self.session, form_token)?;
        if self.may_write() { Ok(()) } else { Err(PageError::NotAllowed) }
    }

    /// The answer to a page's request: the page, or the page that says what went wrong.
    #[must_use]
    pub fn answer(&self, result: Result<Response, PageError>) -> Response {
        result.unwrap_or_else(|error| error.answer(self.theme))
    }

    /// What needs the owner, the gravest first.
    fn bars(&self, loaded: &stored::Frame, program: &ProgramCard) -> Vec<Bar> {
        let bar = |tone, text: String| Bar { tone, text, action: None };
        let mut bars = Vec::new();
        let alive: Vec<_> = loaded.connections.iter().filter(|line| line.status != "disconnected").collect();
        if alive.is_empty() {
            let text = "Stripe is not connected, so no payment arrives.".to_owned();
            let action = Some(("Connect Stripe".to_owned(), program.href("integration/stripe")));
            bars.push(Bar { tone: Tone::Warn, text, action });
        }
        for line in alive {
            if line.status == "broken" {
                bars.push(bar(
                    Tone::Bad,
                    format!("Stripe ({}) does not answer as it should: {}", line.account, line.reason),
                ));
            }
            let warnings = crate::connect::warnings::shown(&line.warnings);
            bars.extend(warnings.into_iter().take(3).map(|text| bar(Tone::Warn, text)));
            let history = program.href(&format!("settings/stripe/{}/history", encode(&line.connection_id)));
            if let Some(gap) = line.gap_from {
                let text = format!(
                    "Stripe keeps events for 30 days, and the pause since {} was longer. Import the history of {}.",
                    day(gap),
                    line.account
                );
                let action = Some(("Import the history".to_owned(), history));
                bars.push(Bar { tone: Tone::Bad, text, action });
            }
            let late =
                line.awaiting.iter().filter(|since| self.now.saturating_sub(**since) > LATE_MS).count();
            if late > 0 {
                let some = if late == 1 { "1 sale waits".to_owned() } else { format!("{late} sales wait") };
                let text = format!(
                    "{some} for an answer of Stripe for more than a day, and earns nothing meanwhile."
                );
                let action = Some(("Look at them".to_owned(), program.href("transactions?state=waiting")));
                bars.push(Bar { tone: Tone::Bad, text, action });
            }
        }
        if loaded.parked > 0 {
            let text = match loaded.parked {
                1 => "1 event is parked. It could not be worked through and waits for you.".to_owned(),
                1000.. => {
                    "More than 1,000 events are parked. They could not be worked through and wait for you."
                        .to_owned()
                }
                some => {
                    format!("{some} events are parked. They could not be worked through and wait for you.")
                }
            };
            let action = Some(("Look at them".to_owned(), program.href("events?outcome=parked")));
            bars.push(Bar { tone: Tone::Warn, text, action });
        }
        if self.exposed {
            let text = "This address is plain http, so others on the network can read your session. Set \
                        TRIBUTARY_PUBLIC_URL to an https address.";
            bars.push(bar(Tone::Warn, text.to_owned()));
        }
        bars
    }
}

/// A program as the frame shows it.
#[must_use]
pub fn card(shown: &Shown) -> ProgramCard {
    ProgramCard {
        public_id: shown.program.public_id.clone(),
        name: shown.program.name.clone(),
        kind: shown.program.kind.clone(),
        currency: shown.program.currency.clone(),
        live: shown.mode == "live",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_http_beyond_this_machine_is_exposed() {
        for (address, exposed) in [
            ("https://acme.test", false),
            ("http://127.0.0.1:8787", false),
            ("http://localhost:8787", false),
            ("http://[::1]:8787", false),
            ("http://192.168.1.5:8787", true),
            ("http://acme.test", true),
        ] {
            assert_eq!(is_exposed(&address.parse().unwrap()), exposed, "{address}");
        }
    }
}
