//! The same thing in several languages: one shown at a time, chosen by radio buttons, so that no script is needed.

use askama::Template;

/// One language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snippet {
    /// "Node.js"
    pub language: &'static str,
    /// The text.
    pub text: String,
}

/// Snippets with a choice between them. At most six.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "components/codes.html")]
pub struct Codes {
    /// The id on the page; unique.
    pub id: String,
    /// What they do, for the names of the parts.
    pub title: &'static str,
    /// The languages.
    pub snippets: Vec<Snippet>,
}
impl askama::filters::HtmlSafe for Codes {}
