//! `customer`

use super::parts::{Discount, Metadata};
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
        /// The discount on everything that the customer buys.
        discount: Discount<'a> = b"discount",
        /// Metadata.
        metadata: Metadata<'a> = b"metadata",
    }
}
