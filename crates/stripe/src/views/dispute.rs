//! `dispute`

use crate::json::{Amount, IdOr, Items, Millis, Text, view};

view! {
    /// A dispute (`dp_…`, `du_…`).
    Dispute {
        /// The id.
        id: Text<'a> = b"id",
        /// When it was made.
        created: Millis = b"created",
        /// `needs_response`, `under_review`, `won`, `lost`, `warning_…`, …
        status: Text<'a> = b"status",
        /// The bank's reason.
        reason: Text<'a> = b"reason",
        /// ISO 4217, that of the charge.
        currency: Text<'a> = b"currency",
        /// What is asked back.
        amount: Amount = b"amount",
        /// The charge.
        charge: IdOr<'a> = b"charge",
        /// The PaymentIntent.
        payment_intent: IdOr<'a> = b"payment_intent",
        /// Its movements of money: away, and back.
        balance_transactions: Items<'a> = b"balance_transactions",
        /// The one movement, before 2014.
        balance_transaction: IdOr<'a> = b"balance_transaction",
    }
}
