//! Promotion codes.

use serde_json::json;

use super::{Call, copy, list, update};
use crate::error::{ApiError, Res};
use crate::events::emit;
use crate::params;

/// Serves `promotion_codes`.
pub fn serve(operation: &str, call: &mut Call<'_>) -> Option<Res> {
    Some(match operation {
        "PostPromotionCodes" => create(call),
        "GetPromotionCodesPromotionCode" => call.world.find("promotion_code", call.id(), "id"),
        "GetPromotionCodes" => list(call, "promotion_code", "/v1/promotion_codes", |o| {
            let code = call.text("code");
            let coupon = call.text("coupon");
            code.is_none_or(|c| params::text(o, "code").is_some_and(|own| own.eq_ignore_ascii_case(c)))
                && coupon.is_none_or(|c| params::text(o, "promotion.coupon") == Some(c))
                && params::at(call.params, "active").is_none_or(|a| o.get("active") == Some(a))
                && call.matches(o, "customer")
        }),
        "PostPromotionCodesPromotionCode" => change(call),
        _ => return None,
    })
}

fn create(call: &mut Call<'_>) -> Res {
    let given = call.params;
    let coupon = call.text("promotion.coupon").ok_or_else(|| {
        ApiError::param(
            "parameter_missing",
            "promotion[coupon]",
            "Missing required param: promotion[coupon].",
        )
    })?;
    call.world.live("coupon", coupon, "promotion[coupon]")?;
    let coupon = coupon.to_owned();
    let fresh = call.world.ids.letters(8).to_uppercase();
    let code = call.text("code").map_or(fresh, str::to_owned);
    if !code.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        return Err(ApiError::param("", "code", "Promotion codes may have letters, digits and dashes only.")
            .without_code());
    }
    let taken = call.world.newest("promotion_code").any(|o| {
        params::flag(o, "active")
            && params::text(o, "code").is_some_and(|own| own.eq_ignore_ascii_case(&code))
    });
    if taken {
        return Err(ApiError::param(
            "",
            "code",
            format!("An active promotion code with `code: {code}` already exists."),
        )
        .without_code());
    }
    let mut over = copy(given, &["customer", "expires_at", "max_redemptions"]);
    over["active"] = json!(params::at(given, "active").is_none_or(|a| a == &json!(true)));
    over["code"] = json!(code);
    over["promotion"] = json!({ "type": "coupon", "coupon": coupon });
    over["restrictions"] = json!({
        "first_time_transaction": params::flag(given, "restrictions.first_time_transaction"),
        "minimum_amount": params::int(given, "restrictions.minimum_amount"),
        "minimum_amount_currency": params::text(given, "restrictions.minimum_amount_currency"),
    });
    over["times_redeemed"] = json!(0);
    over["metadata"] = params::merged_metadata(&json!({}), given.get("metadata"));
    let id = call.world.make("promotion_code", "promo", over)?;
    emit(call.world, "promotion_code.created", "promotion_code", &id)?;
    call.world.live("promotion_code", &id, "id")
}

fn change(call: &mut Call<'_>) -> Res {
    let after = update(call, "promotion_code", &["active"])?;
    let id = call.id().to_owned();
    emit(call.world, "promotion_code.updated", "promotion_code", &id)?;
    Ok(after)
}
