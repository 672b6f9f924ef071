//! Lists: pages without end and the same page again are found out, and every walk is bounded.

use super::send::Params;
use super::{ApiError, Reply, StripeClient};
use crate::event::Envelope;
use crate::json::{self, Said};
use crate::views::Page;
use bytes::Bytes;
use serde_json::value::RawValue;
use std::collections::HashSet;

/// The most pages of one list that are read in one go.
pub const MAX_PAGES: usize = 100;

/// Which events to list.
#[derive(Debug, Clone, Copy, Default)]
pub struct EventsQuery<'q> {
    /// At most 20 event types; none = all.
    pub types: &'q [&'q str],
    /// Only events made at or after this time (Unix seconds).
    pub created_gte_s: Option<i64>,
    /// Only events made at or before this time (Unix seconds).
    pub created_lte_s: Option<i64>,
    /// Only those older than this event.
    pub starting_after: Option<&'q str>,
    /// Only those newer than this event.
    pub ending_before: Option<&'q str>,
    /// Only events that did (or did not) reach all endpoints.
    pub delivery_success: Option<bool>,
    /// Events a page, 1 to 100; 0 counts as 100.
    pub limit: u8,
}

/// One event of a page, as its bytes came.
#[derive(Debug, Clone)]
pub struct RawEvent {
    /// What it says about itself.
    pub envelope: Envelope,
    /// The event's own JSON, not written anew.
    pub raw: Bytes,
}

/// One page of events, newest first.
#[derive(Debug, Clone)]
pub struct EventsPage {
    /// The events.
    pub events: Vec<RawEvent>,
    /// Are there further pages?
    pub has_more: bool,
    /// Items that are not events, each with its reason.
    pub unreadable: Vec<String>,
}

impl StripeClient {
    /// One page of events (Stripe keeps 30 days).
    ///
    /// # Errors
    /// An [`ApiError`].
    pub async fn events(&self, query: &EventsQuery<'_>) -> Result<EventsPage, ApiError> {
        let reply = self.get("/v1/events", query.params()).await?;
        let (items, has_more) = items_of("/v1/events", &reply)?;
        let mut page = EventsPage { events: Vec::new(), has_more, unreadable: Vec::new() };
        for raw in items {
            match Envelope::parse(&raw) {
                Ok(envelope) => page.events.push(RawEvent { envelope, raw }),
                Err(error) => page.unreadable.push(error.to_string()),
            }
        }
        Ok(page)
    }

    /// All pages of a list, each as it came; the last one says that there are no more.
    pub(super) async fn pages(&self, path: &str, params: Params) -> Result<Vec<Bytes>, ApiError> {
        let mut guard = Guard::new(path, MAX_PAGES);
        let mut pages = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let mut params = params.clone();
            params.push(("limit".to_owned(), "100".to_owned()));
            params.extend(after.take().map(|id| ("starting_after".to_owned(), id)));
            let reply = self.get(path, params).await?;
            let (items, has_more) = items_of(path, &reply)?;
            let last = items.last().and_then(|item| id_of(item));
            pages.push(reply.body);
            if !has_more {
                return Ok(pages);
            }
            after = Some(guard.next(last)?);
        }
    }
}

impl EventsQuery<'_> {
    fn params(&self) -> Params {
        let limit = if self.limit == 0 { 100 } else { self.limit.min(100) };
        let mut params = vec![("limit".to_owned(), limit.to_string())];
        let mut add = |name: &str, value: Option<String>| {
            params.extend(value.map(|value| (name.to_owned(), value)));
        };
        add("created[gte]", self.created_gte_s.map(|s| s.to_string()));
        add("created[lte]", self.created_lte_s.map(|s| s.to_string()));
        add("starting_after", self.starting_after.map(str::to_owned));
        add("ending_before", self.ending_before.map(str::to_owned));
        add("delivery_success", self.delivery_success.map(|flag| flag.to_string()));
        let types = self.types.iter().enumerate();
        params.extend(types.map(|(at, name)| (format!("types[{at}]"), (*name).to_owned())));
        params
    }
}

/// A walk over events from the newest to the oldest, page by page.
#[derive(Debug)]
pub struct EventWalk {
    guard: Guard,
    after: Option<String>,
    done: bool,
}

impl EventWalk {
    /// Begins a walk of at most `max_pages` pages, after the event `after` if one is given (to go on with a
    /// walk that was broken off).
    #[must_use]
    pub fn new(max_pages: usize, after: Option<String>) -> Self {
        Self { guard: Guard::new("/v1/events", max_pages), after, done: false }
    }

    /// The next page; `None` at the end. `query`'s cursors are the walk's own business.
    ///
    /// # Errors
    /// An [`ApiError`]; [`ApiError::EndlessList`] if Stripe repeats a page or the walk is too long.
    pub async fn next(
        &mut self,
        client: &StripeClient,
        query: &EventsQuery<'_>,
    ) -> Result<Option<EventsPage>, ApiError> {
        if self.done {
            return Ok(None);
        }
        let query = EventsQuery { starting_after: self.after.as_deref(), ending_before: None, ..*query };
        let page = client.events(&query).await?;
        self.done = !page.has_more;
        if page.has_more {
            let last = page.events.last().map(|event| event.envelope.id.clone());
            self.after = Some(self.guard.next(last)?);
        }
        Ok(Some(page))
    }

    /// The cursor: where a later walk goes on.
    #[must_use]
    pub fn cursor(&self) -> Option<&str> {
        self.after.as_deref()
    }
}

/// Finds out lists that never end.
#[derive(Debug)]
struct Guard {
    path: String,
    max_pages: usize,
    seen: HashSet<String>,
    page: usize,
}

impl Guard {
    fn new(path: &str, max_pages: usize) -> Self {
        Self { path: path.to_owned(), max_pages, seen: HashSet::new(), page: 1 }
    }

    /// Checks the last id of a page that says it is not the last, and gives it back as the cursor.
    fn next(&mut self, last: Option<String>) -> Result<String, ApiError> {
        let page = self.page;
        self.page = self.page.saturating_add(1);
        let endless = |reason| ApiError::EndlessList { path: self.path.clone(), page, reason };
        let Some(last) = last else {
            return Err(endless("the page is empty, but says that there is more"));
        };
        if page >= self.max_pages {
            return Err(endless("it has more pages than are read in one go"));
        }
        if !self.seen.insert(last.clone()) {
            return Err(endless("the same page came again"));
        }
        Ok(last)
    }
}

/// The items of a page without copying, and whether there are more pages.
pub(crate) fn items_of(path: &str, reply: &Reply) -> Result<(Vec<Bytes>, bool), ApiError> {
    let odd = |reason: &str| ApiError::Unexpected { path: path.to_owned(), reason: reason.to_owned() };
    let raw: &RawValue = serde_json::from_slice(&reply.body).map_err(|_| odd("it is not JSON"))?;
    let mut data = None;
    let mut notes = json::Notes::default();
    json::entries(raw, &mut |key, value| {
        if key == b"data" {
            data = Some(value);
        }
    });
    let mut items = Vec::new();
    let data = data.ok_or_else(|| odd("there is no data array"))?;
    if !json::elements(data, &mut |item| items.push(reply.body.slice_ref(item.get().as_bytes()))) {
        return Err(odd("data is not an array"));
    }
    let page = <Page<'_> as json::Read<'_>>::read(raw, &mut notes);
    Ok((items, page.is_some_and(|page| page.has_more == Said::Is(true))))
}

pub(super) fn id_of(item: &[u8]) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Id {
        id: String,
    }
    serde_json::from_slice::<Id>(item).ok().map(|item| item.id)
}
