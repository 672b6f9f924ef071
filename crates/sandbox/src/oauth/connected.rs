//! Events of connected accounts, which go to their platforms' endpoints with `account` in them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::grants::Agreed;
use crate::error::Res;
use crate::events;
use crate::params;
use crate::shared::{Shared, WorldKey};
use crate::world::World;

/// The account took back what it had agreed to: the event that says so.
///
/// # Errors
/// 400 if the sandbox is full.
pub fn withdrawn(shared: &Shared, agreed: &Agreed) -> Res<()> {
    let application = json!({ "id": agreed.client_id, "object": "application", "name": "Tributary" });
    shared.world(&(agreed.account.clone(), agreed.livemode), |world| {
        events::emit_value(world, "account.application.deauthorized", application, None)
    })?
}

/// An event's id, its type, and itself with the account in it.
type Told = (String, String, Value);

/// Hands events that accounts made since the last time to the platforms that are connected to them.
pub fn route_connect(shared: &Shared, worlds: &mut BTreeMap<WorldKey, World>) {
    let mut made: Vec<(WorldKey, Vec<Told>)> = Vec::new();
    for (key, world) in worlds.iter_mut() {
        let fresh = std::mem::take(&mut world.made_events);
        if !fresh.is_empty() {
            let account = world.account_id.clone();
            let with = fresh.into_iter().map(|(id, mut event)| {
                event["account"] = json!(account);
                let kind = params::owned(&event, "type").unwrap_or_default();
                (id, kind, event)
            });
            made.push((key.clone(), with.collect()));
        }
    }
    for ((account, livemode), all) in made {
        let platforms = shared.oauth().platforms_of(&account, livemode);
        for platform in platforms {
            let Some(world) = worlds.get_mut(&(platform, livemode)) else { continue };
            for (id, kind, event) in &all {
                for endpoint in events::wanting(world, kind, true) {
                    world.queue.push(id, &endpoint, &event.to_string());
                }
            }
        }
    }
}
