//! The account itself and its balance.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Call, list};
use crate::error::Res;
use crate::params;

/// Serves `account`, `balance` and `balance_transactions`.
pub fn serve(operation: &str, call: &mut Call<'_>) -> Option<Res> {
    Some(match operation {
        "GetAccount" => account(call),
        "GetBalance" => balance(call),
        "GetBalanceTransactionsId" => call.world.find("balance_transaction", call.id(), "id"),
        "GetBalanceTransactions" => list(call, "balance_transaction", "/v1/balance_transactions", |o| {
            ["currency", "source", "type"].iter().all(|f| call.matches(o, f))
        }),
        _ => return None,
    })
}

fn account(call: &mut Call<'_>) -> Res {
    let id = call.world.account_id.clone();
    let mut account = call.world.build(
        "account",
        "acct",
        json!({
            "id": id,
            "business_type": "company",
            "charges_enabled": true,
            "country": "DE",
            "created": 1_700_000_000,
            "default_currency": "eur",
            "details_submitted": true,
            "email": "merchant@sandbox.example",
            "payouts_enabled": true,
            "settings": {
                "branding": { "icon": null, "logo": null, "primary_color": null, "secondary_color": null },
                "card_payments": {
                    "statement_descriptor_prefix": null,
                    "statement_descriptor_prefix_kana": null,
                    "statement_descriptor_prefix_kanji": null,
                },
                "dashboard": { "display_name": "Sandbox shop", "timezone": "Etc/UTC" },
                "payments": {
                    "statement_descriptor": "SANDBOX SHOP",
                    "statement_descriptor_kana": null,
                    "statement_descriptor_kanji": null,
                },
            },
            "type": "standard",
        }),
    );
    if let Some(map) = account.as_object_mut() {
        map.remove("business_profile");
        map.remove("groups");
        map.remove("tos_acceptance");
    }
    Ok(account)
}

/// The sum of all balance transactions; everything is available at once.
fn balance(call: &mut Call<'_>) -> Res {
    let mut sums: BTreeMap<String, i64> = BTreeMap::new();
    for entry in call.world.newest("balance_transaction") {
        let currency = params::owned(entry, "currency").unwrap_or_default();
        *sums.entry(currency).or_default() += params::int0(entry, "net");
    }
    if sums.is_empty() {
        sums.insert("eur".to_owned(), 0);
    }
    let amounts = |value: &dyn Fn(i64) -> i64| -> Vec<Value> {
        sums.iter()
            .map(
                |(c, n)| json!({ "amount": value(*n), "currency": c, "source_types": { "card": value(*n) } }),
            )
            .collect()
    };
    Ok(json!({
        "object": "balance",
        "available": amounts(&|n| n),
        "livemode": call.world.livemode,
        "pending": amounts(&|_| 0),
    }))
}
