//! By what a call names a customer.

use crate::api::auth::Caller;
use crate::api::error::ApiError;
use crate::api::fields::Fields;
use crate::api::input::Params;
use crate::api::partners::target::unnamed;
use crate::state::email_hash;
use tributary_store::api::Place;
use tributary_store::api::customers::{self, Customer};
use tributary_store::{StoreError, Tx};

/// A customer as the caller names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Our id.
    Id(String),
    /// The merchant's key.
    Key(String),
    /// The e-mail address, lower case.
    Email(String),
    /// Whatever stands in the path: key, then id, then e-mail address.
    Path(String),
}

/// A target that is ready to be looked up: e-mail addresses are found by their hash.
#[derive(Debug, Clone)]
pub struct Lookup {
    target: Target,
    hash: Option<String>,
}

impl Target {
    /// From `key`, `id` or `email`, in this order.
    pub fn of(key: Option<String>, id: Option<String>, email: Option<String>) -> Option<Self> {
        let present = |text: Option<String>| text.filter(|text| !text.is_empty());
        present(key)
            .map(Self::Key)
            .or_else(|| present(id).map(Self::Id))
            .or_else(|| present(email).map(|email| Self::Email(email.to_lowercase())))
    }

    /// From the fields of an object.
    pub fn of_fields(fields: &Fields<'_>) -> Option<Self> {
        Self::of(fields.text("key", 255), fields.text("id", 255), fields.text("email", 255))
    }

    /// From the parameters with a prefix (`""` or `"customer."`).
    pub fn of_params(params: &Params, prefix: &str) -> Option<Self> {
        let get = |name: &str| params.get(&format!("{prefix}{name}")).map(str::to_owned);
        Self::of(get("key"), get("id"), get("email"))
    }

    /// From the parameters of a call that needs one.
    ///
    /// # Errors
    /// [`ApiError::Invalid`] if none is there.
    pub fn required(params: &Params) -> Result<Self, ApiError> {
        params.only(&["id", "key", "email"])?;
        Self::of_params(params, "").ok_or_else(unnamed)
    }

    /// Makes it ready.
    pub async fn ready(self, caller: &Caller) -> Result<Lookup, ApiError> {
        let hash = match &self {
            Self::Email(email) | Self::Path(email) if email.contains('@') => {
                email_hash(&caller.data_key().await?, email)?
            }
            _ => None,
        };
        Ok(Lookup { target: self, hash })
    }
}

impl Lookup {
    /// A customer by our id.
    pub(crate) const fn of_id(id: String) -> Self {
        Self { target: Target::Id(id), hash: None }
    }

    /// Looks the customer up; deleted customers are not found.
    pub async fn find(&self, tx: &mut Tx<'_>, place: &Place) -> Result<Option<Customer>, StoreError> {
        match &self.target {
            Target::Id(id) => customers::find_by_id(tx, place, id).await,
            Target::Key(key) => customers::find_by_key(tx, place, key).await,
            Target::Email(email) => self.by_email(tx, place, email).await,
            Target::Path(value) => {
                if let Some(found) = customers::find_by_key(tx, place, value).await? {
                    return Ok(Some(found));
                }
                if let Some(found) = customers::find_by_id(tx, place, value).await? {
                    return Ok(Some(found));
                }
                self.by_email(tx, place, &value.to_lowercase()).await
            }
        }
    }

    async fn by_email(
        &self,
        tx: &mut Tx<'_>,
        place: &Place,
        email: &str,
    ) -> Result<Option<Customer>, StoreError> {
        match &self.hash {
            Some(hash) => customers::find_by_email(tx, place, email, hash).await,
            None => Ok(None),
        }
    }

    /// The customer, or 404.
    pub async fn get(&self, tx: &mut Tx<'_>, place: &Place) -> Result<Customer, ApiError> {
        self.find(tx, place).await?.ok_or_else(|| ApiError::NotFound("Customer not found.".into()))
    }
}
