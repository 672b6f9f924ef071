//! `subscription`

use super::parts::{Discount, Metadata};
use crate::json::{IdOr, Items, Millis, Text, view};

view! {
    /// A subscription (`sub_…`).
    Subscription {
        /// The id.
        id: Text<'a> = b"id",
        /// When it was made.
        created: Millis = b"created",
        /// Whose it is.
        customer: IdOr<'a> = b"customer",
        /// The account that stands for the customer, since clover.
        customer_account: IdOr<'a> = b"customer_account",
        /// Discounts: ids, or objects where expanded.
        discounts: Items<'a> = b"discounts",
        /// The discount, before basil.
        discount: Discount<'a> = b"discount",
        /// Metadata.
        metadata: Metadata<'a> = b"metadata",
    }
}
