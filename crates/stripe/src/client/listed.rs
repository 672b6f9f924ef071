//! Whole lists of an account, one page a call: what an import and a reconciliation read.

use super::list::{id_of, items_of};
use super::{ApiError, Reply, StripeClient};
use crate::lists::List;

/// Which page of which list.
#[derive(Debug, Clone, Copy)]
pub struct ListQuery<'q> {
    /// The list.
    pub list: List,
    /// Only objects made at or after this time (Unix seconds).
    pub created_gte_s: Option<i64>,
    /// Only objects made before this time (Unix seconds).
    pub created_lt_s: Option<i64>,
    /// Only those older than this object.
    pub starting_after: Option<&'q str>,
}

/// One page, newest first, as it came.
#[derive(Debug, Clone)]
pub struct ListPage {
    /// The answer.
    pub reply: Reply,
    /// The ids of its objects, in their order.
    pub ids: Vec<String>,
    /// Objects on it, those without an id too.
    pub count: usize,
    /// Are there further pages?
    pub has_more: bool,
}

impl ListPage {
    /// Where the next page begins; `None` on the last one.
    ///
    /// # Errors
    /// [`ApiError::EndlessList`] if the page says that there is more, but cannot be followed by another one: it is
    /// empty, or it is the same page again. `page` is its number, for the words.
    pub fn next(&self, query: &ListQuery<'_>, page: usize) -> Result<Option<String>, ApiError> {
        if !self.has_more {
            return Ok(None);
        }
        let path = query.list.path().to_owned();
        let Some(last) = self.ids.last() else {
            let reason = "the page is empty, but says that there is more";
            return Err(ApiError::EndlessList { path, page, reason });
        };
        if query.starting_after.is_some_and(|after| self.ids.iter().any(|id| id == after)) {
            return Err(ApiError::EndlessList { path, page, reason: "the same page came again" });
        }
        Ok(Some(last.clone()))
    }
}

impl StripeClient {
    /// One page of a list: up to 100 objects.
    ///
    /// # Errors
    /// An [`ApiError`]; [`ApiError::Forbidden`] where the key may not read the list.
    pub async fn list_page(&self, query: &ListQuery<'_>) -> Result<ListPage, ApiError> {
        let mut params = vec![("limit".to_owned(), "100".to_owned())];
        let mut add = |name: &str, value: Option<String>| {
            params.extend(value.map(|value| (name.to_owned(), value)));
        };
        add("created[gte]", query.created_gte_s.map(|s| s.to_string()));
        add("created[lt]", query.created_lt_s.map(|s| s.to_string()));
        add("starting_after", query.starting_after.map(str::to_owned));
        add("status", query.list.status().map(str::to_owned));
        let path = query.list.path();
        let plain = params.clone();
        if query.list == List::Invoices {
            params.push(("expand[0]".to_owned(), "data.amount_paid_off_stripe".to_owned()));
        }
        let reply = match self.get(path, params).await {
            // An older API does not know the field, and refuses to expand it.
            Err(ApiError::Invalid { status: 400, .. }) if query.list == List::Invoices => {
                self.get(path, plain).await?
            }
            answer => answer?,
        };
        let (items, has_more) = items_of(path, &reply)?;
        let ids = items.iter().filter_map(|item| id_of(item)).collect();
        Ok(ListPage { ids, count: items.len(), has_more, reply })
    }
}
