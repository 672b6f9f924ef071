//! Promotion codes behind discounts, in every shape that has had them.

use super::collector::{Collector, Put};
use crate::json::{IdOr, Items, Millis, Read, Said};
use crate::views::{Discount, DiscountPart, TotalDetails};
use tributary_domain::fact::{Fact, Field, Kind};

/// The most codes that are read of one object.
const MAX_CODES: usize = 10;

/// What a place for discounts says.
#[derive(Debug, Default)]
pub(super) struct Codes {
    ids: Vec<String>,
    since: Option<i64>,
    /// Was any discount shown as an object?
    read: bool,
    /// Was any discount only named?
    hidden: bool,
}

/// Reads a list of discounts: objects, or ids where it was not expanded.
pub(super) fn of_list(discounts: &Said<Items<'_>>, c: &mut Collector<'_>) -> Codes {
    let mut codes = Codes::default();
    let Said::Is(items) = discounts else { return codes };
    for item in &items.0 {
        if !item.get().starts_with('{') {
            codes.hidden = true;
        } else if let Some(discount) = Discount::read(item, &mut c.notes) {
            codes.add(&discount, c);
        }
    }
    codes
}

impl Codes {
    /// Takes in one discount that was shown.
    pub(super) fn add(&mut self, discount: &Discount<'_>, c: &mut Collector<'_>) {
        self.read = true;
        let Said::Is(IdOr { id, .. }) = &discount.promotion_code else { return };
        // Ids are kept with spaces between.
        let plain = id.bytes().all(|byte| byte.is_ascii_graphic());
        if plain && self.ids.len() < MAX_CODES && !self.ids.iter().any(|known| known == id.as_ref()) {
            self.ids.push(id.to_string());
        }
        if let Said::Is(Millis(start)) = discount.start {
            self.since = Some(self.since.map_or(start, |known| known.min(start)));
        }
        c.expand(Kind::PromotionCode, &discount.promotion_code);
    }

    /// Takes in what a session's breakdown shows.
    pub(super) fn add_breakdown(&mut self, details: &TotalDetails<'_>, c: &mut Collector<'_>) {
        let Said::Is(breakdown) = &details.breakdown else { return };
        let Said::Is(items) = &breakdown.discounts else { return };
        self.read = true;
        for item in &items.0 {
            if let Some(DiscountPart { discount: Said::Is(discount), .. }) =
                DiscountPart::read(item, &mut c.notes)
            {
                self.add(&discount, c);
            }
        }
    }

    /// The one discount that was named has been shown in another place.
    pub(super) const fn shown_elsewhere(&mut self) {
        self.hidden = false;
    }

    /// Writes them into the fact of a purchase. `reduced` says that there is a discount, shown or not.
    pub(super) fn of_purchase(mut self, fact: &mut Fact, reduced: bool) {
        if self.read && !self.hidden {
            fact.set(Field::CodesRead, true);
        } else if self.hidden || reduced {
            fact.set(Field::CodesHidden, true);
        }
        self.ids.sort();
        if !self.ids.is_empty() {
            fact.set(Field::PromotionCode, self.ids.join(" "));
        }
    }

    /// Writes them into the fact of a customer or a subscription.
    pub(super) fn standing(mut self, fact: &mut Fact) {
        self.ids.sort();
        if !self.ids.is_empty() {
            fact.set(Field::PromotionCode, self.ids.join(" "));
            fact.time(Field::PromotionCodeAt, self.since.map_or(Said::Absent, |at| Said::Is(Millis(at))));
        }
    }
}
