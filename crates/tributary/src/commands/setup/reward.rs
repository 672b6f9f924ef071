//! Rewards and durations as they are typed.

use tributary_domain::money::{Currency, Rate, parse_major};
use tributary_domain::terms::{Duration, Reward};
use tributary_server::api::currencies::is_known;

/// `30%`, `12.5 %`, `5.00 usd`.
pub(super) fn reward(text: &str) -> Result<Reward, String> {
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
pub(super) fn known(code: &str) -> Result<Currency, String> {
    let currency = Currency::parse(code.trim()).map_err(|e| e.to_string())?;
    if is_known(currency.as_str()) {
        Ok(currency)
    } else {
        Err(format!("{} is not a currency of ISO 4217, such as usd", currency.as_str()))
    }
}

/// `lifetime`, `once`, `3-sales`, `12-months`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
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
}
