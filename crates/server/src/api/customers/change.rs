//! What a caller may say about a customer.

use crate::api::error::ApiError;
use crate::api::fields::{Fields, is_email};
use crate::api::partners::target::Target as PartnerTarget;
use crate::state::email_hash;
use serde::Deserialize;
use tributary_store::StoreError;
use tributary_store::vault::Key;
use utoipa::ToSchema;

/// Which partner: by one of its names.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
pub struct PartnerName {
    /// Its id.
    pub id: Option<String>,
    /// Its key.
    pub key: Option<String>,
    /// Its e-mail address.
    pub email: Option<String>,
}

impl PartnerName {
    /// Reads a field that names a partner. `None` if it is not there.
    pub fn read(fields: &Fields<'_>, field: &'static str) -> Option<PartnerTarget> {
        let object = fields.object(field)?;
        let target = PartnerTarget::of_fields(&object);
        object.close();
        if target.is_none() {
            fields.wrong(field, format!("The {field} is named by id, key or email."));
        }
        target
    }
}

/// What a caller says about a customer. To create one, `key` and `partner` are required.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
pub struct CustomerInput {
    /// The merchant's key: a user id or an e-mail address, at most 64 characters (255 for an e-mail address).
    pub key: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// First name, at most 100 characters.
    pub name: Option<String>,
    /// Last name, at most 100 characters.
    pub surname: Option<String>,
    /// Tags: texts, or objects `{"value": …}`.
    pub tags: Option<Vec<String>>,
    /// The partner who brought the customer.
    pub partner: Option<PartnerName>,
}

/// The same, read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CustomerChange {
    pub(crate) key: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) surname: Option<String>,
    pub(crate) tags: Option<Vec<String>>,
    pub(crate) partner: Option<PartnerTarget>,
}

impl CustomerChange {
    /// Reads the fields; mistakes stay with `fields`.
    pub fn read(fields: &Fields<'_>) -> Self {
        Self {
            key: key(fields),
            email: fields.email("email").filter(|email| !email.is_empty()),
            name: fields.text("name", 100),
            surname: fields.text("surname", 100),
            tags: fields.list("tags", 255),
            partner: PartnerName::read(fields, "partner"),
        }
    }
}

/// An e-mail address may be a key, and may be longer than other keys.
fn key(fields: &Fields<'_>) -> Option<String> {
    let key = fields.text("key", 255).filter(|key| !key.is_empty())?;
    if key.chars().count() > 64 && !is_email(&key) {
        fields.wrong("key", "The key must not be longer than 64 characters.");
        return None;
    }
    Some(key)
}

/// The hash by which a customer's purchases are recognised: of the e-mail address, else of a key that is one.
pub(crate) fn hash_of(data_key: &Key, email: &str, key: &str) -> Result<Option<String>, StoreError> {
    let address = if email.is_empty() { key } else { email };
    if is_email(address) { email_hash(data_key, address) } else { Ok(None) }
}

/// A partner that nobody knows.
pub(crate) fn unknown_partner() -> ApiError {
    ApiError::field("partner", "The partner is not known in this program.")
}
