//! What a story must bring its partner by the sandbox's own books, and what Tributary says.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::Teller;
use crate::books::{self, Terms};
use crate::error::Res;
use crate::params;
use crate::shared::{Shared, WorldKey};

/// Thirty per cent, as the demonstration's program has it.
const USUAL_PPM: i64 = 300_000;
/// Tributary has this long to work through the story's events.
const PATIENCE: Duration = Duration::from_secs(10);
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// The purchases that were there before the story.
pub fn roots(shared: &Shared, key: &WorldKey) -> Res<BTreeSet<String>> {
    shared.world(key, |world| books::sales(world).into_iter().map(|sale| sale.root).collect())
}

/// What the story's purchases must bring: per currency, and per purchase.
pub fn expected(shared: &Shared, key: &WorldKey, teller: &Teller, known: &BTreeSet<String>) -> Res {
    let partner = teller.partner();
    let terms = Terms {
        percent_ppm: teller.options.percent_ppm.unwrap_or(USUAL_PPM),
        partners: Some(BTreeSet::from([partner.clone()])),
        codes: BTreeMap::new(),
        customers: teller.signed_up.iter().map(|key| (key.clone(), partner.clone())).collect(),
    };
    let owed = shared.world(key, |world| books::owed(world, &terms))??;
    let new = |sale: &&Value| params::text(sale, "root").is_some_and(|root| !known.contains(root));
    let sales: Vec<&Value> = params::list(&owed, "sales").iter().filter(new).collect();
    let mut sums: BTreeMap<String, [i64; 3]> = BTreeMap::new();
    for sale in sales.iter().filter(|s| params::text(s, "partner") == Some(&partner)) {
        let sum = sums.entry(params::owned(sale, "currency").unwrap_or_default()).or_default();
        for (at, field) in ["earned", "reversed", "net"].iter().enumerate() {
            if let Some(part) = sum.get_mut(at) {
                *part += params::int0(sale, field);
            }
        }
    }
    let currencies: BTreeMap<&String, Value> = sums
        .iter()
        .map(|(currency, [earned, reversed, net])| {
            (currency, json!({ "earned": earned, "reversed": reversed, "net": net }))
        })
        .collect();
    Ok(json!({ "partner": partner, "currencies": currencies, "sales": sales }))
}

/// What Tributary's ledger gained by the story: asked until it is what it must be, or the patience ends.
pub async fn real(teller: &Teller, before: BTreeMap<String, i64>, expected: &Value) -> Value {
    let wanted: BTreeMap<String, i64> = expected["currencies"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(currency, sums)| (currency.clone(), params::int0(sums, "net")))
        .filter(|(_, net)| *net != 0)
        .collect();
    let end = Instant::now() + PATIENCE;
    loop {
        let now = teller.real().await;
        let gained: Option<BTreeMap<String, i64>> = now.map(|now| {
            let keys: BTreeSet<&String> = now.keys().chain(before.keys()).collect();
            let of = |sums: &BTreeMap<String, i64>, key: &String| sums.get(key).copied().unwrap_or_default();
            keys.into_iter()
                .map(|key| (key.clone(), of(&now, key) - of(&before, key)))
                .filter(|(_, gain)| *gain != 0)
                .collect()
        });
        let same = gained.as_ref() == Some(&wanted);
        if same || Instant::now() >= end {
            return json!({ "currencies": gained, "same": same });
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}
