//! `promotion_code` → facts: which text an id stands for.

use super::collector::{Collector, Put};
use crate::json::Said;
use crate::views::PromotionCode;
use serde_json::value::RawValue;
use tributary_domain::fact::{Field, Kind};

/// Projects a promotion code. Whether it is active changes nothing of what it was used for.
pub(crate) fn promotion_code(raw: &RawValue, c: &mut Collector<'_>) {
    let Some(view) = c.view::<PromotionCode<'_>>(raw) else { return };
    let Some(mut fact) = c.start(Kind::PromotionCode, &view.id) else { return };
    fact.time(Field::Created, view.created);
    if let Said::Is(code) = &view.code {
        fact.set(Field::Code, code.to_uppercase());
    }
    c.add(fact);
}
