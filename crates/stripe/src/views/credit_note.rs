//! `credit_note`

use crate::json::{Amount, IdOr, Items, Millis, Text, view};

view! {
    /// A credit note (`cn_…`): lowers an invoice.
    CreditNote {
        /// The id.
        id: Text<'a> = b"id",
        /// When it was made.
        created: Millis = b"created",
        /// `issued`, `void`.
        status: Text<'a> = b"status",
        /// `pre_payment`, `post_payment`, `mixed`.
        kind: Text<'a> = b"type",
        /// ISO 4217.
        currency: Text<'a> = b"currency",
        /// All of it, tax included.
        amount: Amount = b"amount",
        /// The part that lowered what was still to be paid.
        pre_payment_amount: Amount = b"pre_payment_amount",
        /// The part that was given back outside of Stripe.
        out_of_band_amount: Amount = b"out_of_band_amount",
        /// The invoice.
        invoice: IdOr<'a> = b"invoice",
        /// The refund that gave a part of it back, in older shapes.
        refund: IdOr<'a> = b"refund",
        /// The refunds that gave parts of it back.
        refunds: Items<'a> = b"refunds",
    }
}

view! {
    /// One refund of a credit note.
    CreditedRefund {
        /// `refund`, or `payment_record_refund` for one past Stripe, which is no object of its own.
        kind: Text<'a> = b"type",
        /// How much it gave back.
        amount_refunded: Amount = b"amount_refunded",
        /// The refund.
        refund: IdOr<'a> = b"refund",
    }
}
