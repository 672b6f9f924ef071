//! The log-in page.

use crate::ui::Tone;
use crate::ui::controls::Field;
use crate::ui::frame::Head;
use crate::ui::lists::Bar;
use askama::Template;

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "pages/login.html")]
pub struct LoginPage {
    /// Title and theme.
    pub head: Head,
    /// The e-mail field.
    pub email: Field,
    /// The password field.
    pub password: Field,
    /// Where to go after it: a path of this server.
    pub next: String,
    /// What was wrong; empty for nothing.
    pub problem: String,
    /// Is the public URL plain http, so that the cookie cannot be protected?
    pub insecure: bool,
}

impl LoginPage {
    /// The page with an address filled in and, after a refusal, what was wrong.
    #[must_use]
    pub fn new(head: Head, email: &str, next: &str, problem: &str, insecure: bool) -> Self {
        Self {
            head,
            email: Field {
                name: "email",
                label: "E-mail",
                kind: "email",
                value: email.to_owned(),
                autocomplete: "username",
                required: true,
                focus: email.is_empty(),
                ..Field::default()
            },
            password: Field {
                name: "password",
                label: "Password",
                kind: "password",
                autocomplete: "current-password",
                required: true,
                focus: !email.is_empty(),
                ..Field::default()
            },
            next: next.to_owned(),
            problem: problem.to_owned(),
            insecure,
        }
    }

    fn insecure_bar(&self) -> Bar {
        Bar {
            tone: Tone::Warn,
            text: "This address is plain http, so others on the network can read the session. Set \
                   TRIBUTARY_PUBLIC_URL to an https address before real use."
                .to_owned(),
            action: None,
        }
    }
}
