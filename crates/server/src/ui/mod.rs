//! What all pages share: the frame around them and the components inside them.
//!
//! A component is a struct with one template in `templates/components/`; `{{ component }}` in a page writes
//! its HTML. Components that wrap other markup are macros in the same folder.

pub mod badge;
pub mod chart;
pub mod codes;
pub mod controls;
pub mod figures;
pub mod frame;
#[cfg(test)]
pub mod gallery;
pub mod json;
pub mod lists;
pub mod money;
pub mod page;
pub mod proof;
pub mod stripe;
pub mod terms;
pub mod text;
pub mod when;

use askama::Template;

/// Where an embedded browser file is served.
#[must_use]
pub fn asset(name: &str) -> &'static str {
    crate::assets::url(name)
}

/// A Lucide icon of 16 px by its name; decorative, hidden from assistive technology.
#[derive(Debug, Clone, Copy, Template)]
#[template(path = "components/icon.html")]
pub struct Icon {
    /// The icon's name in `web/icons.txt`.
    pub name: &'static str,
}
impl askama::filters::HtmlSafe for Icon {}

/// A Lucide icon by its name.
#[must_use]
pub const fn icon(name: &'static str) -> Icon {
    Icon { name }
}

/// How something stands, where colour helps to see it. A word and an icon always go with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tone {
    /// Nothing special.
    #[default]
    Plain,
    /// As it should be.
    Good,
    /// Somebody should look.
    Warn,
    /// Wrong.
    Bad,
    /// Belongs to the matter at hand.
    Accent,
}

impl Tone {
    /// The class that carries the colour.
    #[must_use]
    pub const fn class(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Good => "good",
            Self::Warn => "warn",
            Self::Bad => "bad",
            Self::Accent => "accent",
        }
    }
}
