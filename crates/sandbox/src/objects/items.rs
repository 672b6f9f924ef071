//! Line items of a session or payment link.

use serde_json::{Value, json};

use crate::ids::Ids;
use crate::money::{self, Line};
use crate::world::World;

/// The items of what is planned under an id; `None` if nothing is.
pub fn of_plan(world: &World, id: &str) -> Option<Vec<Value>> {
    let plan = world.plans.get(id)?;
    let quote = money::quote(world, plan, true).ok()?;
    let items = quote.lines.iter().enumerate().map(|(at, line)| item(world, id, at, line, &quote.currency));
    Some(items.collect())
}

fn item(world: &World, owner: &str, at: usize, line: &Line, currency: &str) -> Value {
    // Items are made anew each time they are read, so their ids follow from their place.
    let id = Ids::new(0, &format!("{owner} item {at}")).next("li");
    json!({
        "id": id,
        "object": "item",
        "adjustable_quantity": null,
        "amount_discount": line.discount,
        "amount_subtotal": line.subtotal,
        "amount_tax": line.tax,
        "amount_total": line.total(),
        "currency": currency,
        "description": line.description,
        "metadata": {},
        "price": world.get("price", &line.price),
        "quantity": line.quantity,
    })
}
