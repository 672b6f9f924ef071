//! `line_item` of an invoice, `item` of a session

use crate::json::{Amount, IdOr, Items, Notes, Read, Said, Text, view};

view! {
    /// A line of an invoice (`il_…`) or of a session (`li_…`).
    Line {
        /// The id.
        id: Text<'a> = b"id",
        /// Invoice: before discounts, with the tax that is within the price.
        amount: Amount = b"amount",
        /// Invoice: discounts spread over the lines.
        discount_amounts: Items<'a> = b"discount_amounts",
        /// Invoice: credits taken off before tax.
        pretax_credit_amounts: Items<'a> = b"pretax_credit_amounts",
        /// Invoice: taxes, before basil.
        tax_amounts: Items<'a> = b"tax_amounts",
        /// Invoice: taxes, since basil.
        taxes: Items<'a> = b"taxes",
        /// Session: after discounts, with tax.
        amount_total: Amount = b"amount_total",
        /// Session: tax.
        amount_tax: Amount = b"amount_tax",
        /// The price, before basil and on sessions.
        price: Price<'a> = b"price",
        /// The plan, in the oldest shapes.
        plan: Price<'a> = b"plan",
        /// The price, since basil.
        pricing: Pricing<'a> = b"pricing",
    }
}

view! {
    /// A price or a plan.
    Price {
        /// The product.
        product: IdOr<'a> = b"product",
    }
}

view! {
    /// Where a line's price is told since basil.
    Pricing {
        /// Its price and product.
        price_details: Price<'a> = b"price_details",
    }
}

view! {
    /// One tax of a line.
    LineTax {
        /// Minor units.
        amount: Amount = b"amount",
        /// Is it within the price? Before basil.
        inclusive: bool = b"inclusive",
        /// `inclusive`, `exclusive`, since basil.
        tax_behavior: Text<'a> = b"tax_behavior",
    }
}

view! {
    /// One credit of a line.
    LineCredit {
        /// Minor units.
        amount: Amount = b"amount",
        /// `discount` (told among the discounts too), `credit_balance_transaction`.
        kind: Text<'a> = b"type",
    }
}

impl Line<'_> {
    /// The product, in the old and the new place.
    #[must_use]
    pub fn product(&self) -> Option<&str> {
        let price = |said: &'_ Said<Price<'_>>| matches!(said, Said::Is(Price { product: Said::Is(_), .. }));
        let found = match &self.pricing {
            Said::Is(pricing) if price(&pricing.price_details) => &pricing.price_details,
            _ if price(&self.price) => &self.price,
            _ => &self.plan,
        };
        match found {
            Said::Is(Price { product: Said::Is(product), .. }) => Some(product.id.as_ref()),
            _ => None,
        }
    }

    /// Without tax and after its discounts, and its tax, both in minor units; `None` where the line does not say.
    #[must_use]
    pub fn amounts(&self, notes: &mut Notes) -> Option<(i64, i64)> {
        if let Said::Is(Amount(total)) = self.amount_total {
            let tax = self.amount_tax.value().map_or(0, |tax| tax.0);
            return Some((total.checked_sub(tax)?, tax));
        }
        let amount = self.amount.value()?.0;
        let discounts = match &self.discount_amounts {
            Said::Is(items) => super::sum_of_parts(items, notes)?,
            _ => 0,
        };
        let credits = match &self.pretax_credit_amounts {
            Said::Is(items) => sum(items, |item| {
                let credit = LineCredit::read(item, notes)?;
                let own = matches!(&credit.kind, Said::Is(kind) if kind != "discount");
                Some(if own { credit.amount.value()?.0 } else { 0 })
            })?,
            _ => 0,
        };
        let (mut within, mut all) = (0_i64, 0_i64);
        let taxes = if matches!(self.taxes, Said::Is(_)) { &self.taxes } else { &self.tax_amounts };
        if let Said::Is(items) = taxes {
            for item in &items.0 {
                let tax = LineTax::read(item, notes)?;
                let amount = tax.amount.value()?.0;
                let inside = tax.inclusive == Said::Is(true)
                    || matches!(&tax.tax_behavior, Said::Is(how) if how == "inclusive");
                all = all.checked_add(amount)?;
                within = within.checked_add(if inside { amount } else { 0 })?;
            }
        }
        let net = amount.checked_sub(discounts)?.checked_sub(credits)?.checked_sub(within)?;
        Some((net, all))
    }
}

fn sum<'a>(
    items: &Items<'a>,
    mut amount: impl FnMut(&'a serde_json::value::RawValue) -> Option<i64>,
) -> Option<i64> {
    items.0.iter().try_fold(0_i64, |sum, item| sum.checked_add(amount(item)?))
}
