//! `payment_intent`

use super::parts::{Metadata, Page};
use crate::json::{Amount, IdOr, Millis, Text, view};

view! {
    /// A PaymentIntent (`pi_…`).
    PaymentIntent {
        /// The id.
        id: Text<'a> = b"id",
        /// When it was made.
        created: Millis = b"created",
        /// `succeeded`, `requires_capture`, …
        status: Text<'a> = b"status",
        /// ISO 4217.
        currency: Text<'a> = b"currency",
        /// What is to be paid.
        amount: Amount = b"amount",
        /// What was received.
        amount_received: Amount = b"amount_received",
        /// The buyer; null for a guest.
        customer: IdOr<'a> = b"customer",
        /// The buyer's account, since clover.
        customer_account: IdOr<'a> = b"customer_account",
        /// The invoice, before basil.
        invoice: IdOr<'a> = b"invoice",
        /// The latest charge, since 2022-11-15.
        latest_charge: IdOr<'a> = b"latest_charge",
        /// The charges, before 2022-11-15.
        charges: Page<'a> = b"charges",
        /// Metadata.
        metadata: Metadata<'a> = b"metadata",
    }
}
