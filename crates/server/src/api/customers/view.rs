//! A customer on the wire.

use crate::api::partners::view::{TagView, tags};
use crate::api::wire::{opt_time, time};
use serde::Serialize;
use tributary_store::api::customers::Customer;
use utoipa::ToSchema;

/// A customer.
#[derive(Debug, Serialize, ToSchema)]
pub struct CustomerView {
    /// Tributary's id.
    pub id: String,
    /// The merchant's key.
    pub key: String,
    /// The id of the partner of the sign-up.
    pub partner: Option<String>,
    /// Was it deleted?
    pub deleted: bool,
    /// First name.
    pub name: String,
    /// Last name.
    pub surname: String,
    /// Lower case, or empty.
    pub email: String,
    /// `active`, `suspended` or `archived`.
    pub status: String,
    /// Tags.
    pub tags: Vec<TagView>,
    /// When it was created.
    pub created_at: String,
    /// When it was changed last.
    pub updated_at: String,
    /// When it was deleted.
    pub deleted_at: Option<String>,
}

pub(crate) fn customer(c: &Customer) -> CustomerView {
    CustomerView {
        id: c.customer_id.clone(),
        key: c.key.clone(),
        partner: c.partner_external_id.clone(),
        deleted: c.deleted_at.is_some(),
        name: c.name.clone(),
        surname: c.surname.clone(),
        email: c.email.clone(),
        status: c.status.clone(),
        tags: tags(&c.tags),
        created_at: time(c.created_at),
        updated_at: time(c.updated_at),
        deleted_at: opt_time(c.deleted_at),
    }
}
