//! One event: what it said (masked), what became of it, and a button to run it again.

use crate::ui::badge::{Badge, Id};
use crate::ui::frame::Frame;
use askama::Template;

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "pages/event.html")]
pub struct EventPage {
    /// Around it.
    pub frame: Frame,
    /// Its id.
    pub id: Id,
    /// Stripe's type.
    pub kind: String,
    /// What became of it.
    pub badge: Badge,
    /// The same in words.
    pub words: String,
    /// Words and values about it; the values are markup that the page's own code made of escaped parts.
    pub about: Vec<(&'static str, String)>,
    /// The sales that it touched.
    pub changed: Vec<ChangedSale>,
    /// What is said where it changed nothing.
    pub nothing_changed: String,
    /// The payload as masked markup.
    pub payload: String,
    /// Where the button posts to.
    pub rerun_href: String,
}

/// A sale that the event touched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedSale {
    /// The page that explains it.
    pub href: String,
    /// "Sale in_… of $72.00".
    pub what: String,
    /// Where it stands.
    pub detail: String,
    /// The same as a badge.
    pub badge: Badge,
}
