//! Amounts as people read them: symbol or code, grouped thousands, a true minus, tabular figures.

use askama::Template;
use tributary_domain::money::{Currency, format_major};

/// An amount in minor units of its currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Template)]
#[template(path = "components/money.html")]
pub struct Money {
    /// Minor units, below zero allowed.
    pub minor: i64,
    /// The currency.
    pub currency: Currency,
}
impl askama::filters::HtmlSafe for Money {}

/// Currencies whose symbol is understood alone. All others are written with their code behind the number.
const SYMBOLS: [(&str, &str); 5] = [("usd", "$"), ("eur", "€"), ("gbp", "£"), ("jpy", "¥"), ("inr", "₹")];

impl Money {
    /// An amount of so many minor units.
    #[must_use]
    pub const fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// The same amount with the other sign; the lowest amount stays as it is.
    #[must_use]
    pub const fn negated(self) -> Self {
        Self { minor: self.minor.saturating_neg(), currency: self.currency }
    }

    /// Sign, symbol and digits: `−$1,234.50`, `−1,234.500`.
    #[must_use]
    pub fn figure(&self) -> String {
        let plain = format_major(self.minor, self.currency);
        let digits = plain.strip_prefix('-').unwrap_or(&plain);
        let (whole, part) =
            digits.split_once('.').map_or((digits, None), |(whole, part)| (whole, Some(part)));
        let mut text = String::with_capacity(digits.len() + 12);
        if self.minor < 0 {
            text.push('−');
        }
        text.push_str(self.symbol());
        text.push_str(&grouped(whole));
        if let Some(part) = part {
            text.push('.');
            text.push_str(part);
        }
        text
    }

    /// The code that stands behind the number where the currency has no symbol here.
    #[must_use]
    pub fn code(&self) -> Option<String> {
        self.symbol().is_empty().then(|| self.currency.as_str().to_ascii_uppercase())
    }

    /// The amount as plain text, for titles and sentences.
    #[must_use]
    pub fn text(&self) -> String {
        match self.code() {
            Some(code) => format!("{} {code}", self.figure()),
            None => self.figure(),
        }
    }

    fn symbol(&self) -> &'static str {
        let code = self.currency.as_str();
        SYMBOLS.iter().find(|(known, _)| *known == code).map_or("", |(_, symbol)| symbol)
    }
}

/// An amount on an axis, rounded down: `$950`, `$12k`, `$1.5m`, `12k CHF`; below one unit in full.
#[must_use]
pub fn short(money: Money) -> String {
    let unit = 10_i64.pow(money.currency.exponent());
    if money.minor == 0 || money.minor % unit != 0 && money.minor < unit * 1_000 {
        return if money.minor == 0 { format!("{}0", money.symbol()) } else { money.figure() };
    }
    format!("{}{}", money.symbol(), thousands(money.minor / unit))
}

/// A count with `k`, `m` or `bn`, rounded down to a tenth of it.
#[must_use]
pub fn thousands(count: i64) -> String {
    let (of, word) = match count {
        ..=999 => return count.to_string(),
        1_000..=999_999 => (1_000, "k"),
        1_000_000..=999_999_999 => (1_000_000, "m"),
        _ => (1_000_000_000, "bn"),
    };
    let tenths = count / (of / 10);
    match tenths % 10 {
        0 => format!("{}{word}", grouped(&(tenths / 10).to_string())),
        tenth => format!("{}.{tenth}{word}", grouped(&(tenths / 10).to_string())),
    }
}

/// Digits in groups of three.
#[must_use]
pub fn grouped(digits: &str) -> String {
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(minor: i64, code: &str) -> String {
        Money::new(minor, Currency::parse(code).unwrap()).text()
    }

    #[test]
    fn amounts_read_as_people_write_them() {
        assert_eq!(text(7200, "usd"), "$72.00");
        assert_eq!(text(-1200, "usd"), "−$12.00");
        assert_eq!(text(123_456_789, "eur"), "€1,234,567.89");
        assert_eq!(text(1200, "jpy"), "¥1,200");
        assert_eq!(text(1_234, "kwd"), "1.234 KWD");
        assert_eq!(text(-99_999, "chf"), "−999.99 CHF");
        assert_eq!(text(0, "usd"), "$0.00");
        assert_eq!(text(5, "usd"), "$0.05");
        assert!(text(i64::MIN, "usd").starts_with("−$92,233"));
    }

    #[test]
    fn amounts_on_an_axis_are_short() {
        let short = |minor, code| short(Money::new(minor, Currency::parse(code).unwrap()));
        for (minor, code, text) in [
            (0, "usd", "$0"),
            (50, "usd", "$0.50"),
            (5_000, "usd", "$50"),
            (250_000, "usd", "$2.5k"),
            (1_200_000_000, "usd", "$12m"),
            (2_500, "jpy", "¥2.5k"),
            (2_000, "kwd", "2"),
        ] {
            assert_eq!(short(minor, code), text);
        }
    }

    #[test]
    fn markup_carries_the_code_apart() {
        let money = Money::new(1_234, Currency::parse("kwd").unwrap()).to_string();
        assert!(money.contains("class=\"money\"") && money.contains("KWD"), "{money}");
    }
}
