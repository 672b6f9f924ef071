//! `POST /v1/partners`

use super::change::PartnerInput;
use super::view::{self, Found, PartnerDetail};
use crate::api::auth::Caller;
use crate::api::error::{ApiError, Problems, Refusal};
use crate::api::fields::Fields;
use crate::api::input::Body;
use crate::api::pipeline;
use crate::api::wire::{Data, one};
use crate::api::work::{self, Work};
use crate::state::{App, new_id};
use axum::http::StatusCode;
use axum::response::Response;
use sha2::{Digest, Sha256};
use tributary_domain::ids::IdKind;
use tributary_store::Tx;
use tributary_store::api::partners::{self, Link, Partner};
use tributary_store::api::{By, Place};

struct Create {
    place: Place,
    website: String,
    input: PartnerInput,
    email: String,
    partner_id: String,
    link_id: String,
    now: i64,
}

impl Work for Create {
    type Out = Found;
    async fn go(&self, tx: &mut Tx<'_>) -> Result<Found, ApiError> {
        pipeline::lock(tx, &self.place).await?;
        let key = self.free_key(tx).await?;
        self.check(tx, &key).await?;
        let input = &self.input;
        let partner = Partner {
            partner_id: self.partner_id.clone(),
            external_id: input.id.clone().unwrap_or_else(|| self.partner_id.clone()),
            key: key.clone(),
            email: self.email.clone(),
            name: input.name.clone().unwrap_or_default(),
            surname: input.surname.clone().unwrap_or_default(),
            status: input.wanted_status().unwrap_or("active").to_owned(),
            tags: input.tags.clone().unwrap_or_default(),
            created_at: self.now,
            updated_at: self.now,
            deleted_at: None,
        };
        partners::insert(tx, &self.place, &partner).await?;
        let link = Link {
            link_id: self.link_id.clone(),
            key,
            destination: self.website.clone(),
            is_default: true,
            created_at: self.now,
        };
        partners::insert_link(tx, &self.place, &partner.partner_id, &link).await?;
        pipeline::partner_changed(tx, &self.place.workspace_id, &partner.partner_id, self.now).await?;
        Ok(view::read(tx, &self.place, partner).await?)
    }
}

impl Create {
    /// The key that was given, or one made of the e-mail address, lengthened while it is taken.
    async fn free_key(&self, tx: &mut Tx<'_>) -> Result<String, ApiError> {
        if let Some(key) = &self.input.key {
            return Ok(key.clone());
        }
        for length in (8..=32).step_by(4) {
            let key = default_key(&self.email, length);
            if !partners::is_taken(tx, &self.place, By::Key, &key).await? {
                return Ok(key);
            }
        }
        Err(ApiError::field("key", "No free key can be made of this e-mail address; give one as “key”."))
    }

    async fn check(&self, tx: &mut Tx<'_>, key: &str) -> Result<(), ApiError> {
        let id = self.input.id.as_deref().unwrap_or(&self.partner_id);
        let wanted = [("email", By::Email, self.email.as_str()), ("id", By::Id, id), ("key", By::Key, key)];
        let mut problems = Problems::new();
        for (field, by, value) in wanted {
            if partners::is_taken(tx, &self.place, by, value).await? {
                problems.insert(field.into(), vec![format!("The {field} has already been taken.")]);
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(ApiError::Invalid(problems)) }
    }
}

/// A key of an e-mail address (lower case): capitals and digits without those that look alike, at most 32.
fn default_key(email: &str, length: usize) -> String {
    const LETTERS: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    let hash = Sha256::digest(email.as_bytes());
    hash.iter().take(length).map(|byte| char::from(LETTERS[usize::from(byte & 31)])).collect()
}

fn read(body: &[u8]) -> Result<(PartnerInput, String), ApiError> {
    let fields = Fields::read(body)?;
    let input = PartnerInput::read(&fields);
    fields.required("email", 255);
    fields.finish()?;
    let email = input.email.clone().unwrap_or_default();
    Ok((input, email))
}

/// Makes a partner for a page, by the API's own rules; the fields are those of the API.
///
/// # Errors
/// [`ApiError::Invalid`] with a sentence for each field that is wrong or taken.
pub(crate) async fn for_page(
    app: &App,
    place: Place,
    website: String,
    fields: &serde_json::Value,
) -> Result<(), ApiError> {
    of_body(app, &place, &website, fields.to_string().as_bytes(), app.now()).await.map(drop)
}

/// Creates a partner of the fields of a JSON body: what the endpoint and the merchant's page share.
///
/// # Errors
/// [`ApiError::Invalid`] with every field that is wrong or taken.
pub(crate) async fn of_body(
    app: &App,
    place: &Place,
    website: &str,
    body: &[u8],
    now: i64,
) -> Result<Found, ApiError> {
    let (input, email) = read(body)?;
    let work = Create {
        place: place.clone(),
        website: website.to_owned(),
        input,
        email,
        partner_id: new_id(IdKind::Partner)?,
        link_id: new_id(IdKind::Link)?,
        now,
    };
    work::write(app, work).await
}

/// Creates a partner. Without a key, one is made of the e-mail address.
#[utoipa::path(post, path = "/v1/partners", tag = "Partners", operation_id = "create_partner",
    request_body = PartnerInput,
    responses((status = 201, body = Data<PartnerDetail>), (status = 401, body = Refusal),
        (status = 422, body = Refusal, description = "A field is wrong, or e-mail, id or key is taken.")),
    security(("api_key" = [])))]
pub async fn create(caller: Caller, Body(body): Body) -> Result<Response, ApiError> {
    let found = of_body(&caller.app, &caller.place, &caller.program.website, &body, caller.now).await?;
    Ok(one(StatusCode::CREATED, view::detail(&caller, &found)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_default_key_is_the_same_each_time_and_grows_from_the_same_start() {
        let key = default_key("maya@example.com", 8);
        assert_eq!(key.len(), 8);
        assert_eq!(key, default_key("maya@example.com", 8));
        assert!(default_key("maya@example.com", 12).starts_with(&key));
        assert_ne!(key, default_key("theo@example.com", 8));
    }

    #[test]
    fn an_address_is_required() {
        for body in ["{}", r#"{"email":""}"#, r#"{"email":null}"#, r#"{"email":"x"}"#] {
            match read(body.as_bytes()) {
                Err(ApiError::Invalid(problems)) => assert!(problems.contains_key("email"), "{body}"),
                other => panic!("{body}: {other:?}"),
            }
        }
    }
}
