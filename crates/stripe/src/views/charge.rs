//! `charge`

use super::parts::{Contact, Metadata, Page, Presentment};
use crate::json::{Amount, IdOr, Millis, Text, view};

view! {
    /// A charge (`ch_…`, `py_…`).
    Charge {
        /// The id.
        id: Text<'a> = b"id",
        /// When it was made.
        created: Millis = b"created",
        /// `succeeded`, `pending`, `failed`.
        status: Text<'a> = b"status",
        /// Did it succeed, captured or not?
        paid: bool = b"paid",
        /// ISO 4217.
        currency: Text<'a> = b"currency",
        /// What was authorised.
        amount: Amount = b"amount",
        /// What was captured.
        amount_captured: Amount = b"amount_captured",
        /// Is it captured?
        captured: bool = b"captured",
        /// What was given back.
        amount_refunded: Amount = b"amount_refunded",
        /// The refunds, by default before 2022-11-15.
        refunds: Page<'a> = b"refunds",
        /// The buyer; null for a guest.
        customer: IdOr<'a> = b"customer",
        /// The buyer's account, since clover.
        customer_account: IdOr<'a> = b"customer_account",
        /// What the buyer typed.
        billing_details: Contact<'a> = b"billing_details",
        /// Where the receipt went.
        receipt_email: Text<'a> = b"receipt_email",
        /// The PaymentIntent; null for a charge made without one.
        payment_intent: IdOr<'a> = b"payment_intent",
        /// The invoice, before basil; null there means that there is none.
        invoice: IdOr<'a> = b"invoice",
        /// Was it ever disputed?
        disputed: bool = b"disputed",
        /// Its movement on the merchant's balance; null while it is not settled.
        balance_transaction: IdOr<'a> = b"balance_transaction",
        /// What the buyer saw, where that is another currency.
        presentment_details: Presentment<'a> = b"presentment_details",
        /// Metadata.
        metadata: Metadata<'a> = b"metadata",
    }
}
