//! Coupons.

use serde_json::{Value, json};

use super::{Call, copy, list, update};
use crate::error::{ApiError, Res};
use crate::events::{emit, emit_value};
use crate::params;

/// Serves `coupons`.
pub fn serve(operation: &str, call: &mut Call<'_>) -> Option<Res> {
    Some(match operation {
        "PostCoupons" => create(call),
        "GetCouponsCoupon" => call.world.find("coupon", call.id(), "id"),
        "GetCoupons" => list(call, "coupon", "/v1/coupons", |_| true),
        "PostCouponsCoupon" => change(call),
        "DeleteCouponsCoupon" => delete(call),
        _ => return None,
    })
}

fn create(call: &mut Call<'_>) -> Res {
    let given = call.params;
    let (percent, amount) = (params::at(given, "percent_off"), params::int(given, "amount_off"));
    match (percent, amount) {
        (Some(percent), None) => check_percent(percent)?,
        (None, Some(amount)) if amount > 0 => {
            if params::text(given, "currency").is_none() {
                return Err(ApiError::param("parameter_missing", "currency", "amount_off needs a currency."));
            }
        }
        _ => return Err(ApiError::bad("You must pass either percent_off or amount_off, not both.")),
    }
    let duration = params::text(given, "duration").unwrap_or("once");
    if (duration == "repeating") != params::int(given, "duration_in_months").is_some() {
        return Err(ApiError::param(
            "parameter_missing",
            "duration_in_months",
            "duration_in_months goes with duration=repeating, and only with it.",
        ));
    }
    let fields = [
        "name",
        "percent_off",
        "amount_off",
        "currency",
        "duration_in_months",
        "max_redemptions",
        "redeem_by",
    ];
    let mut over = copy(given, &fields);
    let fresh = call.world.ids.letters(8);
    over["id"] = json!(call.text("id").map_or(fresh, str::to_owned));
    over["duration"] = json!(duration);
    over["times_redeemed"] = json!(0);
    over["valid"] = json!(true);
    over["metadata"] = params::merged_metadata(&json!({}), given.get("metadata"));
    if let Some(products) = params::at(given, "applies_to.products") {
        over["applies_to"] = json!({ "products": products });
    }
    let id = call.world.make("coupon", "", over)?;
    emit(call.world, "coupon.created", "coupon", &id)?;
    call.world.live("coupon", &id, "id")
}

/// Above 0, at most 100, by the text of the number.
fn check_percent(percent: &Value) -> Res<()> {
    let text = percent.to_string();
    let whole: i64 = text.split('.').next().and_then(|w| w.parse().ok()).unwrap_or(-1);
    let part = text.split_once('.').is_some_and(|(_, part)| part.bytes().any(|b| b != b'0'));
    let positive = whole > 0 || (whole == 0 && part);
    if positive && (whole < 100 || (whole == 100 && !part)) {
        return Ok(());
    }
    Err(ApiError::param("", "percent_off", "Invalid percent_off: must be above 0 and at most 100.")
        .without_code())
}

fn change(call: &mut Call<'_>) -> Res {
    let after = update(call, "coupon", &["name"])?;
    let id = call.id().to_owned();
    emit(call.world, "coupon.updated", "coupon", &id)?;
    Ok(after)
}

fn delete(call: &mut Call<'_>) -> Res {
    let id = call.id().to_owned();
    let mut coupon = call.world.live("coupon", &id, "id")?;
    let gone = call.world.delete("coupon", &id)?;
    coupon["valid"] = json!(false);
    emit_value(call.world, "coupon.deleted", coupon, None)?;
    Ok(gone)
}
