//! `invoice`

use super::parts::{Discount, Metadata, Page, ShippingCost};
use crate::json::{Amount, IdOr, Items, Millis, Text, view};

view! {
    /// An invoice (`in_…`).
    Invoice {
        /// The id.
        id: Text<'a> = b"id",
        /// When it was made.
        created: Millis = b"created",
        /// When it was made, before 2019.
        date: Millis = b"date",
        /// `draft`, `open`, `paid`, `void`, `uncollectible`.
        status: Text<'a> = b"status",
        /// Is it paid? Before basil.
        paid: bool = b"paid",
        /// When its states were reached.
        status_transitions: StatusTransitions<'a> = b"status_transitions",
        /// Why it was made.
        billing_reason: Text<'a> = b"billing_reason",
        /// ISO 4217.
        currency: Text<'a> = b"currency",
        /// The total, tax included.
        total: Amount = b"total",
        /// The total without tax.
        total_excluding_tax: Amount = b"total_excluding_tax",
        /// What was due.
        amount_due: Amount = b"amount_due",
        /// What was paid.
        amount_paid: Amount = b"amount_paid",
        /// What was paid outside of Stripe, since 2026-05-27.
        amount_paid_off_stripe: Amount = b"amount_paid_off_stripe",
        /// Marked as paid outside of Stripe, before basil.
        paid_out_of_band: bool = b"paid_out_of_band",
        /// Taxes, since basil.
        total_taxes: Items<'a> = b"total_taxes",
        /// Taxes, before basil.
        total_tax_amounts: Items<'a> = b"total_tax_amounts",
        /// The sum of taxes, before basil.
        tax: Amount = b"tax",
        /// Discounts in minor units.
        total_discount_amounts: Items<'a> = b"total_discount_amounts",
        /// Shipping in detail.
        shipping_cost: ShippingCost<'a> = b"shipping_cost",
        /// Shipping, without detail.
        amount_shipping: Amount = b"amount_shipping",
        /// The buyer.
        customer: IdOr<'a> = b"customer",
        /// The buyer's account, since clover.
        customer_account: IdOr<'a> = b"customer_account",
        /// The buyer's address.
        customer_email: Text<'a> = b"customer_email",
        /// The buyer's name.
        customer_name: Text<'a> = b"customer_name",
        /// The PaymentIntent, before basil.
        payment_intent: IdOr<'a> = b"payment_intent",
        /// The charge, before basil.
        charge: IdOr<'a> = b"charge",
        /// The payments, since basil, where expanded.
        payments: Page<'a> = b"payments",
        /// The subscription, before basil.
        subscription: IdOr<'a> = b"subscription",
        /// A copy of the subscription's details, before basil.
        subscription_details: SubscriptionDetails<'a> = b"subscription_details",
        /// What made the invoice, since basil.
        parent: Parent<'a> = b"parent",
        /// Discounts: ids, or objects where expanded.
        discounts: Items<'a> = b"discounts",
        /// The discount, before basil.
        discount: Discount<'a> = b"discount",
        /// The lines, at most the first ten of a long invoice.
        lines: Page<'a> = b"lines",
        /// Metadata.
        metadata: Metadata<'a> = b"metadata",
    }
}

view! {
    /// When an invoice reached its states.
    StatusTransitions {
        /// Paid.
        paid_at: Millis = b"paid_at",
    }
}

view! {
    /// What made an invoice.
    Parent {
        /// The subscription, if one did.
        subscription_details: SubscriptionDetails<'a> = b"subscription_details",
    }
}

view! {
    /// The subscription behind an invoice.
    SubscriptionDetails {
        /// Its id.
        subscription: IdOr<'a> = b"subscription",
        /// Its metadata when the invoice was made.
        metadata: Metadata<'a> = b"metadata",
    }
}
