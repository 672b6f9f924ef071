//! Money: `i64` minor units and a currency. Rates are parts per million. No float, ever.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The greatest amount that is accepted, in minor units either way: 10^15.
pub const AMOUNT_MAX: i64 = 1_000_000_000_000_000;
/// One whole in parts per million.
pub const PPM: i64 = 1_000_000;

/// What cannot be done with money.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Not three letters.
    #[error("a currency is three letters, such as usd; got “{0}”")]
    Currency(String),
    /// Not a plain decimal number.
    #[error("an amount is a plain decimal number, such as 12.50; got “{0}”")]
    Number(String),
    /// More digits after the point than the currency has.
    #[error("{currency} has {allowed} digits after the point; got “{text}”")]
    TooPrecise {
        /// The currency, upper case.
        currency: String,
        /// How many digits it has.
        allowed: u32,
        /// What was given.
        text: String,
    },
    /// Beyond ± 10^15 minor units, or beyond what can be computed exactly.
    #[error("the amount is too large: the limit is 10^15 minor units")]
    TooLarge,
    /// Not a percentage between 0 and 100 with at most four digits after the point.
    #[error("a rate is between 0 % and 100 % with at most 4 digits after the point; got “{0}”")]
    Rate(String),
}

/// An ISO 4217 code, lower case as Stripe writes it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

impl Currency {
    /// Reads three ASCII letters of any case.
    ///
    /// # Errors
    /// [`MoneyError::Currency`] for anything else.
    pub fn parse(text: &str) -> Result<Self, MoneyError> {
        match text.as_bytes() {
            [a, b, c] if text.bytes().all(|byte| byte.is_ascii_alphabetic()) => {
                Ok(Self([a.to_ascii_lowercase(), b.to_ascii_lowercase(), c.to_ascii_lowercase()]))
            }
            _ => Err(MoneyError::Currency(text.chars().take(40).collect())),
        }
    }

    /// The code in lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // The bytes were checked to be ASCII letters.
        std::str::from_utf8(&self.0).unwrap_or("xxx")
    }

    /// Digits after the point on Stripe's wire: 0, 2 or 3. ISK and UGX are sent with two.
    #[must_use]
    pub fn exponent(&self) -> u32 {
        const ZERO: [&str; 14] = [
            "bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof",
        ];
        const THREE: [&str; 5] = ["bhd", "jod", "kwd", "omr", "tnd"];
        let code = self.as_str();
        if ZERO.contains(&code) || code == "xpf" {
            0
        } else if THREE.contains(&code) {
            3
        } else {
            2
        }
    }
}

impl TryFrom<String> for Currency {
    type Error = MoneyError;
    fn try_from(text: String) -> Result<Self, MoneyError> {
        Self::parse(&text)
    }
}
impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.as_str().to_owned()
    }
}
impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Is the amount inside ± 10^15 minor units?
#[must_use]
pub const fn in_range(minor: i64) -> bool {
    minor >= -AMOUNT_MAX && minor <= AMOUNT_MAX
}

/// Reads a decimal in major units ("12.5") as minor units of the currency. The text of a JSON number is
/// read as it stands, with an exponent part too (`1e2`), so no float comes between.
///
/// # Errors
/// A text that is not a number, has more digits than the currency, or is beyond the limit.
pub fn parse_major(text: &str, currency: Currency) -> Result<i64, MoneyError> {
    let number = || MoneyError::Number(text.chars().take(40).collect());
    let (mantissa, power) = match text.split_once(['e', 'E']) {
        None => (text, 0),
        Some((mantissa, power)) => {
            let power = power.strip_prefix('+').unwrap_or(power);
            (mantissa, power.parse::<i32>().ok().filter(|p| p.abs() <= 40).ok_or_else(number)?)
        }
    };
    let (negative, digits) = match mantissa.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, mantissa),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = |s: &str| s.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !plain(whole) || !plain(part) || digits.ends_with('.') || digits.len() > 60 {
        return Err(number());
    }
    // value = (whole part) × 10^(power − len(part)); wanted: × 10^exponent as a whole number.
    let mut all: String = [whole, part].concat();
    let exponent = i32::try_from(currency.exponent()).unwrap_or(2);
    let mut shift = power + exponent - i32::try_from(part.len()).unwrap_or(i32::MAX / 2);
    while shift < 0 && all.ends_with('0') {
        all.pop();
        shift += 1;
    }
    let significant = all.trim_start_matches('0');
    if significant.is_empty() {
        return Ok(0);
    }
    if shift < 0 {
        return Err(MoneyError::TooPrecise {
            currency: currency.as_str().to_ascii_uppercase(),
            allowed: currency.exponent(),
            text: text.chars().take(40).collect(),
        });
    }
    if significant.len() > 19 || shift > 19 {
        return Err(MoneyError::TooLarge);
    }
    let factor = 10_i128.pow(u32::try_from(shift).map_err(|_| MoneyError::TooLarge)?);
    let minor = significant.parse::<i128>().map_err(|_| number())?.saturating_mul(factor);
    let minor = i64::try_from(minor).map_err(|_| MoneyError::TooLarge)?;
    if !in_range(minor) {
        return Err(MoneyError::TooLarge);
    }
    Ok(if negative { -minor } else { minor })
}

/// A decimal above 0 as whole digits and the number of those after the point: "1.0825" is (10825, 4). At most 18
/// digits; `None` for anything else.
#[must_use]
pub fn decimal_parts(text: &str) -> Option<(i128, u32)> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = [whole, part].concat();
    let plain = !digits.is_empty() && digits.len() <= 18 && digits.bytes().all(|byte| byte.is_ascii_digit());
    let value = plain.then(|| digits.parse::<i128>().ok()).flatten().filter(|value| *value > 0)?;
    Some((value, u32::try_from(part.len()).ok()?))
}

/// Writes minor units as an exact decimal in major units: `-12.50`, `1200` for JPY, `1.234` for KWD.
#[must_use]
pub fn format_major(minor: i64, currency: Currency) -> String {
    let exponent = currency.exponent() as usize;
    let digits = format!("{:0width$}", minor.unsigned_abs(), width = exponent + 1);
    let (whole, part) = digits.split_at(digits.len() - exponent);
    let sign = if minor < 0 { "-" } else { "" };
    if part.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{part}") }
}

/// A rate in parts per million, 0 to 1,000,000 (0 % to 100 %).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct Rate(i64);

impl Rate {
    /// Takes parts per million.
    ///
    /// # Errors
    /// [`MoneyError::Rate`] outside 0 to 1,000,000.
    pub fn from_ppm(ppm: i64) -> Result<Self, MoneyError> {
        if (0..=PPM).contains(&ppm) { Ok(Self(ppm)) } else { Err(MoneyError::Rate(format!("{ppm} ppm"))) }
    }

    /// Reads a percentage, with or without the sign: `30%`, `12.5 %`, `7`.
    ///
    /// # Errors
    /// [`MoneyError::Rate`] for anything that is not a percentage from 0 to 100 with ≤ 4 decimals.
    pub fn parse_percent(text: &str) -> Result<Self, MoneyError> {
        let wrong = || MoneyError::Rate(text.chars().take(40).collect());
        let number = text.trim().trim_end_matches('%').trim_end();
        let (whole, part) = number.split_once('.').unwrap_or((number, ""));
        let plain = |s: &str| s.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || whole.len() > 3 || part.len() > 4 || !plain(whole) || !plain(part) {
            return Err(wrong());
        }
        let ppm = format!("{whole}{part:0<4}").parse::<i64>().map_err(|_| wrong())?;
        Self::from_ppm(ppm).map_err(|_| wrong())
    }

    /// Parts per million.
    #[must_use]
    pub const fn ppm(self) -> i64 {
        self.0
    }
}

impl TryFrom<i64> for Rate {
    type Error = MoneyError;
    fn try_from(ppm: i64) -> Result<Self, MoneyError> {
        Self::from_ppm(ppm)
    }
}
impl From<Rate> for i64 {
    fn from(rate: Rate) -> Self {
        rate.0
    }
}
impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part) = (self.0 / 10_000, self.0 % 10_000);
        if part == 0 {
            write!(f, "{whole} %")
        } else {
            write!(f, "{whole}.{} %", format!("{part:04}").trim_end_matches('0'))
        }
    }
}

/// An exact fraction in lowest terms with a positive denominator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fraction {
    numerator: i128,
    denominator: i128,
}

fn gcd(a: i128, b: i128) -> i128 {
    let (mut a, mut b) = (a.unsigned_abs(), b.unsigned_abs());
    while b != 0 {
        (a, b) = (b, a % b);
    }
    i128::try_from(a).unwrap_or(1).max(1)
}

impl Fraction {
    /// A whole number.
    #[must_use]
    pub const fn whole(value: i64) -> Self {
        Self { numerator: value as i128, denominator: 1 }
    }

    /// Times `by / of`, exactly. Common factors are taken out first. A commission whose amount captured is
    /// the amount paid fits up to 10^12 minor units; one in which all amounts differ, up to 10^10.
    ///
    /// # Errors
    /// [`MoneyError::TooLarge`] if the product has no place in 128 bits, or `of` is not above 0.
    pub fn times(self, by: i64, of: i64) -> Result<Self, MoneyError> {
        if of <= 0 {
            return Err(MoneyError::TooLarge);
        }
        let (mut n, mut d) = (self.numerator, self.denominator);
        let (mut by, mut of) = (i128::from(by), i128::from(of));
        let common = gcd(by, of);
        (by, of) = (by / common, of / common);
        let cross = gcd(n, of);
        (n, of) = (n / cross, of / cross);
        let cross = gcd(by, d);
        (by, d) = (by / cross, d / cross);
        match (n.checked_mul(by), d.checked_mul(of)) {
            (Some(numerator), Some(denominator)) => Ok(Self { numerator, denominator }),
            _ => Err(MoneyError::TooLarge),
        }
    }

    /// The sum of two fractions, exactly.
    ///
    /// # Errors
    /// [`MoneyError::TooLarge`] if the sum has no place in 128 bits.
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        let common = gcd(self.denominator, other.denominator);
        let (ours, theirs) = (other.denominator / common, self.denominator / common);
        let sum = || {
            let numerator =
                self.numerator.checked_mul(ours)?.checked_add(other.numerator.checked_mul(theirs)?)?;
            let denominator = self.denominator.checked_mul(ours)?;
            Some(Self::reduced(numerator, denominator))
        };
        sum().ok_or(MoneyError::TooLarge)
    }

    /// What is left after taking another fraction away, exactly.
    ///
    /// # Errors
    /// [`MoneyError::TooLarge`] if the difference has no place in 128 bits.
    pub fn minus(self, other: Self) -> Result<Self, MoneyError> {
        let numerator = other.numerator.checked_neg().ok_or(MoneyError::TooLarge)?;
        self.plus(Self { numerator, ..other })
    }

    /// Times another fraction, exactly.
    ///
    /// # Errors
    /// [`MoneyError::TooLarge`] if the product has no place in 128 bits.
    pub fn times_fraction(self, other: Self) -> Result<Self, MoneyError> {
        let (a, b) = (gcd(self.numerator, other.denominator), gcd(other.numerator, self.denominator));
        let numerator = (self.numerator / a).checked_mul(other.numerator / b);
        let denominator = (self.denominator / b).checked_mul(other.denominator / a);
        match (numerator, denominator) {
            (Some(numerator), Some(denominator)) => Ok(Self::reduced(numerator, denominator)),
            _ => Err(MoneyError::TooLarge),
        }
    }

    /// This fraction as a share of another that is above 0; `None` if that is not.
    ///
    /// # Errors
    /// [`MoneyError::TooLarge`] if the share has no place in 128 bits.
    pub fn share_of(self, whole: Self) -> Result<Option<Self>, MoneyError> {
        if whole.numerator <= 0 {
            return Ok(None);
        }
        let turned = Self { numerator: whole.denominator, denominator: whole.numerator };
        self.times_fraction(turned).map(Some)
    }

    fn reduced(numerator: i128, denominator: i128) -> Self {
        let common = gcd(numerator, denominator);
        Self { numerator: numerator / common, denominator: denominator / common }
    }

    /// The fraction, or 0 where it is below.
    #[must_use]
    pub const fn not_below_zero(self) -> Self {
        if self.numerator < 0 { Self::whole(0) } else { self }
    }

    /// The greatest whole number that is not above it, and what is left.
    ///
    /// # Errors
    /// [`MoneyError::TooLarge`] beyond `i64`.
    pub fn floor(self) -> Result<(i64, Self), MoneyError> {
        let floor = self.numerator.div_euclid(self.denominator);
        let rest = Self { numerator: self.numerator.rem_euclid(self.denominator), ..self };
        Ok((i64::try_from(floor).map_err(|_| MoneyError::TooLarge)?, rest))
    }

    /// Which is the greater, exactly where the products fit in 128 bits.
    #[must_use]
    pub fn compare(self, other: Self) -> std::cmp::Ordering {
        match self.minus(other) {
            Ok(difference) => difference.numerator.cmp(&0),
            Err(_) => (self.numerator / self.denominator).cmp(&(other.numerator / other.denominator)),
        }
    }

    /// The smaller of the fraction and a whole amount.
    #[must_use]
    pub fn at_most(self, limit: i64) -> Self {
        if self.is_below(limit) { self } else { Self::whole(limit) }
    }

    /// Is it below a whole amount?
    #[must_use]
    pub fn is_below(self, amount: i64) -> bool {
        // Rounded down it is below exactly when the fraction is, and no product can overflow.
        self.numerator.div_euclid(self.denominator) < i128::from(amount)
    }

    /// Is it nothing?
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.numerator == 0
    }

    /// The nearest whole number; a half goes to the even neighbour.
    ///
    /// # Errors
    /// [`MoneyError::TooLarge`] beyond `i64`.
    pub fn round_half_even(self) -> Result<i64, MoneyError> {
        let (floor, rest) =
            (self.numerator.div_euclid(self.denominator), self.numerator.rem_euclid(self.denominator));
        // Compare the rest with what is missing to the next whole number: no doubling, no overflow.
        let up = match rest.cmp(&(self.denominator - rest)) {
            std::cmp::Ordering::Less => false,
            std::cmp::Ordering::Greater => true,
            std::cmp::Ordering::Equal => floor % 2 != 0,
        };
        i64::try_from(floor + i128::from(up)).map_err(|_| MoneyError::TooLarge)
    }

    /// As text, `n/d`, or `n` when whole: for the explanation.
    #[must_use]
    pub fn to_text(self) -> String {
        if self.denominator == 1 {
            self.numerator.to_string()
        } else {
            format!("{}/{}", self.numerator, self.denominator)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn usd() -> Currency {
        Currency::parse("USD").unwrap()
    }

    #[test]
    fn majors_are_read_by_the_currency_and_never_rounded() {
        let jpy = Currency::parse("jpy").unwrap();
        let kwd = Currency::parse("kwd").unwrap();
        assert_eq!(parse_major("99.99", usd()), Ok(9_999));
        assert_eq!(parse_major("99.9900", usd()), Ok(9_999));
        assert_eq!(parse_major("1e2", usd()), Ok(10_000));
        assert_eq!(parse_major("1.5E-1", usd()), Ok(15));
        assert_eq!(parse_major("-0.5", usd()), Ok(-50));
        assert_eq!(parse_major("1200", jpy), Ok(1_200));
        assert_eq!(parse_major("1.234", kwd), Ok(1_234));
        assert!(matches!(parse_major("0.001", usd()), Err(MoneyError::TooPrecise { .. })));
        assert!(matches!(parse_major("1.5", jpy), Err(MoneyError::TooPrecise { .. })));
        for wrong in ["", ".", "1.", ".5", "NaN", "1,5", " 1", "0x1", "--1", "1e99", "1e", "١"] {
            assert!(parse_major(wrong, usd()).is_err(), "{wrong}");
        }
        assert_eq!(parse_major("10000000000000.01", usd()), Err(MoneyError::TooLarge));
    }

    #[test]
    fn rates_are_read_and_written() {
        assert_eq!(Rate::parse_percent("30%").unwrap().ppm(), 300_000);
        assert_eq!(Rate::parse_percent("12.5 %").unwrap().to_string(), "12.5 %");
        assert_eq!(Rate::parse_percent("0.0001").unwrap().ppm(), 1);
        for wrong in ["101", "-1", "", "%", "1.23456", "1e2", "100.0001"] {
            assert!(Rate::parse_percent(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn halves_go_to_the_even_neighbour() {
        let half = |n| Fraction::whole(n).times(1, 2).unwrap().round_half_even().unwrap();
        assert_eq!([half(1), half(3), half(5), half(-1), half(-3)], [0, 2, 2, 0, -2]);
    }

    proptest! {
        #[test]
        fn written_majors_read_back(minor in -AMOUNT_MAX..=AMOUNT_MAX, code in "usd|jpy|kwd|isk") {
            let currency = Currency::parse(&code).unwrap();
            prop_assert_eq!(parse_major(&format_major(minor, currency), currency), Ok(minor));
        }
        #[test]
        fn reading_never_panics(text in ".*") {
            let _ = parse_major(&text, usd());
            let _ = Rate::parse_percent(&text);
            let _ = Currency::parse(&text);
        }
    }
}
