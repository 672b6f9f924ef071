//! What forms bring: read strictly, refused with a page.

use super::error::PageError;
use super::visit::Visit;
use crate::App;
use crate::auth::theme;
use axum::extract::{FromRequest, Request};
use axum::response::Response;
use axum::{Form, RequestExt};
use serde::de::DeserializeOwned;

/// A form with exactly the fields of `T`. Anything else is answered by the page that says so.
#[derive(Debug)]
pub struct Posted<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest<App> for Posted<T> {
    type Rejection = Response;
    async fn from_request(request: Request, _app: &App) -> Result<Self, Response> {
        let theme = theme::of(request.headers());
        match request.extract::<Form<T>, _>().await {
            Ok(Form(form)) => Ok(Self(form)),
            Err(_) => Err(PageError::FormRefused.answer(theme)),
        }
    }
}

/// May the person change things, and did one of our pages send the form?
///
/// # Errors
/// [`PageError::FormRefused`] or [`PageError::NotAllowed`].
pub fn may_change(visit: &Visit, form_token: &str) -> Result<(), PageError> {
    crate::auth::session::check_form(&visit.session, form_token)?;
    if visit.session.role == "analyst" { Err(PageError::NotAllowed) } else { Ok(()) }
}
