//! What each partner must have earned under simple terms: a percentage for life, tax and shipping left out, halves
//! rounded to the even number.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::sales::{Sale, codes, sales};
use crate::error::{ApiError, Res};
use crate::params;
use crate::world::World;

/// The terms, and who is known.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// The rate in parts per million: 30 % = 300,000.
    pub percent_ppm: i64,
    /// Keys of partners; every reference is a partner's if the list is absent.
    pub partners: Option<BTreeSet<String>>,
    /// The partner of each customer that the merchant's server signed up, by the customer's key.
    #[serde(default)]
    pub customers: BTreeMap<String, String>,
    /// The partner of each promotion code, by its text. Of a reference and a code the reference goes first.
    #[serde(default)]
    pub codes: BTreeMap<String, String>,
}

/// What a partner has in one currency, or what one sale brings. Minor units.
#[derive(Debug, Default, Clone, Copy, Serialize)]
struct Amounts {
    /// Before anything went back.
    earned: i64,
    /// Of that, what went back.
    reversed: i64,
    /// What is left.
    net: i64,
}

/// Expected per partner and currency, and per sale.
///
/// # Errors
/// 400 for a rate outside 0 to 100 %, or amounts that are too large to be reckoned exactly.
pub fn owed(world: &World, terms: &Terms) -> Res {
    if !(0..=1_000_000).contains(&terms.percent_ppm) {
        return Err(ApiError::bad("percent_ppm is in parts per million and at most 1,000,000."));
    }
    let links = Links::of(world, terms);
    let mut partners: BTreeMap<String, BTreeMap<String, Amounts>> = BTreeMap::new();
    let mut told = Vec::new();
    for sale in sales(world) {
        let partner = links.partner(&sale);
        let amounts = amounts(&sale, terms.percent_ppm)?;
        if let Some(partner) = &partner {
            let sums = partners.entry(partner.clone()).or_default().entry(sale.currency.clone()).or_default();
            sums.earned += amounts.earned;
            sums.reversed += amounts.reversed;
            sums.net += amounts.net;
        }
        told.push(json!({
            "root": sale.root,
            "partner": partner,
            "currency": sale.currency,
            "base": sale.total - sale.tax - sale.shipping,
            "paid": sale.paid,
            "total": sale.total,
            "captured": sale.captured,
            "kept": sale.kept(),
            "earned": amounts.earned,
            "reversed": amounts.reversed,
            "net": amounts.net,
        }));
    }
    Ok(json!({ "partners": partners, "sales": told }))
}

fn amounts(sale: &Sale, ppm: i64) -> Res<Amounts> {
    let base = (sale.total - sale.tax - sale.shipping).max(0);
    let rate = [(base, 1), (ppm, 1_000_000), (sale.paid, sale.total)];
    let too_large =
        || ApiError::bad(format!("The amounts of {} are too large to be reckoned here.", sale.root));
    let earned = half_even(&rate).ok_or_else(too_large)?;
    let [one, two, three] = rate;
    let net = half_even(&[one, two, three, (sale.kept(), sale.captured)]).ok_or_else(too_large)?;
    Ok(Amounts { earned, reversed: earned - net, net })
}

/// The product of fractions that are not negative, rounded once, halves to the even number; `None` if it does not
/// fit.
fn half_even(fractions: &[(i64, i64)]) -> Option<i64> {
    let (mut top, mut bottom) = (1_i128, 1_i128);
    for (numerator, denominator) in fractions {
        top = top.checked_mul(i128::from(*numerator))?;
        bottom = bottom.checked_mul(i128::from(*denominator))?;
        let common = gcd(top, bottom).max(1);
        top /= common;
        bottom /= common;
    }
    if bottom <= 0 {
        return None;
    }
    let (whole, rest) = (top / bottom, top % bottom);
    let up = match (rest.checked_mul(2)?).cmp(&bottom) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Greater => true,
        std::cmp::Ordering::Equal => whole % 2 != 0,
    };
    i64::try_from(whole + i128::from(up)).ok()
}

fn gcd(a: i128, b: i128) -> i128 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// Who brought whom.
struct Links<'t> {
    terms: &'t Terms,
    /// Partners by the ids of their promotion codes.
    codes: HashMap<String, String>,
    /// The earliest word about a buyer: (time, object, partner).
    buyers: HashMap<String, (i64, String, String)>,
}

impl<'t> Links<'t> {
    fn of(world: &World, terms: &'t Terms) -> Self {
        let owner = |one: &Value| {
            let partner = terms.codes.get(params::text(one, "code")?)?;
            Some((params::owned(one, "id")?, partner.clone()))
        };
        let codes_of = world.newest("promotion_code").filter_map(owner).collect();
        let mut links = Self { terms, codes: codes_of, buyers: HashMap::new() };
        for customer in world.newest("customer") {
            let id = params::owned(customer, "id").unwrap_or_default();
            links.hear(&id, customer, "metadata");
        }
        for session in
            world.newest("checkout.session").filter(|s| params::text(s, "status") == Some("complete"))
        {
            let buyer = params::owned(session, "customer")
                .or_else(|| params::owned(session, "customer_details.email").map(|e| e.to_lowercase()));
            let Some(buyer) = buyer else { continue };
            links.hear(&buyer, session, "metadata");
            let reference = params::text(session, "client_reference_id").and_then(|r| links.known(r));
            links.note(&buyer, session, reference.or_else(|| links.by_code(&codes(world, session))));
        }
        for subscription in world.newest("subscription") {
            let buyer = params::owned(subscription, "customer").unwrap_or_default();
            links.hear(&buyer, subscription, "metadata");
        }
        for invoice in world.newest("invoice").filter(|i| params::text(i, "status") == Some("paid")) {
            let buyer = params::owned(invoice, "customer").unwrap_or_default();
            // What came with a checkout was said by the checkout.
            if params::text(invoice, "billing_reason") == Some("subscription_create") {
                links.note_code(&buyer, world, invoice);
            }
        }
        links
    }

    /// The partner of the first code that belongs to one.
    fn by_code(&self, ids: &[String]) -> Option<String> {
        ids.iter().find_map(|id| self.codes.get(id)).cloned()
    }

    fn note_code(&mut self, buyer: &str, world: &World, object: &Value) {
        let partner = self.by_code(&codes(world, object));
        self.note(buyer, object, partner);
    }

    fn known(&self, key: &str) -> Option<String> {
        let partner = self.terms.partners.as_ref().is_none_or(|all| all.contains(key));
        match self.terms.customers.get(key) {
            Some(partner) => Some(partner.clone()),
            None => partner.then(|| key.to_owned()),
        }
    }

    fn hear(&mut self, buyer: &str, object: &Value, path: &str) {
        let partner = params::text(object, &format!("{path}.partner_key")).and_then(|k| self.known(k));
        let customer = params::text(object, &format!("{path}.customer_key"));
        let signed_up = customer.and_then(|c| self.terms.customers.get(c).cloned());
        self.note(buyer, object, partner.or(signed_up));
    }

    fn note(&mut self, buyer: &str, object: &Value, partner: Option<String>) {
        let Some(partner) = partner else { return };
        let id = params::owned(object, "id").unwrap_or_default();
        let word = (params::int0(object, "created"), id, partner);
        match self.buyers.get(buyer) {
            Some(earlier) if *earlier <= word => {}
            _ => drop(self.buyers.insert(buyer.to_owned(), word)),
        }
    }

    fn partner(&self, sale: &Sale) -> Option<String> {
        let named = sale.partner_key.as_deref().and_then(|key| self.known(key));
        let buyer = sale.customer.clone().or_else(|| sale.email.as_ref().map(|e| e.to_lowercase()));
        let reference = sale.client_reference_id.as_deref().and_then(|key| self.known(key));
        let named = named.or(reference).or_else(|| self.by_code(&sale.codes));
        named.or_else(|| buyer.and_then(|b| self.buyers.get(&b)).map(|(_, _, partner)| partner.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_rounding_and_halves_to_the_even_number() {
        let rate = |base: i64| half_even(&[(base, 1), (300_000, 1_000_000)]);
        for (base, wanted) in [(0, 0), (1, 0), (5, 2), (15, 4), (25, 8), (35, 10), (10_000, 3000)] {
            assert_eq!(rate(base), Some(wanted), "{base}");
        }
        assert_eq!(half_even(&[(10_000, 1), (3, 10), (6000, 12_000)]), Some(1500));
        assert_eq!(half_even(&[(1, 0)]), None);
        assert_eq!(
            half_even(&[(i64::MAX, 1), (i64::MAX, 7), (i64::MAX, 11)]),
            None,
            "too large, and said so"
        );
    }
}
