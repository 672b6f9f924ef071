//! Parts that several objects share.

use crate::json::{Amount, IdOr, Items, Millis, Notes, Read, Said, Text, view};

view! {
    /// The metadata keys that Tributary uses. No other key is read.
    Metadata {
        /// Names a partner.
        partner_key: Text<'a> = b"partner_key",
        /// Names a customer.
        customer_key: Text<'a> = b"customer_key",
    }
}

view! {
    /// One page of a list.
    Page {
        /// `list`, `search_result`.
        object: Text<'a> = b"object",
        /// The items.
        data: Items<'a> = b"data",
        /// Are there further pages?
        has_more: bool = b"has_more",
    }
}

view! {
    /// Shipping on a session or an invoice, in minor units.
    ShippingCost {
        /// Before discounts and taxes.
        amount_subtotal: Amount = b"amount_subtotal",
        /// Tax on the shipping.
        amount_tax: Amount = b"amount_tax",
        /// After discounts and taxes.
        amount_total: Amount = b"amount_total",
    }
}

impl ShippingCost<'_> {
    /// Shipping without its tax in minor units: what was paid less its tax where both are shown and fit,
    /// else the sum before taxes.
    #[must_use]
    pub fn excluding_tax(&self) -> Option<i64> {
        let net = match (self.amount_total, self.amount_tax) {
            (Said::Is(Amount(total)), Said::Is(Amount(tax))) if (0..=total).contains(&tax) => {
                total.checked_sub(tax)
            }
            _ => None,
        };
        net.or_else(|| self.amount_subtotal.value().map(|amount| amount.0)).or_else(|| {
            let untaxed = !matches!(self.amount_tax, Said::Is(Amount(tax)) if tax != 0);
            self.amount_total.value().filter(|_| untaxed).map(|amount| amount.0)
        })
    }
}

view! {
    /// What the buyer saw, where that is another currency.
    Presentment {
        /// Minor units, since 2025-03-31.
        presentment_amount: Amount = b"presentment_amount",
        /// ISO 4217, since 2025-03-31.
        presentment_currency: Text<'a> = b"presentment_currency",
    }
}

view! {
    /// One entry of a list of taxes or discounts.
    AmountPart {
        /// Minor units.
        amount: Amount = b"amount",
    }
}

/// The sum of a list of taxes or discounts; `None` if one entry cannot be read, so that no half sum is believed.
pub fn sum_of_parts(items: &Items<'_>, notes: &mut Notes) -> Option<i64> {
    items.0.iter().try_fold(0_i64, |sum, item| {
        let part = AmountPart::read(item, notes)?;
        sum.checked_add(part.amount.value()?.0)
    })
}

view! {
    /// One discount: an entry of `discounts`, or the old `discount`.
    Discount {
        /// The promotion code (`promo_…`).
        promotion_code: IdOr<'a> = b"promotion_code",
        /// Since when it holds.
        start: Millis = b"start",
    }
}

view! {
    /// An entry of `total_details.breakdown.discounts`.
    DiscountPart {
        /// The discount.
        discount: Discount<'a> = b"discount",
    }
}

view! {
    /// Something of which only the metadata is read: a line of an invoice, a Payment Link.
    Tagged {
        /// Metadata.
        metadata: Metadata<'a> = b"metadata",
    }
}

view! {
    /// Name and e-mail of a person, as `customer_details` and `billing_details` have them.
    Contact {
        /// The e-mail address.
        email: Text<'a> = b"email",
        /// The name.
        name: Text<'a> = b"name",
    }
}
