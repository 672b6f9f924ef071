//! `promotion_code`

use crate::json::{Millis, Text, view};

view! {
    /// A promotion code (`promo_…`).
    PromotionCode {
        /// The id.
        id: Text<'a> = b"id",
        /// When it was made.
        created: Millis = b"created",
        /// What a buyer types.
        code: Text<'a> = b"code",
    }
}
