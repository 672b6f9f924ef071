//! By what a call names a partner.

use crate::api::error::ApiError;
use crate::api::fields::Fields;
use crate::api::input::Params;
use tributary_store::api::partners::{self, Partner};
use tributary_store::api::{By, Place};
use tributary_store::{StoreError, Tx};

/// A partner as the caller names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// By one field.
    Field(By, String),
    /// By whatever stands in the path: id, then key, then e-mail.
    Path(String),
}

impl Target {
    /// From `id`, `key` or `email`, in this order.
    pub fn of(id: Option<String>, key: Option<String>, email: Option<String>) -> Option<Self> {
        let present = |text: Option<String>| text.filter(|text| !text.is_empty());
        present(id)
            .map(|id| Self::Field(By::Id, id))
            .or_else(|| present(key).map(|key| Self::Field(By::Key, key)))
            .or_else(|| present(email).map(|email| Self::Field(By::Email, email.to_lowercase())))
    }

    /// From the fields of an object.
    pub fn of_fields(fields: &Fields<'_>) -> Option<Self> {
        Self::of(fields.text("id", 255), fields.text("key", 255), fields.text("email", 255))
    }

    /// From the parameters with a prefix (`""` or `"partner."`).
    pub fn of_params(params: &Params, prefix: &str) -> Option<Self> {
        let get = |name: &str| params.get(&format!("{prefix}{name}")).map(str::to_owned);
        Self::of(get("id"), get("key"), get("email"))
    }

    /// From the parameters of a call that needs one.
    ///
    /// # Errors
    /// [`ApiError::Invalid`] if none is there.
    pub fn required(params: &Params) -> Result<Self, ApiError> {
        params.only(&["id", "key", "email"])?;
        Self::of_params(params, "").ok_or_else(unnamed)
    }

    /// Looks the partner up; deleted partners are not found.
    pub async fn find(&self, tx: &mut Tx<'_>, place: &Place) -> Result<Option<Partner>, StoreError> {
        match self {
            Self::Field(by, value) => partners::find(tx, place, *by, value).await,
            Self::Path(value) => {
                for (by, value) in [(By::Id, value), (By::Key, value), (By::Email, &value.to_lowercase())] {
                    if let Some(found) = partners::find(tx, place, by, value).await? {
                        return Ok(Some(found));
                    }
                }
                Ok(None)
            }
        }
    }

    /// The partner, or 404.
    pub async fn get(&self, tx: &mut Tx<'_>, place: &Place) -> Result<Partner, ApiError> {
        self.find(tx, place).await?.ok_or_else(|| ApiError::NotFound("Partner not found.".into()))
    }
}

pub(crate) fn unnamed() -> ApiError {
    ApiError::field("key", "Name one by id, key or email.")
}
