//! `PUT /v1/partners/{id}` and the older `PUT /v1/partners {key|email|id, update{}}`

use super::change::PartnerInput;
use super::target::{Target, unnamed};
use super::view::{self, Found, PartnerDetail};
use crate::api::auth::Caller;
use crate::api::error::{ApiError, Problems, Refusal};
use crate::api::fields::Fields;
use crate::api::input::{Body, Id};
use crate::api::pipeline;
use crate::api::wire::{Data, one};
use crate::api::work::{self, Work};
use crate::state::{App, new_id};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use tributary_domain::ids::IdKind;
use tributary_store::api::partners::{self, Link, Partner};
use tributary_store::api::{By, Place};
use tributary_store::{Tx, links};
use utoipa::ToSchema;

/// The older form: which partner, and what changes.
#[derive(Debug, Deserialize, ToSchema)]
pub struct PartnerUpdate {
    /// The partner's id.
    pub id: Option<String>,
    /// Or its key.
    pub key: Option<String>,
    /// Or its e-mail address.
    pub email: Option<String>,
    /// What changes.
    pub update: PartnerInput,
}

struct Update {
    place: Place,
    website: String,
    target: Target,
    input: PartnerInput,
    link_id: String,
    now: i64,
}

impl Work for Update {
    type Out = Found;
    async fn go(&self, tx: &mut Tx<'_>) -> Result<Found, ApiError> {
        pipeline::lock(tx, &self.place).await?;
        let before = self.target.get(tx, &self.place).await?;
        let after = self.changed(&before);
        self.check(tx, &before, &after).await?;
        partners::update(tx, &self.place, &before, &after).await?;
        if before.key != after.key {
            self.renew_link(tx, &after).await?;
        }
        if before.key != after.key || before.status != after.status {
            pipeline::partner_changed(tx, &self.place.workspace_id, &after.partner_id, self.now).await?;
        }
        Ok(view::read(tx, &self.place, after).await?)
    }
}

impl Update {
    fn changed(&self, before: &Partner) -> Partner {
        let input = self.input.clone();
        Partner {
            key: input.key.clone().unwrap_or_else(|| before.key.clone()),
            status: input.wanted_status().unwrap_or(&before.status).to_owned(),
            email: input.email.unwrap_or_else(|| before.email.clone()),
            name: input.name.unwrap_or_else(|| before.name.clone()),
            surname: input.surname.unwrap_or_else(|| before.surname.clone()),
            tags: input.tags.unwrap_or_else(|| before.tags.clone()),
            updated_at: self.now.max(before.updated_at),
            ..before.clone()
        }
    }

    async fn check(&self, tx: &mut Tx<'_>, before: &Partner, after: &Partner) -> Result<(), ApiError> {
        let mut problems = Problems::new();
        if self.input.id.as_ref().is_some_and(|id| *id != before.external_id) {
            problems.insert("id".into(), vec!["The id of a partner cannot be changed.".into()]);
        }
        for (field, by, old, new) in
            [("email", By::Email, &before.email, &after.email), ("key", By::Key, &before.key, &after.key)]
        {
            if old != new && partners::is_taken(tx, &self.place, by, new).await? {
                problems.insert(field.into(), vec![format!("The {field} has already been taken.")]);
            }
        }
        let new_key = before.key != after.key && !problems.contains_key("key");
        if new_key && !links::has_room(tx, &self.place.workspace_id, &after.partner_id).await? {
            let most = links::PER_PARTNER;
            let words = format!("A new key makes a new link, and a partner has at most {most} links.");
            problems.insert("key".into(), vec![words]);
        }
        if problems.is_empty() { Ok(()) } else { Err(ApiError::Invalid(problems)) }
    }

    async fn renew_link(&self, tx: &mut Tx<'_>, after: &Partner) -> Result<(), ApiError> {
        partners::retire_default_links(tx, &self.place.workspace_id, &after.partner_id).await?;
        let link = Link {
            link_id: self.link_id.clone(),
            key: after.key.clone(),
            destination: self.website.clone(),
            is_default: true,
            created_at: self.now,
        };
        Ok(partners::insert_link(tx, &self.place, &after.partner_id, &link).await?)
    }
}

/// Changes a partner by the fields of a JSON body: what the endpoint and the merchant's page share.
///
/// # Errors
/// [`ApiError::Invalid`] with every field that is wrong or taken, [`ApiError::NotFound`].
pub(crate) async fn of_body(
    app: &App,
    place: &Place,
    website: &str,
    target: Target,
    body: &[u8],
    now: i64,
) -> Result<Found, ApiError> {
    apply(app, place, website, target, read(body)?, now).await
}

async fn apply(
    app: &App,
    place: &Place,
    website: &str,
    target: Target,
    input: PartnerInput,
    now: i64,
) -> Result<Found, ApiError> {
    let work = Update {
        place: place.clone(),
        website: website.to_owned(),
        target,
        input,
        link_id: new_id(IdKind::Link)?,
        now,
    };
    work::write(app, work).await
}

async fn answer(caller: &Caller, target: Target, input: PartnerInput) -> Result<Response, ApiError> {
    let (place, website) = (&caller.place, &caller.program.website);
    let found = apply(&caller.app, place, website, target, input, caller.now).await?;
    Ok(one(StatusCode::OK, view::detail(caller, &found)?))
}

/// The fields as they are, or under `update`.
fn read(body: &[u8]) -> Result<PartnerInput, ApiError> {
    let fields = Fields::read(body)?;
    let input = match fields.object("update") {
        Some(update) => {
            fields.ignore(&["id", "key", "email"]);
            let input = PartnerInput::read(&update);
            update.close();
            input
        }
        None => PartnerInput::read(&fields),
    };
    fields.finish()?;
    Ok(input)
}

fn read_older(body: &[u8]) -> Result<(Target, PartnerInput), ApiError> {
    let fields = Fields::read(body)?;
    let target = Target::of_fields(&fields);
    let update = fields.object("update");
    let input = update.as_ref().map(PartnerInput::read).unwrap_or_default();
    match &update {
        Some(update) => update.close(),
        None => fields.wrong("update", "The update is required: an object with what changes."),
    }
    fields.finish()?;
    Ok((target.ok_or_else(unnamed)?, input))
}

/// Changes a partner. A new key leaves the old link working.
#[utoipa::path(put, path = "/v1/partners/{id}", tag = "Partners", operation_id = "update_partner",
    params(("id" = String, Path, description = "Id, key or e-mail address")), request_body = PartnerInput,
    responses((status = 200, body = Data<PartnerDetail>), (status = 401, body = Refusal),
        (status = 404, body = Refusal), (status = 422, body = Refusal)),
    security(("api_key" = [])))]
pub async fn update(caller: Caller, Id(id): Id, Body(body): Body) -> Result<Response, ApiError> {
    let input = read(&body)?;
    answer(&caller, Target::Path(id), input).await
}

/// Changes a partner that the body names. Kept for older clients.
#[utoipa::path(put, path = "/v1/partners", tag = "Partners", operation_id = "update_partner_by",
    request_body = PartnerUpdate,
    responses((status = 200, body = Data<PartnerDetail>), (status = 401, body = Refusal),
        (status = 404, body = Refusal), (status = 422, body = Refusal)),
    security(("api_key" = [])))]
pub async fn update_by(caller: Caller, Body(body): Body) -> Result<Response, ApiError> {
    let (target, input) = read_older(&body)?;
    answer(&caller, target, input).await
}
