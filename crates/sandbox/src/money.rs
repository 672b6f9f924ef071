//! What a sale costs: lines, discount, tax, shipping. Whole minor units only; every rounding is half up.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::error::{ApiError, Res};
use crate::params;
use crate::plan::{LineSpec, Plan};
use crate::world::World;

const MILLION: i128 = 1_000_000;
/// Largest amount that Stripe takes: 99,999,999.99 in two-decimal currencies, more in a few others.
const MAX_AMOUNT: i64 = 999_999_999_999;

/// Tax and shipping that the sandbox puts on sales, set by `POST /_sandbox/settings`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Tax in parts per million: 20 % = 200,000. 0 = no tax.
    pub tax_ppm: u32,
    /// True if prices include the tax; a price's own `tax_behavior` wins.
    pub tax_inclusive: bool,
    /// Shipping in minor units on every checkout that names no shipping of its own; it is not taxed.
    pub shipping: u32,
}

/// One line of a quote.
#[derive(Debug, Clone, Default)]
pub struct Line {
    /// The price's id.
    pub price: String,
    /// The product's id.
    pub product: String,
    /// The product's name.
    pub description: String,
    /// How many.
    pub quantity: i64,
    /// Minor units each.
    pub unit: i64,
    /// Before discount; with the tax inside if inclusive.
    pub subtotal: i64,
    /// Taken off.
    pub discount: i64,
    /// Tax on the rest.
    pub tax: i64,
    /// True if the tax is inside the price.
    pub inclusive: bool,
    /// Recurring interval and count.
    pub recurring: Option<(String, i64)>,
    /// Is it a part of a period, after a change of the subscription?
    pub proration: bool,
    /// The subscription's item that it is for, where its place in the list does not say.
    pub item: Option<String>,
    /// The invoice item that it came from.
    pub invoice_item: Option<String>,
    /// The text of the line, if it is another than "quantity × product".
    pub text: Option<String>,
}

impl Line {
    /// What is paid for the line.
    pub fn total(&self) -> i64 {
        self.subtotal - self.discount + if self.inclusive { 0 } else { self.tax }
    }
}

/// What a sale costs.
#[derive(Debug, Clone)]
pub struct Quote {
    /// Currency, lower case.
    pub currency: String,
    /// The lines.
    pub lines: Vec<Line>,
    /// Shipping.
    pub shipping: i64,
}

impl Quote {
    /// Lines before discount and exclusive tax.
    pub fn subtotal(&self) -> i64 {
        self.lines.iter().map(|l| l.subtotal).sum()
    }
    /// Discount of all lines.
    pub fn discount(&self) -> i64 {
        self.lines.iter().map(|l| l.discount).sum()
    }
    /// Tax of all lines.
    pub fn tax(&self) -> i64 {
        self.lines.iter().map(|l| l.tax).sum()
    }
    /// What is paid.
    pub fn total(&self) -> i64 {
        self.lines.iter().map(Line::total).sum::<i64>() + self.shipping
    }
    /// Inclusive tax of all lines.
    pub fn inclusive_tax(&self) -> i64 {
        self.lines.iter().filter(|l| l.inclusive).map(|l| l.tax).sum()
    }
    /// A quote in which nothing is paid now, for a trial.
    pub fn free(mut self) -> Self {
        for line in &mut self.lines {
            line.unit = 0;
            line.subtotal = 0;
            line.discount = 0;
            line.tax = 0;
        }
        self.shipping = 0;
        self
    }
}

/// Prices a plan's lines with its discount, the world's tax and the plan's shipping.
///
/// # Errors
/// 404 for an unknown price or coupon; 400 for prices in several currencies, none at all, or an amount too large.
pub fn quote(world: &World, plan: &Plan, with_discount: bool) -> Res<Quote> {
    let mut lines = Vec::new();
    let mut currency: Option<String> = None;
    for spec in &plan.lines {
        let price = world.live("price", &spec.price, "line_items[0][price]")?;
        let own = params::owned(&price, "currency").unwrap_or_default();
        if currency.get_or_insert_with(|| own.clone()) != &own {
            return Err(ApiError::bad("All prices of a sale must use the same currency."));
        }
        lines.push(line(world, &price, spec)?);
    }
    let currency = currency.ok_or_else(|| {
        ApiError::param(
            "parameter_missing",
            "line_items",
            "You must provide line_items with at least one price.",
        )
    })?;
    if with_discount && let Some(coupon) = plan.discount.as_ref().map(|d| d.coupon.as_str()) {
        discount(world, coupon, &currency, &mut lines)?;
    }
    lines.iter_mut().for_each(|line| put_tax(world, line));
    let quote = Quote { currency, lines, shipping: plan.shipping };
    if quote.total() > MAX_AMOUNT {
        return Err(ApiError::param("amount_too_large", "line_items", "The total amount is too large."));
    }
    Ok(quote)
}

/// Reckons the tax of a line by the world's settings.
pub fn put_tax(world: &World, line: &mut Line) {
    line.tax = tax(line.subtotal - line.discount, world.settings.tax_ppm, line.inclusive);
}

/// A line of one price.
///
/// # Errors
/// 404 for an unknown price; 400 for an amount too large.
pub fn line_of(world: &World, price: &str, quantity: i64) -> Res<Line> {
    let found = world.live("price", price, "price")?;
    let mut line = line(world, &found, &LineSpec { price: price.to_owned(), quantity })?;
    put_tax(world, &mut line);
    Ok(line)
}

fn line(world: &World, price: &Value, spec: &LineSpec) -> Res<Line> {
    let unit = params::int0(price, "unit_amount");
    let product = params::owned(price, "product").unwrap_or_default();
    let subtotal = unit
        .checked_mul(spec.quantity)
        .filter(|amount| *amount <= MAX_AMOUNT && spec.quantity >= 0)
        .ok_or_else(|| {
            ApiError::param("amount_too_large", "line_items", "The quantity or amount is out of range.")
        })?;
    let inclusive = match params::text(price, "tax_behavior") {
        Some("inclusive") => true,
        Some("exclusive") => false,
        _ => world.settings.tax_inclusive,
    };
    let recurring = params::owned(price, "recurring.interval")
        .map(|interval| (interval, params::int(price, "recurring.interval_count").unwrap_or(1)));
    let name = world.get("product", &product).and_then(|p| params::owned(p, "name")).unwrap_or_default();
    Ok(Line {
        price: spec.price.clone(),
        product,
        description: name,
        quantity: spec.quantity,
        unit,
        subtotal,
        inclusive,
        recurring,
        ..Line::default()
    })
}

/// Takes a coupon off the lines: per cent line by line, an amount in proportion with the rest on the first lines.
fn discount(world: &World, coupon: &str, currency: &str, lines: &mut [Line]) -> Res<()> {
    let coupon = world.live("coupon", coupon, "discounts[0][coupon]")?;
    let products: Vec<&str> =
        params::list(&coupon, "applies_to.products").iter().filter_map(Value::as_str).collect();
    let applies = |line: &Line| products.is_empty() || products.contains(&line.product.as_str());
    if let Some(percent) = params::at(&coupon, "percent_off") {
        let ppm = percent_ppm(&percent.to_string())
            .ok_or_else(|| ApiError::internal(format!("percent_off {percent} cannot be read")))?;
        for line in lines.iter_mut().filter(|l| applies(l)) {
            line.discount = share(line.subtotal, i128::from(ppm), 100 * MILLION);
        }
        return Ok(());
    }
    if params::text(&coupon, "currency") != Some(currency) {
        return Err(ApiError::bad("The coupon's currency is not that of the sale."));
    }
    let whole: i64 = lines.iter().filter(|l| applies(l)).map(|l| l.subtotal).sum();
    let off = params::int0(&coupon, "amount_off").min(whole);
    let mut rest = off;
    for line in lines.iter_mut().filter(|l| applies(l)) {
        line.discount = floor_share(line.subtotal, i128::from(off), i128::from(whole.max(1)));
        rest -= line.discount;
    }
    for line in lines.iter_mut().filter(|l| applies(l)) {
        let more = rest.min(line.subtotal - line.discount);
        line.discount += more;
        rest -= more;
    }
    Ok(())
}

/// `"12.5"` per cent in millionths of a per cent, exactly; `None` for more than six decimals or no number.
fn percent_ppm(text: &str) -> Option<i64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    if part.len() > 6 || !part.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let whole: i64 = whole.parse().ok()?;
    let part: i64 = format!("{part:0<6}").parse().ok()?;
    whole.checked_mul(1_000_000)?.checked_add(part)
}

fn tax(amount: i64, ppm: u32, inclusive: bool) -> i64 {
    if amount < 0 {
        return -tax(-amount, ppm, inclusive);
    }
    let ppm = i128::from(ppm);
    if inclusive { amount - share(amount, MILLION, MILLION + ppm) } else { share(amount, ppm, MILLION) }
}

/// `amount × part / whole`, rounded half up; amounts here are not negative.
fn share(amount: i64, part: i128, whole: i128) -> i64 {
    let exact = i128::from(amount) * part;
    i64::try_from((2 * exact + whole) / (2 * whole)).unwrap_or(i64::MAX)
}

fn floor_share(amount: i64, part: i128, whole: i128) -> i64 {
    i64::try_from(i128::from(amount) * part / whole).unwrap_or(i64::MAX)
}

/// Stripe's fee on a charge: 2.9 % and 30 minor units, never more than the charge.
pub fn fee(amount: i64) -> i64 {
    (share(amount, 29, 1_000) + 30).min(amount)
}

/// A decimal number in major units, as text, in minor units of its currency; `None` for what is none.
pub fn minor(text: &str, currency: &str) -> Option<i64> {
    const NONE: [&str; 16] = [
        "bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "ugx", "vnd", "vuv", "xaf",
        "xof", "xpf",
    ];
    const THREE: [&str; 5] = ["bhd", "jod", "kwd", "omr", "tnd"];
    let exponent = if NONE.contains(&currency) { 0 } else { 2 + usize::from(THREE.contains(&currency)) };
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let part = part.trim_end_matches('0');
    if part.len() > exponent {
        return None;
    }
    let amount: i64 = format!("{whole}{part:0<exponent$}").parse().ok()?;
    Some(if negative { -amount } else { amount })
}

/// The tax lines of an invoice or of one line, empty without tax.
pub fn taxes(lines: &[&Line]) -> Value {
    let mut entries = Vec::new();
    for inclusive in [false, true] {
        let amount: i64 = lines.iter().filter(|l| l.inclusive == inclusive).map(|l| l.tax).sum();
        let taxable: i64 = lines
            .iter()
            .filter(|l| l.inclusive == inclusive)
            .map(|l| l.subtotal - l.discount - if inclusive { l.tax } else { 0 })
            .sum();
        if amount != 0 {
            entries.push(tax_entry(amount, inclusive, taxable));
        }
    }
    Value::Array(entries)
}

/// One entry of `total_taxes` or `taxes`; minor units, below 0 on a line that gives back.
pub fn tax_entry(amount: i64, inclusive: bool, taxable: i64) -> Value {
    json!({
        "amount": amount,
        "tax_behavior": if inclusive { "inclusive" } else { "exclusive" },
        "tax_rate_details": { "tax_rate": "txr_1SandboxSetting" },
        "taxability_reason": "standard_rated",
        "taxable_amount": taxable,
        "type": "tax_rate_details",
    })
}

/// `amount × part / whole`, rounded half up by size; 0 of nothing. Negative amounts keep their sign.
pub fn part(amount: i64, part: i64, whole: i64) -> i64 {
    if whole == 0 {
        return 0;
    }
    let sign = amount.signum() * part.signum() * whole.signum();
    let size = |n: i64| i128::from(n).abs();
    let exact = size(amount) * size(part);
    let rounded = (2 * exact + size(whole)) / (2 * size(whole));
    i64::try_from(rounded).unwrap_or(i64::MAX) * sign
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tax_is_exact_both_ways() {
        assert_eq!(tax(10_000, 200_000, false), 2_000);
        assert_eq!(tax(12_000, 200_000, true), 2_000);
        assert_eq!(tax(999, 190_000, true), 160); // 999 / 1.19 = 839.4957…
        assert_eq!(tax(999, 0, false), 0);
    }

    #[test]
    fn decimals_have_the_digits_of_their_currency() {
        assert_eq!(minor("12.5", "usd"), Some(1250));
        assert_eq!(minor("-3", "usd"), Some(-300));
        assert_eq!(minor("777", "jpy"), Some(777));
        assert_eq!(minor("1.234", "kwd"), Some(1234));
        assert_eq!(minor("1.234", "usd"), None);
        assert_eq!(minor("1e3", "usd"), None);
    }

    #[test]
    fn percents_are_read_as_text() {
        assert_eq!(percent_ppm("12.5"), Some(12_500_000));
        assert_eq!(percent_ppm("100"), Some(100_000_000));
        assert_eq!(percent_ppm("1.2345678"), None);
        assert_eq!(share(999, 12_500_000, 100_000_000), 125);
    }
}
