//! Step 2: the program, with its terms as a live sentence.

use super::{Typed, address, show};
use crate::App;
use crate::admin::error::PageError;
use crate::admin::forms::{Posted, may_change};
use crate::admin::visit::Visit;
use crate::setup::checks;
use crate::setup::make::{self, ProgramInput, Refused};
use crate::setup::reward::{TermsInput, known};
use crate::ui::controls::{Checkbox, Field, Select};
use crate::ui::terms::TermsFields;
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

/// Currencies that are offered first.
const USUAL: [&str; 12] =
    ["usd", "eur", "gbp", "cad", "aud", "chf", "sek", "nok", "dkk", "pln", "jpy", "inr"];

/// What the form sends.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProgramForm {
    form_token: String,
    name: String,
    website: String,
    currency: String,
    kind: String,
    #[serde(default)]
    match_email: Option<String>,
    reward: String,
    value: String,
    span: String,
    #[serde(default)]
    count: String,
    hold_days: String,
    /// `preview` shows the sentence and changes nothing.
    #[serde(default)]
    go: String,
    /// What was wrong; never sent.
    #[serde(skip)]
    wrong: Option<(&'static str, String)>,
}

impl Default for ProgramForm {
    fn default() -> Self {
        let TermsInput { reward, value, span, count, hold_days, .. } = TermsInput::default();
        Self {
            form_token: String::new(),
            name: String::new(),
            website: String::new(),
            currency: "usd".to_owned(),
            kind: "affiliate".to_owned(),
            match_email: Some("true".to_owned()),
            reward,
            value,
            span,
            count,
            hold_days,
            go: String::new(),
            wrong: None,
        }
    }
}

/// The fields as a component.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "components/program_fields.html")]
pub struct ProgramFields {
    name: Field,
    website: Field,
    currency: Select,
    kind: Select,
    match_email: Checkbox,
    terms: TermsFields,
    /// What is wrong with a choice from a list; empty for nothing.
    problem: String,
}
impl askama::filters::HtmlSafe for ProgramFields {}

impl ProgramForm {
    /// The token that came with it.
    pub(crate) fn token(&self) -> &str {
        &self.form_token
    }

    /// Was only the sentence asked for?
    pub(crate) fn is_preview(&self) -> bool {
        self.go == "preview"
    }

    /// The same with what was wrong.
    pub(crate) fn with(mut self, wrong: (&'static str, String)) -> Self {
        self.wrong = Some(wrong);
        self
    }

    fn terms(&self) -> TermsInput {
        TermsInput {
            reward: self.reward.clone(),
            value: self.value.clone(),
            span: self.span.clone(),
            count: self.count.clone(),
            hold_days: self.hold_days.clone(),
            base: None,
        }
    }

    /// The form's fields, filled in.
    pub(crate) fn fields(&self) -> ProgramFields {
        let error = |name| {
            let found = self.wrong.as_ref().filter(|(field, _)| *field == name);
            found.map(|(_, words)| words.clone()).unwrap_or_default()
        };
        let mut currencies: Vec<_> =
            USUAL.iter().map(|code| ((*code).to_owned(), code.to_uppercase())).collect();
        let rest = crate::api::currencies::all().filter(|code| !USUAL.contains(code));
        currencies.extend(rest.map(|code| (code.to_owned(), code.to_uppercase())));
        ProgramFields {
            name: Field {
                name: "name",
                label: "Name",
                kind: "text",
                value: self.name.clone(),
                help: "Partners see it, such as “Acme partners”.",
                error: error("name"),
                autocomplete: "off",
                required: true,
                ..Field::default()
            },
            website: Field {
                name: "website",
                label: "Website",
                kind: "text",
                value: self.website.clone(),
                help: "Where referral links lead, such as acme.com.",
                error: error("website"),
                autocomplete: "url",
                required: true,
                ..Field::default()
            },
            currency: Select {
                name: "currency",
                label: "Currency",
                options: currencies,
                value: self.currency.clone(),
                help: "For fixed rewards and reports. Sales keep their own.",
            },
            kind: Select {
                name: "kind",
                label: "Who refers",
                options: vec![
                    ("affiliate".to_owned(), "Partners (affiliate)".to_owned()),
                    ("refer_a_friend".to_owned(), "Customers (refer-a-friend)".to_owned()),
                ],
                value: self.kind.clone(),
                help: "It cannot be changed later.",
            },
            match_email: Checkbox {
                name: "match_email",
                label: "Recognise customers by e-mail address too",
                checked: self.match_email.is_some(),
            },
            terms: TermsFields::new(&self.terms(), &self.currency),
            problem: [error("kind"), error("currency")].concat(),
        }
    }

    /// Reads everything.
    ///
    /// # Errors
    /// The first field that is wrong, with a sentence.
    pub(crate) fn read(&self) -> Result<ProgramInput, (&'static str, String)> {
        let at = |field| move |words| (field, words);
        let kind = match self.kind.as_str() {
            "affiliate" => "affiliate",
            "refer_a_friend" => "refer_a_friend",
            _ => return Err(("kind", "Choose who refers.".to_owned())),
        };
        Ok(ProgramInput {
            name: checks::name(&self.name).map_err(at("name"))?,
            website: checks::website(&self.website).map_err(at("website"))?,
            currency: known(&self.currency).map_err(at("currency"))?,
            kind,
            match_email: self.match_email.is_some(),
            terms: self.terms().read(&self.currency, None).map_err(|wrong| (wrong.field, wrong.words))?,
        })
    }
}

/// `POST /setup/program`
pub async fn post(State(app): State<App>, visit: Visit, Posted(form): Posted<ProgramForm>) -> Response {
    let result = make_program(&app, &visit, form).await;
    visit.answer(result)
}

async fn make_program(app: &App, visit: &Visit, form: ProgramForm) -> Result<Response, PageError> {
    may_change(visit, form.token())?;
    let typed = |form| Typed { program: Some(form), ..Typed::default() };
    if form.is_preview() {
        return show(app, visit, "", typed(form), StatusCode::OK).await;
    }
    match create(app, visit, &form).await? {
        Ok(public_id) => Ok(Redirect::to(&address(&public_id, "", "stripe")).into_response()),
        Err(wrong) => show(app, visit, "", typed(form.with(wrong)), StatusCode::UNPROCESSABLE_ENTITY).await,
    }
}

/// Makes the program; the answer is its public id, or the field that is wrong.
///
/// # Errors
/// The database's.
pub(crate) async fn create(
    app: &App,
    visit: &Visit,
    form: &ProgramForm,
) -> Result<Result<String, (&'static str, String)>, PageError> {
    let input = match form.read() {
        Ok(input) => input,
        Err(wrong) => return Ok(Err(wrong)),
    };
    match make::new_program(app, &visit.session.workspace_id, &input).await {
        Ok(program) => Ok(Ok(program.public_id)),
        Err(Refused::Taken(words)) => Ok(Err(("name", crate::ui::text::sentence_case(&format!("{words}."))))),
        Err(Refused::Store(error)) => Err(error.into()),
        Err(Refused::Password(error)) => Err(PageError::Internal(error.to_string())),
    }
}
