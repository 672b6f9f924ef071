//! One transaction as a caller gives it.

use crate::api::currencies::is_known;
use crate::api::fields::Fields;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use tributary_domain::money::{Currency, parse_major};

/// How far ahead of the server's clock a sale may lie, ms: one day.
const AHEAD_MS: i64 = 86_400_000;

/// One transaction as it was given. Amounts are minor units of `currency`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Item {
    /// The caller's payment id; empty until one is made.
    pub(crate) key: String,
    pub(crate) currency: Currency,
    /// 0 where only a reward was given.
    pub(crate) amount: i64,
    pub(crate) reward: Option<i64>,
    pub(crate) rewardable: bool,
    pub(crate) action: String,
    pub(crate) product_id: Vec<String>,
    pub(crate) product_type: Vec<String>,
    pub(crate) gross_amount: Option<i64>,
    pub(crate) discount_amount: Option<i64>,
    pub(crate) discount_code: Option<String>,
    /// ms UTC; `None` for the time of the call.
    pub(crate) created_at: Option<i64>,
}

/// What of a transaction may be given again, each part alone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Parts {
    pub(crate) currency: Option<Currency>,
    pub(crate) amount: Option<i64>,
    pub(crate) reward: Option<i64>,
    pub(crate) rewardable: Option<bool>,
    pub(crate) action: Option<String>,
    pub(crate) product_id: Option<Vec<String>>,
    pub(crate) product_type: Option<Vec<String>>,
    pub(crate) gross_amount: Option<i64>,
    pub(crate) discount_amount: Option<i64>,
    pub(crate) discount_code: Option<String>,
    pub(crate) created_at: Option<i64>,
}

impl Parts {
    /// Reads the fields, amounts by the given or the default currency; mistakes stay with `fields`.
    pub(crate) fn read(fields: &Fields<'_>, default: Currency, now: i64) -> Self {
        let given = currency(fields);
        let currency = given.unwrap_or(default);
        // `rewarded` says that the reward was given elsewhere already.
        let rewardable = match fields.flag("rewarded") {
            Some(true) => Some(false),
            _ => fields.flag("rewardable"),
        };
        fields.ignore(&["rewardable", "status"]);
        Self {
            currency: given,
            amount: amount(fields, "amount", currency),
            reward: amount(fields, "reward", currency),
            rewardable,
            action: fields.text("action", 255).filter(|action| !action.is_empty()),
            product_id: fields.texts("product_id", 255),
            product_type: fields.texts("product_type", 255),
            gross_amount: amount(fields, "gross_amount", currency),
            discount_amount: amount(fields, "discount_amount", currency),
            discount_code: fields.text("discount_code", 255).filter(|code| !code.is_empty()),
            created_at: instant(fields, now),
        }
    }
}

impl Item {
    /// Reads a new transaction; mistakes stay with `fields`.
    pub(crate) fn read(fields: &Fields<'_>, default: Currency, now: i64) -> Option<Self> {
        let key = fields.text("key", 255).unwrap_or_default();
        let parts = Parts::read(fields, default, now);
        let amount = match (fields.is_given("amount"), fields.is_given("reward")) {
            (true, _) => parts.amount,
            (false, true) => Some(0),
            (false, false) => {
                fields.wrong("amount", "The amount is required, or a reward in its place.");
                None
            }
        };
        Some(Self {
            key,
            currency: parts.currency.unwrap_or(default),
            amount: amount?,
            reward: parts.reward,
            rewardable: parts.rewardable.unwrap_or(true),
            action: parts.action.unwrap_or_else(|| "sale".to_owned()),
            product_id: parts.product_id.unwrap_or_default(),
            product_type: parts.product_type.unwrap_or_default(),
            gross_amount: parts.gross_amount,
            discount_amount: parts.discount_amount,
            discount_code: parts.discount_code,
            created_at: parts.created_at,
        })
    }

    /// With the parts that were given again.
    pub(crate) fn changed(self, parts: Parts) -> Self {
        Self {
            key: self.key,
            currency: parts.currency.unwrap_or(self.currency),
            amount: parts.amount.unwrap_or(self.amount),
            reward: parts.reward.or(self.reward),
            rewardable: parts.rewardable.unwrap_or(self.rewardable),
            action: parts.action.unwrap_or(self.action),
            product_id: parts.product_id.unwrap_or(self.product_id),
            product_type: parts.product_type.unwrap_or(self.product_type),
            gross_amount: parts.gross_amount.or(self.gross_amount),
            discount_amount: parts.discount_amount.or(self.discount_amount),
            discount_code: parts.discount_code.or(self.discount_code),
            created_at: parts.created_at.or(self.created_at),
        }
    }

    /// Does a repetition say the same? A time that is not given is not compared.
    pub(crate) fn repeats(&self, before: &Self) -> bool {
        let mut same = self.clone();
        same.created_at = self.created_at.or(before.created_at);
        same == *before
    }
}

/// `amount_units`, in any case.
pub(crate) fn currency(fields: &Fields<'_>) -> Option<Currency> {
    let text = fields.text("amount_units", 10).filter(|text| !text.is_empty())?;
    match Currency::parse(&text) {
        Ok(currency) if is_known(currency.as_str()) => Some(currency),
        Ok(_) => {
            fields.wrong("amount_units", "The amount_units is not a currency of ISO 4217, such as USD.");
            None
        }
        Err(error) => {
            fields.wrong("amount_units", format!("{error}."));
            None
        }
    }
}

fn amount(fields: &Fields<'_>, field: &'static str, currency: Currency) -> Option<i64> {
    let text = fields.decimal(field)?;
    match parse_major(&text, currency) {
        Ok(minor) if minor >= 0 => Some(minor),
        Ok(_) => {
            fields
                .wrong(field, format!("The {field} must not be below 0; delete a transaction to refund it."));
            None
        }
        Err(error) => {
            fields.wrong(field, format!("{error}."));
            None
        }
    }
}

/// `created_at`: seconds since 1970, or a date with or without a time (UTC where no zone is named).
fn instant(fields: &Fields<'_>, now: i64) -> Option<i64> {
    let text = fields.text("created_at", 64).filter(|text| !text.is_empty())?;
    let ms = instant_ms(&text);
    if ms.is_none() {
        fields.wrong(
            "created_at",
            "The created_at is seconds since 1970 or a date such as 2026-01-31T10:00:00Z.",
        );
    }
    let ms = ms?;
    if !(0..=now.saturating_add(AHEAD_MS)).contains(&ms) {
        fields.wrong("created_at", "The created_at lies before 1970 or in the future.");
        return None;
    }
    Some(ms)
}

fn instant_ms(text: &str) -> Option<i64> {
    if let Ok(seconds) = text.parse::<i64>() {
        return seconds.checked_mul(1000);
    }
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at.as_millisecond());
    }
    let civil = text.parse::<DateTime>().or_else(|_| text.parse::<Date>().map(|date| date.at(0, 0, 0, 0)));
    Some(civil.ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp().as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::error::ApiError;

    const NOW: i64 = 1_800_000_000_000;

    fn item(body: &str) -> Result<Item, ApiError> {
        let fields = Fields::read(body.as_bytes())?;
        let item = Item::read(&fields, Currency::parse("usd").unwrap(), NOW);
        fields.finish()?;
        Ok(item.unwrap())
    }

    #[test]
    fn amounts_are_exact_in_the_currency_given() {
        assert_eq!(item(r#"{"amount":99.99}"#).unwrap().amount, 9_999);
        assert_eq!(item(r#"{"amount":"99.99"}"#).unwrap().amount, 9_999);
        assert_eq!(item(r#"{"amount":1200,"amount_units":"JPY"}"#).unwrap().amount, 1_200);
        assert_eq!(item(r#"{"amount":1.234,"amount_units":"kwd"}"#).unwrap().amount, 1_234);
        for (body, field) in [
            (r#"{"amount":1.005}"#, "amount"),
            (r#"{"amount":1.5,"amount_units":"jpy"}"#, "amount"),
            (r#"{"amount":-1}"#, "amount"),
            (r#"{"amount":"ten"}"#, "amount"),
            (r#"{"amount":true}"#, "amount"),
            (r#"{"amount":1e300}"#, "amount"),
            (r#"{}"#, "amount"),
            (r#"{"amount":null,"reward":null}"#, "amount"),
            (r#"{"reward":-5}"#, "reward"),
            (r#"{"reward":"five"}"#, "reward"),
            (r#"{"amount":1,"amount_units":"dollars"}"#, "amount_units"),
            (r#"{"amount":1,"amount_units":"zzz"}"#, "amount_units"),
            (r#"{"amount":1,"created_at":"soon"}"#, "created_at"),
            (r#"{"amount":1,"created_at":9999999999}"#, "created_at"),
            (r#"{"amount":1,"reward":0.001}"#, "reward"),
        ] {
            match item(body) {
                Err(ApiError::Invalid(problems)) => assert!(problems.contains_key(field), "{body}"),
                other => panic!("{body}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_reward_may_stand_alone() {
        let alone = item(r#"{"reward":5.25}"#).unwrap();
        assert_eq!((alone.amount, alone.reward), (0, Some(525)));
        assert!(item(r#"{"reward":"5.25","amount":0}"#).unwrap().repeats(&alone));
        assert!(item(r#"{"reward":5.25,"amount":null}"#).unwrap().repeats(&alone));
        assert!(!item(r#"{"reward":5.25,"amount":1}"#).unwrap().repeats(&alone));
    }

    #[test]
    fn times_come_as_seconds_or_dates() {
        let at = |text: &str| item(&format!(r#"{{"amount":1,"created_at":{text}}}"#)).unwrap().created_at;
        assert_eq!(at("1700000000"), Some(1_700_000_000_000));
        assert_eq!(at(r#""1700000000""#), Some(1_700_000_000_000));
        assert_eq!(at(r#""2023-11-14T22:13:20Z""#), Some(1_700_000_000_000));
        assert_eq!(at(r#""2023-11-14T23:13:20+01:00""#), Some(1_700_000_000_000));
        assert_eq!(at(r#""2023-11-14 22:13:20""#), Some(1_700_000_000_000));
        assert_eq!(at(r#""2023-11-14""#), Some(1_699_920_000_000));
        assert_eq!(at("null"), None);
    }

    #[test]
    fn a_repetition_says_the_same_in_other_words() {
        let first = item(r#"{"key":"o1","amount":12.50,"created_at":1700000000}"#).unwrap();
        assert!(item(r#"{"key":"o1","amount":"12.5","action":"sale"}"#).unwrap().repeats(&first));
        assert!(!item(r#"{"key":"o1","amount":12.51}"#).unwrap().repeats(&first));
        assert!(!item(r#"{"key":"o1","amount":12.50,"amount_units":"eur"}"#).unwrap().repeats(&first));
        assert!(!item(r#"{"key":"o1","amount":12.50,"rewarded":true}"#).unwrap().repeats(&first));
    }

    #[test]
    fn products_come_as_one_or_several_and_as_numbers() {
        let several = item(r#"{"amount":1,"product_type":["a","b"],"product_id":17}"#).unwrap();
        assert_eq!(several.product_type, ["a", "b"]);
        assert_eq!(several.product_id, ["17"]);
    }
}
