//! Broken events through the real server, in all nine eras: none is answered with 5xx, nothing falls over, and no sale earns an
//! amount that nobody can explain. What every single field does is checked without a server in crates/stripe/tests/money.rs.

use crate::support::story::{Story, commission};
use crate::support::{Engine, Numbers, World, both_engines};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;
use tributary_stripe::story::{Era, Objects, Plot, credited, disputed};

both_engines!(broken_events_of_every_era_bring_the_right_money_or_wait);

/// Stories in each era, each with one broken event.
const EACH: usize = 12;

fn paths(value: &Value, at: &mut Vec<String>, out: &mut Vec<Vec<String>>) {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(map) => map.iter().map(|(key, child)| (key.clone(), child)).collect(),
        Value::Array(list) => list.iter().enumerate().map(|(n, child)| (n.to_string(), child)).collect(),
        _ => vec![],
    };
    for (key, child) in children {
        at.push(key);
        out.push(at.clone());
        paths(child, at, out);
        at.pop();
    }
}

fn place<'v>(value: &'v mut Value, path: &[String]) -> &'v mut Value {
    path.iter().fold(value, |value, key| match value {
        Value::Array(list) => &mut list[key.parse::<usize>().expect("an index")],
        other => &mut other[key.as_str()],
    })
}

/// Breaks one field of one event; returns what was done.
fn break_one(events: &mut [Value], numbers: &mut Numbers) -> String {
    let at = numbers.below(events.len());
    let event = &mut events[at];
    let mut all = Vec::new();
    paths(&event["data"]["object"], &mut vec!["data".to_owned(), "object".to_owned()], &mut all);
    all.extend(["api_version", "pending_webhooks", "request"].map(|name| vec![name.to_owned()]));
    let path = all[numbers.below(all.len())].clone();
    let others = [
        json!(null),
        json!("something_new"),
        json!(true),
        json!([]),
        json!({}),
        json!([[null]]),
        json!("1,000"),
    ];
    let what = numbers.below(others.len() + 1);
    let (last, parent) = path.split_last().expect("a field");
    let words = match others.get(what) {
        Some(other) => {
            *place(event, &path) = other.clone();
            other.to_string()
        }
        None => {
            match place(event, parent) {
                Value::Object(map) => drop(map.remove(last)),
                Value::Array(list) => drop(list.remove(last.parse().expect("an index"))),
                _ => {}
            }
            "removed".to_owned()
        }
    };
    format!("{} {}: {words}", event["type"], path.join("."))
}

/// What happens to the first purchase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Refunded { subscription: bool },
    Disputed { won: bool },
    Credited,
}

impl End {
    const fn of(n: usize) -> Self {
        match n % 6 {
            1 | 3 => Self::Refunded { subscription: false },
            4 => Self::Disputed { won: n > 6 },
            5 => Self::Credited,
            _ => Self::Refunded { subscription: true },
        }
    }

    /// The events, after Stripe knows the objects.
    fn told(self, world: &World, plot: &Plot, era: Era) -> Vec<Value> {
        let subscription = self != Self::Refunded { subscription: false };
        let refund = if matches!(self, Self::Refunded { .. }) { plot.refund } else { 0 };
        let known = Plot { refund, ..plot.clone() };
        let story = Story { plot: known, era, subscription, partner: Some("ADA") };
        story.put(&world.stripe);
        let (objects, first) = (Objects { era: Era::Dahlia, plot }, plot.purchase(1));
        match self {
            Self::Refunded { .. } => story.events(),
            Self::Disputed { won } => {
                let status = if won { "won" } else { "lost" };
                world.stripe.put(objects.dispute(&first, status, true, won));
                disputed(era, plot, won)
            }
            Self::Credited => {
                world.stripe.put(objects.credit_note(&first));
                credited(era, plot)
            }
        }
    }

    /// What was not given back of a purchase that cost so much.
    fn kept(self, plot: &Plot) -> i64 {
        match self {
            Self::Refunded { .. } | Self::Credited => plot.total - plot.refund,
            Self::Disputed { won } => {
                if won {
                    plot.total
                } else {
                    0
                }
            }
        }
    }
}

async fn broken_events_of_every_era_bring_the_right_money_or_wait(engine: Engine) {
    let world = World::connected(engine).await;
    let mut numbers = Numbers::new(20_261_127);
    let mut expected: BTreeMap<String, (i64, String)> = BTreeMap::new();
    for (e, era) in Era::ALL.into_iter().enumerate() {
        for n in 0..EACH {
            let tag = format!("x{e}y{n}z");
            let plot = Plot { total: 12_000 + 10 * i64::try_from(n).unwrap(), ..Plot::new(&tag) };
            let end = End::of(n);
            let mut events = end.told(&world, &plot, era);
            let broken = format!("{era:?} {}", break_one(&mut events, &mut numbers));
            let (base, whole) = (plot.total - plot.tax, plot.total);
            expected.insert(format!("{tag}1"), (commission(base, end.kept(&plot), whole), broken.clone()));
            if end == (End::Refunded { subscription: true }) {
                expected.insert(format!("{tag}2"), (commission(base, whole, whole), broken));
            }
            world.deliver_all(&events).await;
        }
    }
    world.settled_within(Duration::from_secs(120)).await;
    let sql = "SELECT c.root_id, SUM(c.target), MAX(s.outcome), MAX(s.disputed) FROM commission c JOIN sale s ON s.workspace_id = c.workspace_id \
         AND s.sale_id = c.sale_id WHERE s.merged_into IS NULL GROUP BY c.root_id";
    let mut wrong = Vec::new();
    let mut right = 0;
    for row in world.database.rows(sql).await {
        let text = |at: usize| row[at].clone().unwrap_or_default();
        let (root, target) = (text(0), text(1).parse::<i64>().expect("a number"));
        let purchase = root
            .split_once('_')
            .map(|(_, rest)| rest.trim_start_matches("test_").to_owned())
            .unwrap_or_default();
        // A session that stands alone is the first purchase of its story.
        let known = expected.get(&purchase).or_else(|| expected.get(&format!("{purchase}1")));
        match known {
            Some((wanted, _)) if target == *wanted => right += 1,
            // Nothing, with a reason: the reference that said who referred it is what was broken.
            Some(_) if target == 0 && text(2) != "earns" => {}
            // What a dispute asks back stays held while nobody knows how it ended.
            Some(_) if text(3) != "0" => {}
            // Null is Stripe's own word for nothing outside of Stripe.
            Some((_, broken)) if broken.ends_with("out_of_band_amount: null") => {}
            Some((wanted, broken)) => wrong.push(format!("{root}: {target} in place of {wanted} ({broken})")),
            None => wrong.push(format!("{root}: {target}, a sale that nobody made")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(right > expected.len() / 2, "{right} of {} came out right", expected.len());
    let log = std::fs::read_to_string(world.log()).unwrap_or_default();
    assert!(!log.contains("panicked"), "the server fell over");
    world.replay().await;
}
