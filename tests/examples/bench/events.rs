//! Signed events in the shapes of Stripe's current API, made before any clock starts.

use crate::process::Fail;
use crate::stripe::ACCOUNT;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;
use tributary_stripe::story::{Era, Objects, Plot, wrap};

/// The partner of every referred purchase.
pub(crate) const PARTNER: &str = "ADA";
/// The customer with a long history: its key with the merchant is its Stripe id.
pub(crate) const REGULAR: &str = "cus_BenchRegular01";
/// Buyers whose subscriptions renew, in the crowd.
const SUBSCRIBERS: u64 = 1_000;

/// One event.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    /// The raw body.
    pub(crate) body: Vec<u8>,
}

/// Events and what they must earn.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// In the order in which Stripe would send them.
    pub(crate) events: Vec<Event>,
    /// Purchases among them.
    pub(crate) sales: i64,
    /// What the partner earns of them at 30 %, minor units.
    pub(crate) earned: i64,
}

/// What differs between two events of one kind.
#[derive(Debug, Clone)]
struct Facts {
    tag: String,
    customer: String,
    total: i64,
    tax: i64,
    at_s: i64,
}

/// Stands in a template for what differs; the numbers occur nowhere else.
const TAG: &str = "BenchTagBenchTag";
const CUSTOMER: &str = "cus_BenchSomeCustomer";
const NUMBERS: [&str; 4] = ["787878787", "121212121", "666666666", "1999999000"];

/// A body in pieces: text, and which number or name follows it.
#[derive(Debug)]
struct Template(Vec<(String, Option<usize>)>);

impl Template {
    fn new(event: &Value) -> Result<Self, Fail> {
        let mut rest = serde_json::to_string_pretty(event)?;
        let marks: Vec<&str> = [TAG, CUSTOMER].into_iter().chain(NUMBERS).collect();
        let mut pieces = Vec::new();
        loop {
            let found = marks.iter().enumerate().filter_map(|(at, mark)| Some((rest.find(mark)?, at))).min();
            let Some((place, at)) = found else { break };
            let tail = rest.split_off(place);
            pieces.push((rest, Some(at)));
            rest = tail[marks[at].len()..].to_owned();
        }
        pieces.push((rest, None));
        Ok(Self(pieces))
    }

    fn fill(&self, facts: &Facts) -> Event {
        let net = facts.total - facts.tax;
        let numbers = [facts.total, facts.tax, net, facts.at_s].map(|number| number.to_string());
        let mut body = String::with_capacity(6_000);
        for (text, mark) in &self.0 {
            body.push_str(text);
            match mark {
                Some(0) => body.push_str(&facts.tag),
                Some(1) => body.push_str(&facts.customer),
                Some(number) => body.push_str(&numbers[number - 2]),
                None => {}
            }
        }
        Event { body: body.into_bytes() }
    }
}

/// The kinds of events that are sent.
#[derive(Debug)]
pub(crate) struct Stories {
    charge: Template,
    session: Template,
    renewal: Template,
    regular: Template,
    strange: Template,
}

impl Stories {
    /// Reads the shapes.
    pub(crate) fn new() -> Result<Self, Fail> {
        let number = |at: usize| NUMBERS[at].parse::<i64>();
        let mut plot = Plot::new(TAG);
        (plot.total, plot.tax, plot.start_s) = (number(0)?, number(1)?, number(3)?);
        plot.client_reference_id = Some(PARTNER.to_owned());
        let objects = Objects { era: Era::Dahlia, plot: &plot };
        let purchase = plot.purchase(1);
        let event = |type_: &str, letter: char, mut object: Value| {
            // Times near the mark are the mark: they differ by seconds only.
            for time in ["created", "effective_at"] {
                if object.get(time).is_some_and(Value::is_i64) {
                    object[time] = json!(plot.start_s);
                }
            }
            wrap(&format!("evt_{TAG}{letter}"), type_, Era::Dahlia.api_version(), plot.start_s, object)
        };
        let charge = event("charge.succeeded", 'c', objects.charge(&purchase, false, 0));
        let session = event("checkout.session.completed", 's', objects.session(&purchase, false));
        let mut invoice = objects.invoice(&purchase);
        invoice["customer"] = json!(CUSTOMER);
        invoice["customer_email"] = json!(format!("{CUSTOMER}@example.com"));
        invoice["billing_reason"] = json!("subscription_cycle");
        invoice["status_transitions"]["finalized_at"] = json!(plot.start_s);
        let details = json!({ "metadata": {}, "subscription": format!("sub_{CUSTOMER}") });
        invoice["parent"]["subscription_details"] = details;
        let regular = event("invoice.paid", 'i', invoice.clone());
        // Who signed up long ago carries the partner in the subscription's metadata.
        invoice["parent"]["subscription_details"]["metadata"] = json!({ "partner_key": PARTNER });
        let renewal = event("invoice.paid", 'i', invoice);
        let mut strange = renewal.clone();
        strange["account"] = json!(format!("{ACCOUNT}_of_somebody_else"));
        Ok(Self {
            charge: Template::new(&charge)?,
            session: Template::new(&session)?,
            renewal: Template::new(&renewal)?,
            regular: Template::new(&regular)?,
            strange: Template::new(&strange)?,
        })
    }

    /// Purchases by many buyers: a guest's payment by link (charge and session) and a renewal (invoice), in turn.
    fn purchases(&self, count: usize, from: u64, now_s: i64) -> Told {
        let mut told = Told::default();
        for n in (from..).take(count) {
            let facts = facts(n, format!("cus_Bench{:08}", n % SUBSCRIBERS), now_s - 60);
            told.events.extend([self.charge.fill(&facts), self.session.fill(&facts)]);
            told.sold(&facts);
            let facts = Facts { tag: tag(n, 'r'), ..facts };
            told.events.push(self.renewal.fill(&facts));
            told.sold(&facts);
        }
        told
    }

    /// The same, with every tenth event sent twice: half of the repeats at once, half at the end.
    pub(crate) fn with_repeats(&self, count: usize, from: u64, now_s: i64) -> (Told, usize) {
        let mut told = self.purchases(count, from, now_s);
        let unique = told.events.len();
        let (mut events, mut late) = (Vec::with_capacity(unique + unique / 10), Vec::new());
        for (at, event) in told.events.into_iter().enumerate() {
            match at % 20 {
                7 => events.push(event.clone()),
                17 => late.push(event.clone()),
                _ => {}
            }
            events.push(event);
        }
        events.extend(late);
        told.events = events;
        (told, unique)
    }

    /// Bodies of every kind, for a server that does not look at them.
    pub(crate) fn crowd(&self, count: usize, now_s: i64) -> Vec<Event> {
        self.purchases(count, 0, now_s).events
    }

    /// Events that are verified, kept and answered like any other, and that the pipeline has no work with: they say
    /// that they belong to another account.
    pub(crate) fn strange(&self, count: usize, from: u64, now_s: i64) -> Vec<Event> {
        (from..).take(count).map(|n| self.strange.fill(&facts(n, CUSTOMER.to_owned(), now_s))).collect()
    }

    /// Renewals of the one customer, by the numbers of the months.
    pub(crate) fn history(&self, numbers: &[usize], of: usize, end_s: i64) -> Told {
        let mut told = Told::default();
        for n in numbers {
            let age = i64::try_from(of - n).unwrap_or(0) * 10;
            let facts = facts(u64::try_from(*n).unwrap_or(0), REGULAR.to_owned(), end_s - age);
            told.events.push(self.regular.fill(&facts));
            told.sold(&facts);
        }
        told
    }
}

impl Told {
    /// 30 % of what the purchase brings without its tax, rounded half to even.
    fn sold(&mut self, facts: &Facts) {
        let thirds = (facts.total - facts.tax) * 3;
        let (whole, rest) = (thirds / 10, thirds % 10);
        self.earned += whole + i64::from(rest > 5 || (rest == 5 && whole % 2 == 1));
        self.sales += 1;
    }
}

fn facts(n: u64, customer: String, at_s: i64) -> Facts {
    let total = 1_900 + i64::try_from(n % 9_973).unwrap_or(0);
    Facts { tag: tag(n, 'p'), customer, total, tax: total * 19 / 119, at_s }
}

/// An id's tail that says nothing of its order, as Stripe's do not.
fn tag(n: u64, kind: char) -> String {
    let mut x = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    format!("{:015x}{kind}", (x ^ (x >> 31)) >> 4)
}

/// The header that Stripe sends with a body.
pub(crate) fn sign(secret: &str, t: i64, body: &[u8]) -> Result<String, Fail> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes())?;
    mac.update(format!("{t}.").as_bytes());
    mac.update(body);
    Ok(format!("t={t},v1={}", hex::encode(mac.finalize().into_bytes())))
}
