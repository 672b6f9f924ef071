//! `invoice_payment`

use crate::json::{Amount, IdOr, Millis, Text, view};

view! {
    /// A payment of an invoice (`inpay_…`), since basil.
    InvoicePayment {
        /// The id.
        id: Text<'a> = b"id",
        /// When it was made.
        created: Millis = b"created",
        /// `open`, `paid`, `canceled`.
        status: Text<'a> = b"status",
        /// What was paid.
        amount_paid: Amount = b"amount_paid",
        /// ISO 4217.
        currency: Text<'a> = b"currency",
        /// The invoice.
        invoice: IdOr<'a> = b"invoice",
        /// What it was paid with.
        payment: Payment<'a> = b"payment",
    }
}

view! {
    /// What an invoice was paid with.
    Payment {
        /// `payment_intent`, `charge`, …
        kind: Text<'a> = b"type",
        /// The PaymentIntent.
        payment_intent: IdOr<'a> = b"payment_intent",
        /// The charge.
        charge: IdOr<'a> = b"charge",
    }
}
