//! Step 5: the first partner, whose link is tried at once.

use super::{Typed, address, facts, show};
use crate::App;
use crate::admin::error::PageError;
use crate::admin::forms::{Posted, may_change};
use crate::admin::visit::Visit;
use crate::api::error::ApiError;
use crate::api::partners::create;
use crate::ui::controls::Field;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use tributary_store::api::Place;

/// What the form sends.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartnerForm {
    form_token: String,
    program: String,
    name: String,
    email: String,
    /// What was wrong; never sent.
    #[serde(skip)]
    wrong: Vec<(String, String)>,
}

impl PartnerForm {
    /// The form's fields, filled in.
    pub(super) fn fields(&self) -> Vec<Field> {
        let error = |name: &str| {
            let found = self.wrong.iter().find(|(field, _)| field == name);
            found.map(|(_, words)| words.clone()).unwrap_or_default()
        };
        vec![
            Field {
                name: "name",
                label: "Name",
                kind: "text",
                value: self.name.clone(),
                error: error("name"),
                autocomplete: "off",
                ..Field::default()
            },
            Field {
                name: "email",
                label: "E-mail",
                kind: "email",
                value: self.email.clone(),
                help: "Nothing is sent. Your own address will do for a try.",
                error: error("email"),
                autocomplete: "off",
                required: true,
                ..Field::default()
            },
        ]
    }
}

/// `POST /setup/partner`
pub async fn post(State(app): State<App>, visit: Visit, Posted(form): Posted<PartnerForm>) -> Response {
    let result = make(&app, &visit, form).await;
    visit.answer(result)
}

async fn make(app: &App, visit: &Visit, mut form: PartnerForm) -> Result<Response, PageError> {
    may_change(visit, &form.form_token)?;
    let facts = facts(app, visit, &form.program).await?.ok_or(PageError::NotFound)?;
    let program = &facts.shown.program;
    let (first, last) = split(&form.name);
    let fields =
        serde_json::json!({ "email": form.email.trim().to_lowercase(), "name": first, "surname": last });
    let place = Place {
        workspace_id: program.workspace_id.clone(),
        program_id: program.program_id.clone(),
        mode: facts.shown.mode.clone(),
    };
    match create::for_page(app, place, program.website.clone(), &fields).await {
        Ok(()) => Ok(Redirect::to(&address(&program.public_id, "", "link")).into_response()),
        Err(ApiError::Invalid(problems)) => {
            form.wrong = problems
                .into_iter()
                .map(|(field, words)| {
                    // The key is made of the address, so that its trouble is the address's.
                    let field = if field == "name" || field == "surname" { "name" } else { "email" };
                    (field.to_owned(), words.join(" "))
                })
                .collect();
            let public_id = program.public_id.clone();
            let typed = Typed { partner: Some(form), ..Typed::default() };
            show(app, visit, &public_id, typed, StatusCode::UNPROCESSABLE_ENTITY).await
        }
        Err(ApiError::Store(error)) => Err(error.into()),
        Err(error) => Err(PageError::Internal(format!("{error:?}"))),
    }
}

/// The last word is the surname, where there are several.
fn split(name: &str) -> (String, String) {
    let name = name.trim();
    match name.rsplit_once(char::is_whitespace) {
        Some((first, last)) => (first.trim().to_owned(), last.to_owned()),
        None => (name.to_owned(), String::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn a_name_is_split_before_its_last_word() {
        let pair = |first: &str, last: &str| (first.to_owned(), last.to_owned());
        assert_eq!(split(" Ada Maria Lovelace "), pair("Ada Maria", "Lovelace"));
        assert_eq!(split("Ada"), pair("Ada", ""));
        assert_eq!(split(""), pair("", ""));
    }
}
