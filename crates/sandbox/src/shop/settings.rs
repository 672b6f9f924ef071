//! What the shop's owner sets: the snippet for the head, and how sign-ups reach Tributary.

use serde::Deserialize;
use serde_json::{Value, json};

use super::head::Head;
use crate::shared::Shared;

/// The settings.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// The snippet for the head of every page.
    pub head: Head,
    /// True if the shop's server tells Tributary of a sign-up; else the page in the browser does.
    pub by_server: bool,
    /// Tributary's address, for the shop's server: `http://127.0.0.1:8787`.
    pub api: String,
    /// A key of the program's REST API.
    pub api_key: String,
}

/// A change; what is absent stays.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Change {
    /// The snippet, as pasted.
    pub head: Option<String>,
    /// Only the script's address, in place of a snippet.
    pub script: Option<String>,
    /// `browser` or `server`.
    pub signup: Option<String>,
    /// Tributary's address.
    pub api: Option<String>,
    /// A key; an empty one changes nothing.
    pub api_key: Option<String>,
}

impl Change {
    /// The settings after the change.
    ///
    /// # Errors
    /// The field and a sentence about it.
    pub fn apply(&self, old: &Settings, shared: &Shared) -> Result<Settings, (&'static str, String)> {
        let mut new = old.clone();
        let snippet = match (&self.head, &self.script) {
            (Some(head), _) => Some(head.clone()),
            (None, Some(src)) => Some(format!(
                "<script async src=\"{}\"></script>",
                src.replace('"', "%22").replace('<', "%3C")
            )),
            (None, None) => None,
        };
        if let Some(snippet) = snippet {
            new.head = Head::read(&snippet).map_err(|why| ("head", why))?;
        }
        match self.signup.as_deref() {
            Some("server") => new.by_server = true,
            Some("browser") => new.by_server = false,
            Some(_) => {
                return Err(("signup", "Sign-ups are told by the browser or by the server.".to_owned()));
            }
            None => {}
        }
        if let Some(api) = &self.api {
            api.trim().trim_end_matches('/').clone_into(&mut new.api);
            if !new.api.is_empty() && !shared.reaches(&new.api) {
                let why =
                    "The demo shop calls this machine only. Give an address such as http://127.0.0.1:8787.";
                return Err(("api", why.to_owned()));
            }
        }
        if let Some(key) = self.api_key.as_deref().map(str::trim).filter(|k| !k.is_empty()) {
            if !key.bytes().all(|b| b.is_ascii_graphic()) {
                return Err(("api_key", "A key has no spaces in it.".to_owned()));
            }
            key.clone_into(&mut new.api_key);
        }
        if new.by_server && (new.api.is_empty() || new.api_key.is_empty()) {
            let why = "To tell Tributary by the server, give its address and an API key.";
            return Err((if new.api.is_empty() { "api" } else { "api_key" }, why.to_owned()));
        }
        Ok(new)
    }
}

impl Settings {
    /// As the control route shows them; a key is not shown.
    pub fn shown(&self) -> Value {
        json!({
            "head": self.head.html,
            "signup": if self.by_server { "server" } else { "browser" },
            "api": self.api,
            "api_key_set": !self.api_key.is_empty(),
        })
    }
}
