//! Settings: one tab, one file. Every change is a plain form that comes back with a notice.

pub mod attach;
pub mod audit;
pub mod connection;
pub mod history;
pub mod keys;
pub mod new_program;
pub mod oauth;
pub mod profile;
pub mod program;
pub mod secrets;
pub mod sessions;
pub mod stripe;
pub mod terms;
pub mod test_data;

use super::visit::{self, Visit};
use crate::ui::Tone;
use crate::ui::controls::Tabs;
use crate::ui::frame::{Frame, Section};
use crate::ui::lists::Bar;
use crate::ui::text::encode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use tributary_store::pages::frame as stored;
use tributary_store::{StoreError, Tx, Unit};

/// What an address of the settings says beside its path.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    /// Which notice is shown.
    #[serde(default)]
    pub notice: String,
    /// A secret that is shown once.
    #[serde(default)]
    pub shown: String,
    /// A connection in the making.
    #[serde(default)]
    pub check: String,
}

/// What every tab has: the frame, the tabs, and what just happened.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Around {
    /// Around the page.
    pub frame: Frame,
    /// The tabs.
    pub tabs: Tabs,
    /// What just happened.
    pub notice: Option<Bar>,
}

const TABS: [(&str, &str); 7] = [
    ("Program", "settings"),
    ("Terms", "settings/terms"),
    ("API keys", "settings/keys"),
    ("Stripe", "settings/stripe"),
    ("Audit log", "settings/audit"),
    ("Profile", "settings/profile"),
    ("Sessions", "settings/sessions"),
];

impl Around {
    /// The surroundings of a tab, named by its path.
    #[must_use]
    pub fn new(visit: &Visit, loaded: &stored::Frame, tab: &str, word: &str) -> Self {
        let frame = visit.frame(loaded, Section::Settings, "Settings");
        let tabs = TABS
            .iter()
            .map(|(words, path)| ((*words).to_owned(), frame.program.href(path), *path == tab))
            .collect();
        Self { tabs: Tabs { label: "Settings", tabs }, notice: notice(word), frame }
    }
}

/// A notice by its word; addresses carry words, never sentences.
#[must_use]
pub fn notice(word: &str) -> Option<Bar> {
    let (tone, text) = match word {
        "saved" => (Tone::Good, "Saved."),
        "same" => (Tone::Plain, "Nothing was changed: it is so already."),
        "terms" => {
            (Tone::Good, "Saved. The new terms hold for sales from now on; earlier sales keep theirs.")
        }
        "key-made" => (Tone::Good, "The key was made. It is shown this once."),
        "key-gone" => (
            Tone::Warn,
            "The key was made, but cannot be shown any more. Revoke it below and make another one.",
        ),
        "key-revoked" => (Tone::Good, "The key was revoked. Calls with it are refused from now on."),
        "password" => (
            Tone::Good,
            "The password was changed, and every other session was ended. You stay logged in here.",
        ),
        "session-ended" => (Tone::Good, "The session was ended."),
        "others-ended" => (Tone::Good, "All other sessions were ended."),
        "checked" => (Tone::Good, "Stripe was asked. What it said stands below."),
        "unreached" => (Tone::Warn, "Stripe could not be asked just now. Nothing was changed."),
        "disconnected" => (
            Tone::Good,
            "Disconnected. The webhook endpoint is gone at Stripe, nothing is polled any more, and history is kept.",
        ),
        "disconnected-plain" => {
            (Tone::Good, "Disconnected. Nothing is taken from this account any more, and history is kept.")
        }
        "disconnected-left" => (
            Tone::Warn,
            "Disconnected here, but Stripe did not remove the webhook endpoint. What it still sends is refused. Press \
             “Remove the endpoint” below, or delete it in Stripe under Developers, Webhooks.",
        ),
        "run-begun" => (Tone::Good, "Started. It goes on when you leave this page, and after a restart."),
        "run-under-way" => (Tone::Plain, "One is under way already; it is shown below."),
        "run-paused" => (Tone::Good, "Paused. What was read is kept."),
        "run-resumed" => (Tone::Good, "It goes on where it was."),
        "bad-client" => (
            Tone::Bad,
            "Nothing was changed. The client id begins with ca_ and stands on the page of your App in Stripe.",
        ),
        "bad-secret" => (
            Tone::Bad,
            "Nothing was changed. Codes are exchanged with the secret key (sk_test_ or sk_live_) of the account that owns the App or platform.",
        ),
        "bad-signing" => (Tone::Bad, "Nothing was changed. A signing secret begins with whsec_."),
        "oauth-removed" => {
            (Tone::Good, "Removed. Connections by it cannot be renewed until it is entered again.")
        }
        "attached" => (Tone::Good, "The connection feeds this program too, with what it brought before."),
        "detached" => (Tone::Good, "The connection does not feed this program any more. History is kept."),
        "detach-last" => (
            Tone::Warn,
            "Nothing was changed. This program receives the connection's events, or is its only one. Disconnect it instead.",
        ),
        "secret-added" => (Tone::Good, "Added. Events signed with it are taken from now on."),
        "roll-begun" => (
            Tone::Good,
            "A second endpoint is there, and both secrets are good. Finish the roll once the newest has verified an event.",
        ),
        "roll-done" => (Tone::Good, "Done. The first endpoint is gone; its secret ends in 24 hours."),
        "roll-waits" => (
            Tone::Warn,
            "No event has verified with the newest secret yet. Nothing was changed; try again after the next event.",
        ),
        "roll-refused" => (
            Tone::Warn,
            "Stripe did not do it, and the secret in use stays. Check the connection under Settings, Stripe.",
        ),
        "wiped" => (Tone::Good, "The test data is gone. Live data was not touched."),
        "disconnected-access" => (
            Tone::Warn,
            "Disconnected here, but it is not certain that Stripe ended the platform's access. Press Disconnect again, or remove the platform in Stripe.",
        ),
        "busy" => (Tone::Warn, super::setup::stripe::BUSY),
        _ => return None,
    };
    Some(Bar { tone, text: text.to_owned(), action: None })
}

/// Back to a tab with a notice.
fn back(public_id: &str, tab: &str, word: &str) -> Response {
    Redirect::to(&format!("/p/{}/{tab}?notice={word}", encode(public_id))).into_response()
}

/// The frame of a program, where a page needs nothing more.
struct Load {
    workspace_id: String,
    public_id: String,
}

impl Load {
    fn new(visit: &Visit, public_id: &str) -> Self {
        Self { workspace_id: visit.session.workspace_id.clone(), public_id: public_id.to_owned() }
    }
}

impl Unit for Load {
    type Out = stored::Frame;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<stored::Frame, StoreError> {
        visit::load(tx, &self.workspace_id, &self.public_id).await
    }
}
