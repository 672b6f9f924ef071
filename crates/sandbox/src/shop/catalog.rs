//! What the shop sells, and by which payment links, buttons and tables.

use super::{Shop, stripe};
use crate::error::Res;
use crate::params;
use crate::shared::Shared;

/// The code that takes a tenth off the first payment.
const PROMOTION: &str = "WELCOME10";

/// One thing that is sold.
#[derive(Debug, Clone)]
pub struct Item {
    /// Its name in the shop's own forms: `monthly`, `annual` or `handbook`.
    pub plan: &'static str,
    /// Name of the product.
    pub name: &'static str,
    /// One line about it.
    pub about: &'static str,
    /// `$40.00`
    pub price: String,
    /// `month`, `year`, or `None` for a single payment.
    pub every: Option<&'static str>,
    /// `price_…`
    pub price_id: String,
    /// Address of its payment link.
    pub link: String,
    /// `buy_btn_…`
    pub button: String,
}

/// Everything that is sold.
#[derive(Debug)]
pub struct Catalog {
    /// Monthly, annual, one-time.
    pub items: Vec<Item>,
    /// `prctbl_…`: the table of the subscriptions.
    pub table: String,
    /// `pk_test_…`
    pub publishable_key: String,
    /// A promotion code that works.
    pub promotion: &'static str,
}

impl Catalog {
    /// An item by the shop's own name of it.
    pub fn item(&self, plan: &str) -> Option<&Item> {
        self.items.iter().find(|i| i.plan == plan)
    }

    /// The items of a pricing table or a buy button, by its id.
    pub fn embedded(&self, id: &str) -> Vec<&Item> {
        if id == self.table {
            return self.items.iter().filter(|i| i.every.is_some()).collect();
        }
        self.items.iter().filter(|i| i.button == id).collect()
    }
}

/// Plan, name, one line, minor units, interval.
type Ware = (&'static str, &'static str, &'static str, &'static str, Option<&'static str>);

const WARES: [Ware; 3] = [
    ("monthly", "Team, monthly", "Boards and job sheets for up to twelve people.", "4000", Some("month")),
    ("annual", "Team, annual", "The same, two months cheaper, one invoice a year.", "40000", Some("year")),
    ("handbook", "Workshop handbook", "Ninety pages on planning a small workshop, as a PDF.", "6000", None),
];

/// Makes products, prices, payment links and the promotion code, by the API.
///
/// # Errors
/// If the API refuses something.
pub fn stock(shared: &Shared, shop: &Shop) -> Res<Catalog> {
    let coupon = stripe(
        shared,
        "POST",
        "coupons",
        &[("percent_off", "10"), ("duration", "once"), ("name", "Welcome")],
    )?;
    let coupon = params::owned(&coupon, "id").unwrap_or_default();
    let promotion = [("promotion[type]", "coupon"), ("promotion[coupon]", &coupon), ("code", PROMOTION)];
    stripe(shared, "POST", "promotion_codes", &promotion)?;
    let mut items = Vec::new();
    for ware in WARES {
        items.push(item(shared, shop, ware)?);
    }
    Ok(Catalog {
        items,
        table: "prctbl_acmeworksTeam".to_owned(),
        publishable_key: "pk_test_acmeworksShop".to_owned(),
        promotion: PROMOTION,
    })
}

fn item(shared: &Shared, shop: &Shop, (plan, name, about, amount, every): Ware) -> Res<Item> {
    let mut price = vec![("currency", "usd"), ("unit_amount", amount), ("product_data[name]", name)];
    price.extend(every.map(|interval| ("recurring[interval]", interval)));
    let price = stripe(shared, "POST", "prices", &price)?;
    let price_id = params::owned(&price, "id").unwrap_or_default();
    let thanks = format!("{}/thanks?order={{CHECKOUT_SESSION_ID}}", shop.url);
    let link = stripe(
        shared,
        "POST",
        "payment_links",
        &[
            ("line_items[0][price]", &price_id),
            ("line_items[0][quantity]", "1"),
            ("allow_promotion_codes", "true"),
            ("after_completion[type]", "redirect"),
            ("after_completion[redirect][url]", &thanks),
        ],
    )?;
    Ok(Item {
        plan,
        name,
        about,
        price: show_money(params::int0(&price, "unit_amount"), "usd"),
        every,
        price_id,
        link: params::owned(&link, "url").unwrap_or_default(),
        button: format!("buy_btn_acmeworks{}", plan),
    })
}

/// An amount as a buyer reads it: `$40.00`, `¥500`, `12.345 KWD`.
pub fn show_money(minor: i64, currency: &str) -> String {
    const WHOLE: [&str; 15] = [
        "bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof",
        "xpf",
    ];
    let digits = match currency {
        whole if WHOLE.contains(&whole) => 0,
        "bhd" | "jod" | "kwd" | "omr" | "tnd" => 3,
        _ => 2,
    };
    let unit = 10_u64.pow(digits);
    let (whole, rest) = (minor.unsigned_abs() / unit, minor.unsigned_abs() % unit);
    let mut grouped = String::new();
    let text = whole.to_string();
    for (at, digit) in text.chars().enumerate() {
        if at > 0 && (text.len() - at) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    if digits > 0 {
        grouped = format!("{grouped}.{rest:0width$}", width = digits as usize);
    }
    let sign = if minor < 0 { "\u{2212}" } else { "" };
    match currency {
        "usd" => format!("{sign}${grouped}"),
        "eur" => format!("{sign}€{grouped}"),
        "gbp" => format!("{sign}£{grouped}"),
        "jpy" => format!("{sign}¥{grouped}"),
        other => format!("{sign}{grouped} {}", other.to_uppercase()),
    }
}

#[cfg(test)]
mod tests {
    use super::show_money;

    #[test]
    fn money_has_the_digits_of_its_currency() {
        assert_eq!(show_money(4000, "usd"), "$40.00");
        assert_eq!(show_money(-1_234_567, "eur"), "−€12,345.67");
        assert_eq!(show_money(500, "jpy"), "¥500");
        assert_eq!(show_money(12_345, "kwd"), "12.345 KWD");
        assert_eq!(show_money(5, "chf"), "0.05 CHF");
    }
}
