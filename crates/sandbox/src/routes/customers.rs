//! Customers.

use serde_json::{Value, json};

use super::{Call, copy, list, update};
use crate::error::Res;
use crate::events::{emit, emit_changed, emit_value};
use crate::params;
use crate::world::World;

const PLAIN: &[&str] = &["description", "email", "name", "phone", "address", "preferred_locales"];

/// Serves `customers`.
pub fn serve(operation: &str, call: &mut Call<'_>) -> Option<Res> {
    Some(match operation {
        "PostCustomers" => create(call.world, call.params),
        "GetCustomersCustomer" => call.world.find("customer", call.id(), "id"),
        "GetCustomers" => list(call, "customer", "/v1/customers", |o| call.matches(o, "email")),
        "PostCustomersCustomer" => change(call),
        "DeleteCustomersCustomer" => delete(call),
        _ => return None,
    })
}

/// Makes a customer from the parameters of `POST /v1/customers`.
///
/// # Errors
/// 400 if the sandbox is full.
pub fn create(world: &mut World, given: &Value) -> Res {
    let mut over = copy(given, PLAIN);
    let prefix = world.ids.letters(8).to_uppercase();
    over["balance"] = json!(params::int0(given, "balance"));
    over["invoice_prefix"] = json!(prefix);
    over["invoice_settings"] = json!({ "custom_fields": null, "default_payment_method": null, "footer": null, "rendering_options": null });
    over["next_invoice_sequence"] = json!(1);
    over["tax_exempt"] = json!("none");
    over["delinquent"] = json!(false);
    over["metadata"] = params::merged_metadata(&json!({}), given.get("metadata"));
    if params::at(&over, "address").is_some() {
        over["address"] = address(&over["address"]);
    }
    over["preferred_locales"] = json!(params::list(given, "preferred_locales"));
    let mut customer = world.build("customer", "cus", over);
    if let Some(map) = customer.as_object_mut() {
        map.remove("cash_balance");
        map.remove("customer_account");
    }
    let id = world.keep("customer", customer)?;
    emit(world, "customer.created", "customer", &id)?;
    world.live("customer", &id, "id")
}

fn address(given: &Value) -> Value {
    let mut whole = crate::openapi::skeleton::skeleton("address");
    crate::openapi::skeleton::lay(&mut whole, given.clone());
    whole
}

fn change(call: &mut Call<'_>) -> Res {
    let id = call.id().to_owned();
    let before = call.world.live("customer", &id, "id")?;
    let after = update(call, "customer", &["description", "email", "name", "phone"])?;
    let mut changed = json!({});
    for (field, value) in before.as_object().into_iter().flatten() {
        if after.get(field) != Some(value) {
            changed[field.as_str()] = value.clone();
        }
    }
    emit_changed(call.world, "customer.updated", "customer", &id, changed)?;
    Ok(after)
}

fn delete(call: &mut Call<'_>) -> Res {
    let id = call.id().to_owned();
    let customer = call.world.live("customer", &id, "id")?;
    let subscriptions: Vec<String> = call
        .world
        .related("subscription", "customer", &id)
        .filter(|s| params::text(s, "status") != Some("canceled"))
        .filter_map(|s| params::owned(s, "id"))
        .collect();
    for subscription in subscriptions {
        crate::flows::subscription::cancel(call.world, &subscription)?;
    }
    let gone = call.world.delete("customer", &id)?;
    emit_value(call.world, "customer.deleted", customer, None)?;
    Ok(gone)
}
