//! Promotion codes of a partner: given and taken away. A code that is taken away keeps what it brought.

use super::partner::{api_place, find, with_codes};
use super::visit::{self, Visit};
use crate::App;
use crate::audit::{Note, note, user};
use crate::auth::login::Signed;
use crate::pipeline::codes::changed;
use crate::state::new_id;
use crate::ui::Tone;
use crate::ui::badge::Badge;
use crate::ui::controls::Field;
use crate::ui::text::encode;
use crate::ui::when::day;
use axum::Form;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use tributary_domain::ids::IdKind;
use tributary_store::pipeline::codes::{self, PartnerCode};
use tributary_store::pipeline::objects;
use tributary_store::{StoreError, Tx, Unit};

/// Codes of one partner at most.
const CODES_MAX: usize = 100;
/// Longest text of a code, as Stripe has it.
const CODE_MAX: usize = 500;

/// What is under the tab.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodesPanel {
    /// Where a further code is posted to.
    pub action: String,
    /// Its text, its id at Stripe.
    pub fields: [Field; 2],
    /// All codes.
    pub rows: Vec<CodeRow>,
}

/// One code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeRow {
    /// Its text, else its id.
    pub name: String,
    /// Its id at Stripe, where it has a text, too.
    pub promo_id: String,
    /// Since when, until when.
    pub since: String,
    /// Taken away.
    pub badge: Option<Badge>,
    /// Where taking it away is posted to; empty where it is gone.
    pub remove: String,
}

/// What is typed.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Typed {
    form_token: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    promo_id: String,
    #[serde(skip)]
    wrong: Option<(&'static str, String)>,
}

impl Typed {
    fn field(&self, name: &'static str, label: &'static str, value: &str, help: &'static str) -> Field {
        let wrong = self.wrong.as_ref().filter(|(field, _)| *field == name);
        Field {
            name,
            label,
            kind: "text",
            value: value.to_owned(),
            help,
            error: wrong.map(|(_, words)| words.clone()).unwrap_or_default(),
            autocomplete: "off",
            focus: wrong.is_some(),
            ..Field::default()
        }
    }

    fn fields(&self) -> [Field; 2] {
        let code = "What a buyer types: A to Z, 0 to 9 and “-”, the case does not matter.";
        let promo =
            "Begins with promo_. It may stand alone, or beside the text for codes that change their text.";
        [
            self.field("code", "Code", &self.code, code),
            self.field("promo_id", "Id at Stripe", &self.promo_id, promo),
        ]
    }

    /// The text in capital letters and the id.
    fn read(&self) -> Result<(String, String), (&'static str, String)> {
        let (code, promo_id) = (self.code.trim().to_uppercase(), self.promo_id.trim().to_owned());
        if code.is_empty() && promo_id.is_empty() {
            return Err(("code", "Type the code, or its id at Stripe.".to_owned()));
        }
        let plain = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '-';
        if !code.chars().all(plain) || code.len() > CODE_MAX {
            let words = "A code has letters A to Z, digits and “-” only, at most 500, as Stripe has it.";
            return Err(("code", words.to_owned()));
        }
        let rest = promo_id.strip_prefix("promo_");
        let named = |rest: &str| {
            !rest.is_empty()
                && rest.len() <= 240
                && rest.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        };
        if !promo_id.is_empty() && !rest.is_some_and(named) {
            let words = "The id of a promotion code begins with promo_ and goes on in letters and digits.";
            return Err(("promo_id", words.to_owned()));
        }
        Ok((code, promo_id))
    }
}

impl CodesPanel {
    /// The tab of a partner whose page is at `path`.
    pub(super) fn new(owned: &[PartnerCode], path: &str, typed: &Typed) -> Self {
        let row = |one: &PartnerCode| CodeRow {
            name: name_of(one).to_owned(),
            promo_id: if one.code.is_empty() { String::new() } else { one.promo_id.clone() },
            since: match (one.from_ms, one.until_ms) {
                (None, None) => "for all purchases".to_owned(),
                (Some(from), None) => format!("for purchases from {}", day(from)),
                (None, Some(until)) => format!("for purchases until {}", day(until)),
                (Some(from), Some(until)) => format!("for purchases from {} until {}", day(from), day(until)),
            },
            badge: one.until_ms.map(|_| Badge::with(Tone::Plain, "archive", "Taken away")),
            remove: match one.until_ms {
                None => format!("{path}/codes/{}/remove", encode(&one.code_id)),
                Some(_) => String::new(),
            },
        };
        Self {
            action: format!("{path}/codes"),
            fields: typed.fields(),
            rows: owned.iter().map(row).collect(),
        }
    }

    /// Shows what was typed and why it cannot be taken.
    pub(super) fn refuse(&mut self, typed: &Typed) {
        self.fields = typed.fields();
    }
}

/// `POST /p/{program}/partners/{partner}/codes`
pub async fn add(
    State(app): State<App>,
    visit: Visit,
    Path((program, partner)): Path<(String, String)>,
    Form(mut typed): Form<Typed>,
) -> Response {
    let result = async {
        visit.check_write(&typed.form_token)?;
        let place = (program.clone(), partner.clone());
        let (code, promo_id) = match typed.read() {
            Ok(read) => read,
            Err(wrong) => {
                typed.wrong = Some(wrong);
                return with_codes(&app, &visit, place, &typed).await;
            }
        };
        let workspace_id = visit.session.workspace_id.clone();
        let actor = user(&visit.session.email);
        let code_id = new_id(IdKind::Code)?;
        let give =
            Give { workspace_id, actor, place: place.clone(), code_id, code, promo_id, now: app.now() };
        match app.db.write(give).await? {
            Ok(()) => {
                app.wake.notify_one();
                Ok(back(&place))
            }
            Err(wrong) => {
                typed.wrong = Some(wrong);
                with_codes(&app, &visit, place, &typed).await
            }
        }
    };
    visit.answer(result.await)
}

/// `POST /p/{program}/partners/{partner}/codes/{code}/remove`: from now on; what it brought stays.
pub async fn remove(
    State(app): State<App>,
    visit: Visit,
    Path((program, partner, code_id)): Path<(String, String, String)>,
    Form(form): Form<Signed>,
) -> Response {
    let result = async {
        visit.check_write(form.token())?;
        let place = (program, partner);
        let workspace_id = visit.session.workspace_id.clone();
        let actor = user(&visit.session.email);
        app.db.write(Take { workspace_id, actor, place: place.clone(), code_id, now: app.now() }).await?;
        app.wake.notify_one();
        Ok(back(&place))
    };
    visit.answer(result.await)
}

fn back((program, partner): &(String, String)) -> Response {
    Redirect::to(&format!("/p/{}/partners/{}?tab=codes", encode(program), encode(partner))).into_response()
}

fn name_of(one: &PartnerCode) -> &str {
    if one.code.is_empty() { &one.promo_id } else { &one.code }
}

fn line(workspace_id: &str, one: &PartnerCode, actor: &str, (was, became): (String, String)) -> Note {
    Note {
        workspace_id: workspace_id.to_owned(),
        program_id: one.program_id.clone(),
        actor: actor.to_owned(),
        action: "code",
        subject: name_of(one).to_owned(),
        was,
        became,
        ..Note::default()
    }
}

struct Give {
    workspace_id: String,
    actor: String,
    place: (String, String),
    code_id: String,
    code: String,
    promo_id: String,
    now: i64,
}

impl Unit for Give {
    type Out = Result<(), (&'static str, String)>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let ws = &self.workspace_id;
        let frame = visit::load(tx, ws, &self.place.0).await?;
        let place = frame.place();
        // Before anything is asked: the worker may just read a purchase for which nobody has a code yet.
        objects::lock_program(tx, ws, &api_place(&place).program_id).await?;
        let partner = find(tx, &place, &self.place.1).await?;
        let owned = codes::of_partner(tx, ws, &partner.partner_id).await?;
        if owned.iter().filter(|one| one.until_ms.is_none()).count() >= CODES_MAX {
            let words = "A partner can have 100 codes. Take one away that is not used any more.";
            return Ok(Err(("code", words.to_owned())));
        }
        let program_id = api_place(&place).program_id;
        let first = !codes::any(tx, ws, &program_id).await?;
        let before = codes::owners(tx, ws, &program_id, &self.promo_id, &self.code).await?;
        if let Some(holder) = before.iter().find(|one| one.until_ms.is_none()) {
            let by_code = !self.code.is_empty() && holder.code == self.code;
            let field = if by_code { "code" } else { "promo_id" };
            let who =
                if holder.partner_id == partner.partner_id { "This partner" } else { "Another partner" };
            return Ok(Err((field, format!("{who} has it already. A code has one owner in a program."))));
        }
        let one = PartnerCode {
            code_id: self.code_id.clone(),
            program_id,
            partner_id: partner.partner_id,
            code: self.code.clone(),
            promo_id: self.promo_id.clone(),
            // Of a code that somebody had before, what was bought until then stays with that partner.
            from_ms: before.iter().filter_map(|one| one.until_ms).max(),
            until_ms: None,
            created_at: self.now,
        };
        codes::insert(tx, ws, &one).await?;
        let words = (String::new(), format!("given to {}", partner.key));
        note(tx, line(ws, &one, &self.actor, words), self.now).await?;
        changed(tx, ws, &one, first, self.now).await.map(Ok)
    }
}

struct Take {
    workspace_id: String,
    actor: String,
    place: (String, String),
    code_id: String,
    now: i64,
}

impl Unit for Take {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let ws = &self.workspace_id;
        let frame = visit::load(tx, ws, &self.place.0).await?;
        objects::lock_program(tx, ws, &api_place(&frame.place()).program_id).await?;
        let partner = find(tx, &frame.place(), &self.place.1).await?;
        let one = codes::find(tx, ws, &self.code_id).await?;
        let one = one
            .filter(|one| one.partner_id == partner.partner_id)
            .ok_or_else(|| StoreError::NotFound(format!("code {}", self.code_id)))?;
        if codes::end(tx, ws, &one.code_id, self.now).await? {
            let words = (format!("of {}", partner.key), "taken away".to_owned());
            note(tx, line(ws, &one, &self.actor, words), self.now).await?;
            changed(tx, ws, &one, false, self.now).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_letters_digits_and_hyphens_and_an_id_begins_as_stripes_do() {
        let typed = |code: &str, promo_id: &str| Typed {
            code: code.into(),
            promo_id: promo_id.into(),
            ..Typed::default()
        };
        assert_eq!(typed(" ada-20 ", "").read(), Ok(("ADA-20".into(), String::new())));
        assert_eq!(typed("", "promo_1Ab").read(), Ok((String::new(), "promo_1Ab".into())));
        for (code, promo_id, field) in [
            ("", " ", "code"),
            ("ada_20", "", "code"),
            ("ädä", "", "code"),
            ("a b", "", "code"),
            ("ADA", "di_1", "promo_id"),
            ("ADA", "promo_", "promo_id"),
            ("ADA", "promo_a b", "promo_id"),
        ] {
            assert_eq!(typed(code, promo_id).read().unwrap_err().0, field, "{code} {promo_id}");
        }
        assert_eq!(typed(&"A".repeat(501), "").read().unwrap_err().0, "code");
    }
}
