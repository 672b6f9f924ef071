//! `customer`

use super::parts::Metadata;
use crate::json::{Millis, Text, view};

view! {
    /// A customer at Stripe (`cus_…`): a buyer.
    Customer {
        /// The id.
        id: Text<'a> = b"id",
        /// When it was made.
        created: Millis = b"created",
        /// The e-mail address.
        email: Text<'a> = b"email",
        /// The name.
        name: Text<'a> = b"name",
        /// Deleted at Stripe.
        deleted: bool = b"deleted",
        /// Metadata.
        metadata: Metadata<'a> = b"metadata",
    }
}
