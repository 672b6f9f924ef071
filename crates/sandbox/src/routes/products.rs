//! Products.

use serde_json::{Value, json};

use super::{Call, copy, list, update};
use crate::error::Res;
use crate::events::{emit, emit_changed};
use crate::params;
use crate::world::World;

/// Serves `products`.
pub fn serve(operation: &str, call: &mut Call<'_>) -> Option<Res> {
    Some(match operation {
        "PostProducts" => create(call),
        "GetProductsId" => call.world.find("product", call.id(), "id"),
        "GetProducts" => list(call, "product", "/v1/products", |o| {
            params::at(call.params, "active").is_none_or(|a| o.get("active") == Some(a)) && wanted(call, o)
        }),
        "PostProductsId" => change(call),
        _ => return None,
    })
}

fn wanted(call: &Call<'_>, product: &Value) -> bool {
    let ids = params::list(call.params, "ids");
    ids.is_empty() || ids.iter().any(|id| product.get("id") == Some(id))
}

fn create(call: &mut Call<'_>) -> Res {
    let id = make(call.world, call.params)?;
    if let Some(data) = params::at(call.params, "default_price_data") {
        let mut data = data.clone();
        data["product"] = json!(id);
        let price = super::prices::from_data(call.world, &data)?;
        call.world.change("product", &id, json!({ "default_price": price }))?;
    }
    call.world.live("product", &id, "id")
}

/// Makes a product from `POST /v1/products`, `product_data` or the like.
///
/// # Errors
/// 400 for an id that is taken.
pub fn make(world: &mut World, given: &Value) -> Res<String> {
    let mut over =
        copy(given, &["id", "name", "description", "url", "unit_label", "statement_descriptor", "shippable"]);
    over["active"] = json!(params::at(given, "active").and_then(Value::as_bool).unwrap_or(true));
    over["metadata"] = params::merged_metadata(&json!({}), given.get("metadata"));
    over["images"] = json!(params::list(given, "images"));
    over["updated"] = json!(world.now());
    let id = world.make("product", "prod", over)?;
    emit(world, "product.created", "product", &id)?;
    Ok(id)
}

fn change(call: &mut Call<'_>) -> Res {
    let id = call.id().to_owned();
    update(call, "product", &["active", "name", "description", "url", "unit_label", "default_price"])?;
    let after = call.world.change("product", &id, json!({ "updated": call.world.now() }))?;
    emit_changed(call.world, "product.updated", "product", &id, json!({}))?;
    Ok(after)
}
