//! A check that turns green on evidence alone.

use super::Icon;
use super::when::Ago;
use askama::Template;

/// What is to be proven, and the proof if there is one.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "components/proof.html")]
pub struct Proof {
    /// "The script was seen", or "The script was not seen yet".
    pub title: String,
    /// Where, or what to do; empty for nothing.
    pub detail: String,
    /// When it was seen; `None` as long as it was not.
    pub seen: Option<Ago>,
    /// Words and address of what to do next; none where nothing is to be done.
    pub action: Option<(String, String)>,
}
impl askama::filters::HtmlSafe for Proof {}

impl Proof {
    fn mark(&self) -> Icon {
        super::icon(if self.seen.is_some() { "circle-check" } else { "circle-dashed" })
    }

    /// Is it proven?
    #[must_use]
    pub const fn is_proven(&self) -> bool {
        self.seen.is_some()
    }
}

/// A page's address without its scheme, at most 80 letters: "acme.com/pricing".
#[must_use]
pub fn place(url: &str) -> String {
    let bare = url.split_once("://").map_or(url, |(_, rest)| rest);
    let bare = bare.split(['?', '#']).next().unwrap_or(bare).trim_end_matches('/');
    let mut short: String = bare.chars().take(80).collect();
    if short.len() < bare.len() {
        short.push('…');
    }
    short
}
