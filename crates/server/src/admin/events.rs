//! The inbox: every event that Stripe reported, one line each, live.

use crate::ui::badge::{Badge, Id};
use crate::ui::frame::Frame;
use crate::ui::lists::{Chips, Empty, Pager};
use crate::ui::when::Ago;
use askama::Template;

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "pages/events.html")]
pub struct EventsPage {
    /// Around it.
    pub frame: Frame,
    /// The filters by outcome.
    pub filters: Chips,
    /// The events, newest first.
    pub rows: Vec<EventRow>,
    /// In place of rows, if there are none.
    pub empty: Option<Empty>,
    /// The pages around this one.
    pub pager: Pager,
    /// Is it the first page, which renews itself?
    pub live: bool,
    /// Where it renews itself from.
    pub live_href: String,
}

/// The part of the page that renews itself.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "pages/events_list.html")]
pub struct EventsList {
    /// The events, newest first.
    pub rows: Vec<EventRow>,
    /// In place of rows, if there are none.
    pub empty: Option<Empty>,
    /// The pages around this one.
    pub pager: Pager,
    /// Is it the first page, which renews itself?
    pub live: bool,
    /// Where it renews itself from.
    pub live_href: String,
}

impl From<EventsPage> for EventsList {
    fn from(page: EventsPage) -> Self {
        let EventsPage { rows, empty, pager, live, live_href, .. } = page;
        Self { rows, empty, pager, live, live_href }
    }
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRow {
    /// What tells this line from all others.
    pub key: String,
    /// The page about it.
    pub href: String,
    /// When it arrived.
    pub at: Ago,
    /// Stripe's type.
    pub kind: String,
    /// The object it is about.
    pub object: Id,
    /// What became of it.
    pub badge: Badge,
    /// The same in words, with what it changed.
    pub words: String,
}
