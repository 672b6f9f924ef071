//! `refund`

use crate::json::{Amount, IdOr, Millis, Text, view};

view! {
    /// A refund (`re_…`, `pyr_…`).
    Refund {
        /// The id.
        id: Text<'a> = b"id",
        /// When it was made.
        created: Millis = b"created",
        /// `pending`, `succeeded`, `failed`, `canceled`, …
        status: Text<'a> = b"status",
        /// ISO 4217.
        currency: Text<'a> = b"currency",
        /// What is given back.
        amount: Amount = b"amount",
        /// The charge.
        charge: IdOr<'a> = b"charge",
        /// The PaymentIntent.
        payment_intent: IdOr<'a> = b"payment_intent",
        /// What it moved of the balance.
        balance_transaction: IdOr<'a> = b"balance_transaction",
    }
}
