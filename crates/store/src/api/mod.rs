//! What the REST API reads and writes, one file per table group.

pub mod customers;
pub mod keys;
pub mod partners;
pub mod transactions;

use crate::StoreError;

/// Where an API call works: one program in one mode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The workspace.
    pub workspace_id: String,
    /// The program.
    pub program_id: String,
    /// `test` or `live`.
    pub mode: String,
}

/// A page of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// Rows on a page, from 1. One row more is read, so that the caller knows whether a next page exists.
    pub limit: i64,
    /// Rows before the page.
    pub offset: i64,
    /// Newest first?
    pub newest_first: bool,
}

impl Page {
    /// How many rows are read.
    const fn wanted(&self) -> i64 {
        self.limit.saturating_add(1)
    }
}

/// By what a partner or a customer is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// The merchant's id (or ours).
    Id,
    /// The public key.
    Key,
    /// The e-mail address, lower case.
    Email,
}

/// Tags as they are kept: a JSON array of texts.
pub(crate) fn tags_text(tags: &[String]) -> Result<String, StoreError> {
    serde_json::to_string(tags).map_err(|e| StoreError::Invalid(e.to_string()))
}

pub(crate) fn tags_of(text: &str) -> Result<Vec<String>, StoreError> {
    serde_json::from_str(text).map_err(|e| StoreError::Inconsistent(format!("tags: {e}")))
}
