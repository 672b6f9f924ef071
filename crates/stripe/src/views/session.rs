//! `checkout.session`

use super::parts::{Contact, Metadata, Presentment, ShippingCost};
use crate::json::{Amount, Brief, IdOr, Items, Millis, Text, view};

view! {
    /// A Checkout Session (`cs_…`).
    Session {
        /// The id.
        id: Text<'a> = b"id",
        /// When it was made.
        created: Millis = b"created",
        /// `payment`, `subscription`, `setup`.
        mode: Text<'a> = b"mode",
        /// `paid`, `unpaid`, `no_payment_required`.
        payment_status: Text<'a> = b"payment_status",
        /// ISO 4217.
        currency: Text<'a> = b"currency",
        /// The total.
        amount_total: Amount = b"amount_total",
        /// Tax, shipping and discount within the total.
        total_details: TotalDetails<'a> = b"total_details",
        /// Shipping in detail.
        shipping_cost: ShippingCost<'a> = b"shipping_cost",
        /// What the merchant's page passed along.
        client_reference_id: Brief<'a> = b"client_reference_id",
        /// The buyer; null for a guest.
        customer: IdOr<'a> = b"customer",
        /// The buyer's account, since clover.
        customer_account: IdOr<'a> = b"customer_account",
        /// What the buyer typed.
        customer_details: Contact<'a> = b"customer_details",
        /// The address that was filled in beforehand.
        customer_email: Text<'a> = b"customer_email",
        /// The PaymentIntent, in payment mode.
        payment_intent: IdOr<'a> = b"payment_intent",
        /// The invoice, where one was made.
        invoice: IdOr<'a> = b"invoice",
        /// The subscription, in subscription mode.
        subscription: IdOr<'a> = b"subscription",
        /// The Payment Link behind it.
        payment_link: IdOr<'a> = b"payment_link",
        /// Discounts, since 2025-02-24.
        discounts: Items<'a> = b"discounts",
        /// What the buyer saw, where that is another currency.
        presentment_details: Presentment<'a> = b"presentment_details",
        /// Metadata.
        metadata: Metadata<'a> = b"metadata",
    }
}

view! {
    /// What makes up a session's total, in minor units.
    TotalDetails {
        /// Taken off.
        amount_discount: Amount = b"amount_discount",
        /// Shipping, without tax.
        amount_shipping: Amount = b"amount_shipping",
        /// Tax on goods and shipping.
        amount_tax: Amount = b"amount_tax",
        /// What they are made of, where it was expanded.
        breakdown: Breakdown<'a> = b"breakdown",
    }
}

view! {
    /// What a session's discounts, taxes and shipping are made of.
    Breakdown {
        /// The discounts with their amounts.
        discounts: Items<'a> = b"discounts",
    }
}
