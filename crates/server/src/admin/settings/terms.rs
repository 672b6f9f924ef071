//! Settings → Terms: what is in force, a form for the next version, and all versions.

use super::program::Area;
use super::{Around, Asked, Load, back};
use crate::App;
use crate::admin::error::PageError;
use crate::admin::forms::{Posted, may_change};
use crate::admin::visit::Visit;
use crate::audit::{Note, note, user};
use crate::setup::base::BaseInput;
use crate::setup::reward::{TermsInput, sentences};
use crate::ui::Tone;
use crate::ui::badge::Badge;
use crate::ui::controls::Checkbox;
use crate::ui::frame::Frame;
use crate::ui::page::page;
use crate::ui::terms::TermsFields;
use crate::ui::when::{Instant, full};
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use tributary_domain::terms::{Terms, TermsVersion, in_force};
use tributary_store::pages::frame as stored;
use tributary_store::pipeline::{objects, scopes};
use tributary_store::{StoreError, Tx, Unit, workspaces};

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "settings/terms.html")]
pub struct TermsPage {
    frame: Frame,
    around: Around,
    current: String,
    fields: TermsFields,
    counts: [Checkbox; 4],
    products: Area,
    currency: String,
    versions: Vec<VersionLine>,
}

/// One version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionLine {
    number: u32,
    words: String,
    from: Option<Instant>,
    until: String,
    badge: Badge,
}

/// What the form sends.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sent {
    form_token: String,
    reward: String,
    value: String,
    span: String,
    #[serde(default)]
    count: String,
    hold_days: String,
    include_tax: Option<String>,
    include_shipping: Option<String>,
    exclude_fee: Option<String>,
    exclude_off_stripe: Option<String>,
    #[serde(default)]
    products: String,
    #[serde(default)]
    go: String,
}

/// `GET /p/{program}/settings/terms`
pub async fn get(
    State(app): State<App>,
    visit: Visit,
    Path(public_id): Path<String>,
    Query(asked): Query<Asked>,
) -> Response {
    let shown = async {
        let (loaded, versions) = app.db.read(LoadAll(Load::new(&visit, &public_id))).await?;
        let input = in_force(&versions, visit.now).map(|one| TermsInput::of(&one.terms)).unwrap_or_default();
        Ok(render(&visit, &loaded, &versions, &input, &asked.notice, StatusCode::OK))
    };
    visit.answer(shown.await)
}

fn render(
    visit: &Visit,
    loaded: &stored::Frame,
    versions: &[TermsVersion],
    input: &TermsInput,
    notice: &str,
    status: StatusCode,
) -> Response {
    let around = Around::new(visit, loaded, "settings/terms", notice);
    let now = in_force(versions, visit.now).map(|one| one.version);
    let line = |at: usize, one: &TermsVersion| {
        let next = versions.get(at + 1).and_then(|next| next.from_ms);
        VersionLine {
            number: one.version,
            words: sentences(&one.terms),
            from: one.from_ms.map(|at| Instant { at }),
            until: next.map(full).unwrap_or_default(),
            badge: if Some(one.version) == now {
                Badge::new(Tone::Good, "In force")
            } else {
                Badge::new(Tone::Plain, "Earlier")
            },
        }
    };
    let mut lines: Vec<_> = versions.iter().enumerate().map(|(at, one)| line(at, one)).collect();
    lines.reverse();
    let current = in_force(versions, visit.now).map(|one| sentences(&one.terms)).unwrap_or_default();
    let currency = loaded.shown.program.currency.clone();
    let fields = TermsFields::new(input, &currency);
    let (counts, products) = base_fields(input, &currency);
    let frame = around.frame.clone();
    page(status, &TermsPage { frame, around, current, fields, counts, products, currency, versions: lines })
}

/// What counts, and the products with rules of their own.
fn base_fields(input: &TermsInput, currency: &str) -> ([Checkbox; 4], Area) {
    let base = input.base.clone().unwrap_or_default();
    let tick = |name, label, value: &Option<String>| Checkbox { name, label, checked: value.is_some() };
    let wrong = input.read(currency, None).err().filter(|wrong| wrong.field == "products");
    let counts = [
        tick("include_tax", "Tax counts", &base.include_tax),
        tick("include_shipping", "Shipping counts", &base.include_shipping),
        tick("exclude_fee", "Leave out what Stripe keeps", &base.exclude_fee),
        tick("exclude_off_stripe", "Leave out what was paid outside of Stripe", &base.exclude_off_stripe),
    ];
    let products = Area {
        name: "products",
        label: "Products that earn something else",
        value: base.products,
        help: "One a line: the product's id at Stripe, then a share, an amount or “nothing”, such as prod_Nx12 10%.",
        error: wrong.map(|wrong| wrong.words).unwrap_or_default(),
    };
    (counts, products)
}

/// `POST /p/{program}/settings/terms`
pub async fn post(
    State(app): State<App>,
    visit: Visit,
    Path(public_id): Path<String>,
    Posted(sent): Posted<Sent>,
) -> Response {
    let result = save(&app, &visit, &public_id, sent).await;
    visit.answer(result)
}

async fn save(app: &App, visit: &Visit, public_id: &str, sent: Sent) -> Result<Response, PageError> {
    may_change(visit, &sent.form_token)?;
    let (loaded, versions) = app.db.read(LoadAll(Load::new(visit, public_id))).await?;
    let Sent { reward, value, span, count, hold_days, include_tax, include_shipping, .. } = sent;
    let Sent { exclude_fee, exclude_off_stripe, products, go, .. } = sent;
    let base = BaseInput { include_tax, include_shipping, exclude_fee, exclude_off_stripe, products };
    let input = TermsInput { reward, value, span, count, hold_days, base: Some(base) };
    let before = in_force(&versions, visit.now).map(|one| one.terms.clone());
    let read = input.read(&loaded.shown.program.currency, before.as_ref());
    let terms = match read {
        Ok(_) if go == "preview" => {
            return Ok(render(visit, &loaded, &versions, &input, "", StatusCode::OK));
        }
        Ok(terms) => terms,
        Err(_) => {
            return Ok(render(visit, &loaded, &versions, &input, "", StatusCode::UNPROCESSABLE_ENTITY));
        }
    };
    if before.as_ref() == Some(&terms) {
        return Ok(back(public_id, "settings/terms", "same"));
    }
    let actor = user(&visit.session.email);
    app.db.write(Add { load: Load::new(visit, public_id), actor, terms, now: app.now() }).await?;
    Ok(back(public_id, "settings/terms", "terms"))
}

struct LoadAll(Load);

impl Unit for LoadAll {
    type Out = (stored::Frame, Vec<TermsVersion>);
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let loaded = self.0.run(tx).await?;
        let program = &loaded.shown.program;
        let versions = workspaces::list_terms(tx, &program.workspace_id, &program.program_id).await?;
        Ok((loaded, versions))
    }
}

/// A version more; the ones before stay as they are.
struct Add {
    load: Load,
    actor: String,
    terms: Terms,
    now: i64,
}

impl Unit for Add {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let loaded = self.load.run(tx).await?;
        let program = &loaded.shown.program;
        let (ws, id) = (&program.workspace_id, &program.program_id);
        objects::lock_program(tx, ws, id).await?;
        let versions = workspaces::list_terms(tx, ws, id).await?;
        let last = versions.last().map_or(0, |one| one.version);
        let was = in_force(&versions, self.now).map(|one| sentences(&one.terms)).unwrap_or_default();
        let line = Note {
            workspace_id: ws.clone(),
            program_id: id.clone(),
            actor: self.actor.clone(),
            action: "terms",
            subject: format!("version {}", i64::from(last) + 1),
            was,
            became: sentences(&self.terms),
            ..Note::default()
        };
        note(tx, line, self.now).await?;
        let body = TermsInput::stored(&self.terms)?;
        workspaces::insert_terms(tx, ws, id, i64::from(last) + 1, Some(self.now), &body, self.now).await?;
        // A sale whose clock runs before ours may be of the new version's time already.
        scopes::raise_from(tx, ws, id, self.now).await
    }
}
