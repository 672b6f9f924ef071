//! Rewards, durations and whole terms as they are typed, on the command line and in forms, and as sentences.

use super::base::BaseInput;
use crate::api::currencies::is_known;
use serde::Deserialize;
use tributary_domain::money::{Currency, Rate, format_major, parse_major};
use tributary_domain::terms::{Duration, HOLD_DAYS_MAX, Reward, Terms, TermsError};
use tributary_store::StoreError;

/// `30%`, `12.5 %`, `5.00 usd`.
///
/// # Errors
/// What is wrong, in words without a full stop.
pub fn reward(text: &str) -> Result<Reward, String> {
    let text = text.trim();
    if text.ends_with('%') {
        return Rate::parse_percent(text).map(|rate| Reward::Percent { rate }).map_err(|e| e.to_string());
    }
    let shape = || format!("a reward is a share such as 30% or an amount such as \"5.00 usd\"; got {text:?}");
    let (amount, currency) = text.split_once(char::is_whitespace).ok_or_else(shape)?;
    let currency = known(currency)?;
    match parse_major(amount, currency).map_err(|e| e.to_string())? {
        amount if amount > 0 => Ok(Reward::Fixed { amount, currency }),
        _ => Err("an amount is above 0".into()),
    }
}

/// A currency in use.
///
/// # Errors
/// What is wrong, in words without a full stop.
pub fn known(code: &str) -> Result<Currency, String> {
    let currency = Currency::parse(code.trim()).map_err(|e| e.to_string())?;
    if is_known(currency.as_str()) {
        Ok(currency)
    } else {
        Err(format!("{} is not a currency of ISO 4217, such as usd", currency.as_str()))
    }
}

/// `lifetime`, `once`, `3-sales`, `12-months`.
///
/// # Errors
/// What is wrong, in words without a full stop.
pub fn duration(text: &str) -> Result<Duration, String> {
    let text = text.trim().to_lowercase();
    let count = |number: &str| number.trim_end_matches('-').parse::<u32>().ok().filter(|count| *count > 0);
    let read = match text.as_str() {
        "lifetime" => Some(Duration::Lifetime),
        "once" => Some(Duration::FirstSales { count: 1 }),
        _ => {
            let sales = text.strip_suffix("sales").or_else(|| text.strip_suffix("sale")).and_then(count);
            let months = text.strip_suffix("months").or_else(|| text.strip_suffix("month")).and_then(count);
            sales
                .map(|count| Duration::FirstSales { count })
                .or_else(|| months.map(|count| Duration::Months { count }))
        }
    };
    read.ok_or_else(|| format!("a duration is lifetime, once, N-sales or N-months; got {text:?}"))
}

/// Terms as a form sends them.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct TermsInput {
    /// `percent` or `fixed`.
    #[serde(default)]
    pub reward: String,
    /// `20`, `12.5`, `50.00`.
    #[serde(default)]
    pub value: String,
    /// `once`, `sales`, `months`, `lifetime`.
    #[serde(default)]
    pub span: String,
    /// How many sales or months; not looked at for the others.
    #[serde(default)]
    pub count: String,
    /// Days.
    #[serde(default)]
    pub hold_days: String,
    /// What counts; `None` where the form does not ask for it.
    #[serde(skip)]
    pub base: Option<BaseInput>,
}

impl Default for TermsInput {
    /// What a new program is offered: 20 % for 12 months, held 30 days.
    fn default() -> Self {
        let text = str::to_owned;
        Self {
            reward: text("percent"),
            value: text("20"),
            span: text("months"),
            count: text("12"),
            hold_days: text("30"),
            base: None,
        }
    }
}

/// What is wrong with a form's terms: the field, and a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// `value`, `count`, `hold_days`, …
    pub field: &'static str,
    /// What is wrong, and what is allowed.
    pub words: String,
}

impl TermsInput {
    /// The terms as they fill the form.
    #[must_use]
    pub fn of(terms: &Terms) -> Self {
        let (reward, value) = match &terms.reward {
            Reward::Percent { rate } => ("percent", rate.to_string().trim_end_matches('%').trim().to_owned()),
            Reward::Fixed { amount, currency } => ("fixed", format_major(*amount, *currency)),
        };
        let (span, count) = match terms.duration {
            Duration::FirstSales { count: 1 } => ("once", String::new()),
            Duration::FirstSales { count } => ("sales", count.to_string()),
            Duration::Months { count } => ("months", count.to_string()),
            Duration::Lifetime => ("lifetime", String::new()),
        };
        let (reward, span) = (reward.to_owned(), span.to_owned());
        let (hold_days, base) = (terms.hold_days.to_string(), Some(BaseInput::of(terms)));
        Self { reward, value, span, count, hold_days, base }
    }

    /// Reads the form. A fixed reward is in `currency`; what no form asks for is taken from `before`.
    ///
    /// # Errors
    /// The first field that is wrong.
    pub fn read(&self, currency: &str, before: Option<&Terms>) -> Result<Terms, Wrong> {
        let wrong = |field| move |words: String| Wrong { field, words };
        let value = self.value.trim();
        let reward = match self.reward.as_str() {
            "percent" => {
                let rate = Rate::parse_percent(&format!("{}%", value.trim_end_matches('%').trim()));
                let rate = rate.map_err(|_| "Type a share from 0 to 100, such as 20 or 12.5.".to_owned());
                Reward::Percent { rate: rate.map_err(wrong("value"))? }
            }
            "fixed" => {
                let currency = known(currency).map_err(wrong("value"))?;
                let amount = parse_major(value, currency).ok().filter(|amount| *amount > 0);
                let words = || format!("Type an amount above 0, such as {}.", format_major(5_000, currency));
                Reward::Fixed { amount: amount.ok_or_else(words).map_err(wrong("value"))?, currency }
            }
            _ => {
                return Err(Wrong { field: "reward", words: "Choose a share or a fixed amount.".to_owned() });
            }
        };
        let count = |most: u32| {
            let count = self.count.trim().parse::<u32>().ok().filter(|count| (1..=most).contains(count));
            count.ok_or_else(|| Wrong {
                field: "count",
                words: format!("Type a whole number from 1 to {most}."),
            })
        };
        let duration = match self.span.as_str() {
            "once" => Duration::FirstSales { count: 1 },
            "sales" => Duration::FirstSales { count: count(10_000)? },
            "months" => Duration::Months { count: count(1_200)? },
            "lifetime" => Duration::Lifetime,
            _ => return Err(Wrong { field: "span", words: "Choose which sales earn.".to_owned() }),
        };
        let hold = self.hold_days.trim().parse::<u32>().ok().filter(|days| *days <= HOLD_DAYS_MAX);
        let hold_days = hold.ok_or_else(|| Wrong {
            field: "hold_days",
            words: format!("Type a whole number of days from 0 to {HOLD_DAYS_MAX}."),
        })?;
        let mut terms = Terms {
            reward,
            duration,
            hold_days,
            exclude_shipping: before.is_none_or(|before| before.exclude_shipping),
            include_tax: before.is_some_and(|before| before.include_tax),
            exclude_fee: before.is_some_and(|before| before.exclude_fee),
            exclude_off_stripe: before.is_some_and(|before| before.exclude_off_stripe),
            products: before.map(|before| before.products.clone()).unwrap_or_default(),
            minimum: before.and_then(|before| before.minimum),
            cap: before.and_then(|before| before.cap),
        };
        if let Some(base) = &self.base {
            base.apply(&mut terms)?;
        }
        terms.check().map_err(|error| Wrong {
            field: if matches!(error, TermsError::Product { .. }) { "products" } else { "value" },
            words: format!("The terms cannot be: {error}."),
        })?;
        Ok(terms)
    }

    /// Terms as they are kept.
    ///
    /// # Errors
    /// Never in practice.
    pub fn stored(terms: &Terms) -> Result<String, StoreError> {
        serde_json::to_string(terms).map_err(|error| StoreError::Inconsistent(format!("terms: {error}")))
    }
}

/// Terms as two sentences: what a partner earns, and when it is payable.
#[must_use]
pub fn sentences(terms: &Terms) -> String {
    let hold = match terms.hold_days {
        0 => "It is payable at once.".to_owned(),
        1 => "It is payable after 1 day.".to_owned(),
        days => format!("It is payable after {days} days."),
    };
    format!("A partner earns {}. {hold}", terms.sentence())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rewards_are_read_exactly() {
        assert_eq!(reward("30%").unwrap(), Reward::Percent { rate: Rate::from_ppm(300_000).unwrap() });
        let usd = Currency::parse("usd").unwrap();
        assert_eq!(reward("5.00 USD").unwrap(), Reward::Fixed { amount: 500, currency: usd });
        let jpy = Currency::parse("jpy").unwrap();
        assert_eq!(reward("500 jpy").unwrap(), Reward::Fixed { amount: 500, currency: jpy });
        for bad in ["30", "101%", "-5 usd", "0 usd", "5.001 usd", "5 dollars", "", "%"] {
            assert!(reward(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn durations_are_read() {
        assert_eq!(duration("once").unwrap(), Duration::FirstSales { count: 1 });
        assert_eq!(duration("3-sales").unwrap(), Duration::FirstSales { count: 3 });
        assert_eq!(duration("12-months").unwrap(), Duration::Months { count: 12 });
        assert_eq!(duration("Lifetime").unwrap(), Duration::Lifetime);
        for bad in ["", "0-sales", "-3-sales", "3", "3-years", "sales"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_form_is_read_into_terms_and_written_back() {
        let terms = TermsInput::default().read("usd", None).unwrap();
        assert_eq!(
            sentences(&terms),
            "A partner earns 20 % of every sale in a customer's first 12 months. It is payable after 30 days."
        );
        let shown = TermsInput { base: Some(BaseInput::default()), ..TermsInput::default() };
        assert_eq!(TermsInput::of(&terms), shown);
        let fixed = TermsInput {
            reward: "fixed".into(),
            value: "5".into(),
            span: "once".into(),
            ..TermsInput::default()
        };
        let terms = fixed.read("jpy", None).unwrap();
        assert_eq!(terms.sentence(), "5 JPY for a customer's first sale");
        assert_eq!(TermsInput::of(&terms).value, "5");
    }

    #[test]
    fn every_wrong_field_is_named() {
        let with = |change: &dyn Fn(&mut TermsInput)| {
            let mut input = TermsInput::default();
            change(&mut input);
            input.read("usd", None).unwrap_err().field
        };
        for value in ["", "101", "-1", "x", "20 30", "1e3"] {
            assert_eq!(with(&|i| i.value = value.into()), "value", "{value}");
        }
        for count in ["", "0", "1201", "-3", "1.5"] {
            assert_eq!(with(&|i| i.count = count.into()), "count", "{count}");
        }
        for days in ["", "731", "-1", "x"] {
            assert_eq!(with(&|i| i.hold_days = days.into()), "hold_days", "{days}");
        }
        assert_eq!(with(&|i| i.reward = "gift".into()), "reward");
        assert_eq!(with(&|i| i.span = "ever".into()), "span");
        // A share typed where an amount is asked for is no amount.
        for value in ["0", "20%", "20 %", "%", "5 usd", "-1"] {
            let field = with(&|i| {
                i.reward = "fixed".into();
                i.value = value.into();
            });
            assert_eq!(field, "value", "{value}");
        }
    }
}
