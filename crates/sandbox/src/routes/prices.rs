//! Prices.

use serde_json::{Value, json};

use super::{Call, copy, list, update};
use crate::error::{ApiError, Res};
use crate::events::emit;
use crate::params;
use crate::world::World;

/// Serves `prices`.
pub fn serve(operation: &str, call: &mut Call<'_>) -> Option<Res> {
    Some(match operation {
        "PostPrices" => create(call),
        "GetPricesPrice" => call.world.find("price", call.id(), "id"),
        "GetPrices" => list(call, "price", "/v1/prices", |o| {
            ["product", "currency", "type"].iter().all(|f| call.matches(o, f))
                && params::at(call.params, "active").is_none_or(|a| o.get("active") == Some(a))
        }),
        "PostPricesPrice" => update(call, "price", &["active", "nickname"]),
        _ => return None,
    })
}

fn create(call: &mut Call<'_>) -> Res {
    let id = from_data(call.world, call.params)?;
    call.world.live("price", &id, "id")
}

/// Makes a price (and its product, from `product_data`) from `POST /v1/prices` or `price_data`.
///
/// # Errors
/// 404 for an unknown product; 400 without an amount or with tiers, which the sandbox does not have.
pub fn from_data(world: &mut World, given: &Value) -> Res<String> {
    if params::text(given, "billing_scheme") == Some("tiered")
        || params::at(given, "custom_unit_amount").is_some()
    {
        return Err(ApiError::bad("The sandbox has per-unit prices with a fixed amount only."));
    }
    let amount = match (params::int(given, "unit_amount"), params::text(given, "unit_amount_decimal")) {
        (Some(amount), _) => amount,
        (None, Some(text)) => text.parse().map_err(|_| {
            ApiError::param("", "unit_amount_decimal", "The sandbox takes whole minor units only.")
                .without_code()
        })?,
        (None, None) => {
            return Err(ApiError::param(
                "parameter_missing",
                "unit_amount",
                "Missing required param: unit_amount.",
            ));
        }
    };
    if amount < 0 {
        return Err(ApiError::param(
            "parameter_invalid_integer",
            "unit_amount",
            "Invalid non-negative integer",
        ));
    }
    let product = match (params::text(given, "product"), params::at(given, "product_data")) {
        (Some(id), _) => world.live("product", id, "product").map(|_| id.to_owned())?,
        (None, Some(data)) => super::products::make(world, data)?,
        (None, None) => {
            return Err(ApiError::param("parameter_missing", "product", "Missing required param: product."));
        }
    };
    let mut over = copy(given, &["nickname", "lookup_key"]);
    let recurring = params::at(given, "recurring");
    over["active"] = json!(params::at(given, "active").and_then(Value::as_bool).unwrap_or(true));
    over["billing_scheme"] = json!("per_unit");
    over["currency"] = json!(params::text(given, "currency").unwrap_or_default().to_lowercase());
    over["product"] = json!(product);
    over["tax_behavior"] = json!(params::text(given, "tax_behavior").unwrap_or("unspecified"));
    over["type"] = json!(if recurring.is_some() { "recurring" } else { "one_time" });
    over["unit_amount"] = json!(amount);
    over["unit_amount_decimal"] = json!(amount.to_string());
    over["metadata"] = params::merged_metadata(&json!({}), given.get("metadata"));
    if let Some(recurring) = recurring {
        over["recurring"] = json!({
            "interval": recurring["interval"],
            "interval_count": params::int(recurring, "interval_count").unwrap_or(1),
            "meter": null,
            "usage_type": "licensed",
        });
    }
    let id = world.make("price", "price", over)?;
    emit(world, "price.created", "price", &id)?;
    Ok(id)
}
