//! Small marks: a badge, a status with its reason, the initials of a person, an id that can be copied.

use super::{Icon, Tone};
use askama::Template;

/// A word with an icon on a soft ground.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "components/badge.html")]
pub struct Badge {
    /// The word.
    pub text: String,
    /// Its colour.
    pub tone: Tone,
    /// The icon that says the same as the colour.
    pub icon: &'static str,
}
impl askama::filters::HtmlSafe for Badge {}

impl Badge {
    /// A badge with the icon that belongs to its tone.
    #[must_use]
    pub fn new(tone: Tone, text: impl Into<String>) -> Self {
        let icon = match tone {
            Tone::Good => "check",
            Tone::Warn => "triangle-alert",
            Tone::Bad => "circle-x",
            Tone::Plain => "circle-minus",
            Tone::Accent => "info",
        };
        Self { text: text.into(), tone, icon }
    }

    /// A badge with an icon of its own.
    #[must_use]
    pub fn with(tone: Tone, icon: &'static str, text: impl Into<String>) -> Self {
        Self { text: text.into(), tone, icon }
    }

    fn mark(&self) -> Icon {
        super::icon(self.icon)
    }
}

/// A badge and, beside it, why.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "components/status.html")]
pub struct Status {
    /// How it stands.
    pub badge: Badge,
    /// Why, in a few words.
    pub reason: String,
}
impl askama::filters::HtmlSafe for Status {}

/// The initials of a person or company in a circle; decorative, the name stands beside it.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "components/avatar.html")]
pub struct Avatar {
    /// Whose.
    pub name: String,
    /// 30 px in place of 22.
    pub large: bool,
}
impl askama::filters::HtmlSafe for Avatar {}

impl Avatar {
    /// A small circle for a name.
    #[must_use]
    pub fn of(name: &str) -> Self {
        Self { name: name.to_owned(), large: false }
    }

    /// Up to two capitals.
    #[must_use]
    pub fn initials(&self) -> String {
        initials(&self.name)
    }
}

/// Up to two capitals: of the first and the last word, or the first letter of an address.
#[must_use]
pub fn initials(name: &str) -> String {
    let local = name.split('@').next().unwrap_or(name);
    let mut words =
        local.split(|letter: char| !letter.is_alphanumeric()).filter_map(|word| word.chars().next());
    let (first, last) = (words.next(), words.next_back());
    first.into_iter().chain(last).flat_map(char::to_uppercase).take(2).collect()
}

/// An identifier in code letters with a copy button that shows on hover and focus.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "components/id.html")]
pub struct Id {
    /// The identifier.
    pub text: String,
    /// What it names, for the button's label: "invoice".
    pub what: String,
}
impl askama::filters::HtmlSafe for Id {}

impl Id {
    /// An identifier of something.
    #[must_use]
    pub fn new(what: impl Into<String>, text: impl Into<String>) -> Self {
        Self { text: text.into(), what: what.into() }
    }
    /// The same without the button, for lists.
    #[must_use]
    pub const fn plain(&self) -> PlainId<'_> {
        PlainId { id: self }
    }
    /// Start and end of a long identifier; short ones whole.
    #[must_use]
    pub fn short(&self) -> String {
        super::text::shorten_id(&self.text)
    }
}

/// An identifier in code letters, without a button.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Template)]
#[template(path = "components/plain_id.html")]
pub struct PlainId<'a> {
    id: &'a Id,
}
impl askama::filters::HtmlSafe for PlainId<'_> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initials_are_two_letters_at_most() {
        for (name, letters) in [
            ("Maya Lindqvist", "ML"),
            ("jo@acme.test", "J"),
            ("ana maria de sá", "AS"),
            ("", ""),
            ("ß", "SS"),
        ] {
            assert_eq!(initials(name), letters, "{name}");
        }
    }

    #[test]
    fn hostile_text_is_escaped() {
        let html = Badge::new(Tone::Bad, "<script>").to_string() + &Id::new("x\"y", "<b>").to_string();
        assert!(!html.contains("<script>") && !html.contains("<b>") && !html.contains("x\"y"), "{html}");
    }
}
