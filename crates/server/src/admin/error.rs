//! The page that says what went wrong, what was kept, and what to do.

use crate::api::error::ApiError;
use crate::ui::frame::{Head, Theme};
use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use tributary_store::StoreError;

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "pages/error.html")]
pub struct ErrorPage {
    /// Title and theme.
    pub head: Head,
    /// The HTTP status as a number and word.
    pub code: String,
    /// What happened.
    pub title: &'static str,
    /// What was kept, and what to do.
    pub text: String,
    /// Words and address of what to do.
    pub actions: Vec<(&'static str, String)>,
    /// What finds the matter in the log; empty for none.
    pub reference: String,
}

/// A refusal that a page explains.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PageError {
    /// There is no such page, or it belongs to somebody else: both look the same.
    #[error("not found")]
    NotFound,
    /// The form did not come from our own page, or its token is old.
    #[error("the form was refused")]
    FormRefused,
    /// The role may not do this.
    #[error("not allowed")]
    NotAllowed,
    /// The database cannot be reached or takes no more work.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// A fault of ours; the text goes to the log, not to the page.
    #[error("internal: {0}")]
    Internal(String),
}

impl From<StoreError> for PageError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound(_) => Self::NotFound,
            error if error.is_unavailable() => Self::Unavailable(error.to_string()),
            error => Self::Internal(error.to_string()),
        }
    }
}

impl From<ApiError> for PageError {
    fn from(error: ApiError) -> Self {
        match error {
            ApiError::NotFound(_) => Self::NotFound,
            ApiError::Store(error) => error.into(),
            other => Self::Internal(format!("{other:?}")),
        }
    }
}

impl PageError {
    /// The HTTP status that goes with it.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::FormRefused | Self::NotAllowed => StatusCode::FORBIDDEN,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The page for it. `reference` finds the matter in the log.
    #[must_use]
    pub fn page(&self, theme: Theme, reference: &str) -> ErrorPage {
        let home = ("Go to the overview", "/".to_owned());
        let (title, text, actions) = match self {
            Self::NotFound => (
                "There is no page at this address",
                "It may have been typed wrongly, or belong to another workspace than the one you are logged \
                 in to.",
                vec![home],
            ),
            Self::FormRefused => (
                "The form was not accepted",
                "It did not come from a page of this server, or the page had been open too long. Nothing was \
                 changed. Go back, reload the page, and send it again.",
                vec![home],
            ),
            Self::NotAllowed => (
                "Your role does not allow this",
                "Nothing was changed. An owner or admin of the workspace can do it, or give you the role.",
                vec![home],
            ),
            Self::Unavailable(_) => (
                "The database does not answer",
                "Nothing was changed, and nothing that Stripe sent was lost: it will be sent again. Wait a \
                 minute and reload the page.",
                vec![("Try again", String::new())],
            ),
            Self::Internal(_) => (
                "This page could not be made",
                "The fault is in Tributary, not in what you did. Nothing was changed. The server's log holds \
                 the details.",
                vec![("Try again", String::new()), home],
            ),
        };
        let status = self.status();
        ErrorPage {
            head: Head { title: title.to_owned(), theme, here: "/".to_owned() },
            code: format!("{} {}", status.as_u16(), status.canonical_reason().unwrap_or("")),
            title,
            text: text.to_owned(),
            actions,
            reference: reference.to_owned(),
        }
    }

    /// The answer: the page with its status. What went wrong inside is logged.
    #[must_use]
    pub fn answer(&self, theme: Theme) -> Response {
        let reference = match self {
            Self::Internal(detail) | Self::Unavailable(detail) => {
                let reference = reference(detail);
                tracing::error!(%reference, %detail, "a page was answered with an error");
                reference
            }
            _ => String::new(),
        };
        crate::ui::page::page(self.status(), &self.page(theme, &reference))
    }
}

/// A short name for a fault: the same fault gets the same name, so that the log can be searched.
fn reference(detail: &str) -> String {
    use sha2::{Digest, Sha256};
    hex::encode(&Sha256::digest(detail.as_bytes())[..4])
}
