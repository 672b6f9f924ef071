//! The sum of a commission as a small ledger: exactly what settlement computed, one step a line.

use super::transaction::SumLine;
use super::words;
use crate::pipeline::explain::Explanation;
use crate::ui::money::{Money, grouped};
use crate::ui::text::sentence_case;
use tributary_domain::money::{Currency, format_major};
use tributary_domain::settlement::{LineTrace, Outcome, Target};

/// The lines, from what was paid to what is earned.
#[must_use]
pub fn lines(e: &Explanation) -> Vec<SumLine> {
    let paid = words::money(e.paid, &e.currency);
    let Some(target) = &e.target else {
        return vec![
            line("", "Paid", "", paid.text()),
            line("result", "Earns", &sentence_case(&e.outcome_words), words::money(0, &e.currency).text()),
        ];
    };
    let earned = Money::new(target.amount, target.currency);
    let name = e.partner.as_ref().map(|partner| partner.name.as_str());
    if !matches!(target.outcome, Outcome::Earns | Outcome::FullyRefunded | Outcome::LostInDispute) {
        let why = format!("{}.", sentence_case(target.outcome.words()));
        return vec![line("", "Paid", "", paid.text()), line("result", "Earns nothing", &why, earned.text())];
    }
    // A reward that was given without an amount has no base to begin with.
    let mut lines =
        if target.trace.given.is_some() && target.trace.total == 0 { Vec::new() } else { base(e, target) };
    lines.push(rule(target));
    lines.extend(products(target, paid.currency));
    lines.extend(kept(target, paid.currency));
    lines.extend(rounding(target));
    let label = name.map_or_else(|| "Earned".to_owned(), |name| format!("{name} earns"));
    lines.push(line("result", &label, "", earned.text()));
    lines
}

fn line(class: &'static str, label: &str, why: &str, value: String) -> SumLine {
    SumLine { class, label: label.to_owned(), why: why.to_owned(), value }
}

/// From the total to the base.
fn base(e: &Explanation, target: &Target) -> Vec<SumLine> {
    let trace = &target.trace;
    let money = |minor| words::money(minor, &e.currency);
    let discount = if e.discount > 0 {
        format!("after a discount of {}", money(e.discount).text())
    } else {
        String::new()
    };
    let whole = trace.paid == trace.total && trace.off_stripe == 0;
    let mut lines =
        vec![line("", if whole { "Paid" } else { "Total" }, &discount, money(trace.total).text())];
    let tax = match trace.tax {
        _ if e.tax_unknown => "a bare charge does not say what tax it holds",
        0 if trace.tax_kept > 0 => "part of the base",
        0 => "",
        _ if trace.tax_kept > 0 => "on the shipping; the rest is part of the base",
        _ => "not part of the base",
    };
    lines.push(line("", "Tax", tax, money(trace.tax).negated().text()));
    if trace.shipping > 0 {
        lines.push(line("", "Shipping", "not part of the base", money(trace.shipping).negated().text()));
    }
    if trace.off_stripe > 0 {
        let why = "paid outside of Stripe, which the terms do not count";
        lines.push(line("", "Off Stripe", why, money(trace.off_stripe).negated().text()));
    }
    if !whole {
        let why = format!("{} of {} was paid", money(trace.paid).text(), money(trace.total).text());
        lines.push(line("", &format!("× {} paid", share(trace.paid, trace.total)), &why, String::new()));
    }
    if let Some(fee) = &trace.fee {
        let minus = if fee == "0" { fee.clone() } else { format!("-{fee}") };
        lines.push(line(
            "",
            "Stripe's fee",
            &sentence_case(&trace.fee_note),
            exact(&minus, money(0).currency),
        ));
    }
    lines.push(line("total", "Base", "", exact(&trace.base, money(0).currency)));
    lines
}

/// The terms.
fn rule(target: &Target) -> SumLine {
    let trace = &target.trace;
    let mut why = if trace.given.is_some() {
        "In the place of the terms' reward".to_owned()
    } else {
        sentence_case(&trace.terms_sentence)
    };
    if let Some(version) = trace.terms_version {
        why.push_str(&format!(" · terms version {version}"));
    }
    if trace.capped {
        why.push_str(" · cut at the cap");
    }
    let label = match trace.rate_ppm {
        _ if trace.given.is_some() => "Reward given by the API".to_owned(),
        _ if !trace.lines.is_empty() => "By product".to_owned(),
        Some(ppm) => format!("× {}", share(ppm, 1_000_000)),
        None => "Fixed reward".to_owned(),
    };
    line("step", &label, &why, exact(&trace.earned, target.currency))
}

/// Line by line, where products have rules of their own; each with its part of the commission.
fn products(target: &Target, currency: Currency) -> Vec<SumLine> {
    let trace = &target.trace;
    let money = |minor| Money::new(minor, currency).text();
    let of_line = |part: &LineTrace| {
        let product = if part.product.is_empty() { &part.id } else { &part.product };
        let why = format!("{} · {}", money(part.amount), part.rule);
        line("", product, &why, Money::new(part.earned, target.currency).text())
    };
    let mut lines: Vec<_> = trace.lines.iter().map(of_line).collect();
    if let Some(sum) = trace.lines_differ {
        let why = format!("{}; the sale's own figure counts", money(sum));
        lines.push(line("", "The lines add up to", &why, String::new()));
    }
    lines
}

/// What was kept after refunds and disputes, where something was given back.
fn kept(target: &Target, currency: Currency) -> Option<SumLine> {
    let trace = &target.trace;
    let given_back = trace.captured.checked_sub(trace.kept).filter(|back| *back > 0)?;
    let money = |minor| Money::new(minor, currency).text();
    let of = money(trace.captured);
    let why = match (trace.lost, given_back.saturating_sub(trace.lost)) {
        (0, _) => format!("{} of {of} was given back", money(given_back)),
        (lost, 0) => format!("{} of {of} was lost in a dispute", money(lost)),
        (lost, refunded) => {
            format!("{} of {of} was given back and {} lost in a dispute", money(refunded), money(lost))
        }
    };
    let label = format!("× {} kept", share(trace.kept, trace.captured));
    Some(line("step", &label, &why, exact(&trace.exact, target.currency)))
}

/// The one rounding, where there is something to round.
fn rounding(target: &Target) -> Option<SumLine> {
    let (numerator, denominator) = fraction(&target.trace.exact)?;
    let whole = i128::from(target.amount).checked_mul(denominator)?;
    let difference = whole.checked_sub(numerator)?;
    if difference == 0 {
        return None;
    }
    let value = exact(&format!("{difference}/{denominator}"), target.currency);
    Some(line("step", "Rounding", "once, half to even", value))
}

fn fraction(text: &str) -> Option<(i128, i128)> {
    let (numerator, denominator) = text.split_once('/').unwrap_or((text, "1"));
    let (numerator, denominator) = (numerator.parse().ok()?, denominator.parse().ok()?);
    (denominator > 0).then_some((numerator, denominator))
}

/// Minor units as a fraction, written as money with up to four digits more than the currency has; "…" says that
/// more follow.
fn exact(text: &str, currency: Currency) -> String {
    const MORE: i128 = 10_000;
    let Some((numerator, denominator)) = fraction(text) else { return text.to_owned() };
    let (whole, rest) = (
        numerator.unsigned_abs() / denominator.unsigned_abs(),
        numerator.unsigned_abs() % denominator.unsigned_abs(),
    );
    let Ok(minor) = i64::try_from(whole) else { return text.to_owned() };
    let money = Money::new(minor, currency);
    if rest == 0 {
        return if numerator < 0 { money.negated().text() } else { money.text() };
    }
    let Some(scaled) = i128::try_from(rest).ok().and_then(|rest| rest.checked_mul(MORE)) else {
        return text.to_owned();
    };
    let digits = format!("{:04}", scaled / denominator);
    let dots = if scaled % denominator == 0 { "" } else { "…" };
    let digits = if dots.is_empty() { digits.trim_end_matches('0') } else { &digits };
    let point = if currency.exponent() == 0 { "." } else { "" };
    let sign = if numerator < 0 { "−" } else { "" };
    let code = money.code().map(|code| format!(" {code}")).unwrap_or_default();
    format!("{sign}{}{point}{digits}{dots}{code}", money.figure())
}

/// A share as a percentage with up to two digits: "75 %", "33.33 %".
fn share(part: i64, whole: i64) -> String {
    if whole <= 0 {
        return "0 %".to_owned();
    }
    let hundredths = i128::from(part) * 10_000 / i128::from(whole);
    let hundredths = i64::try_from(hundredths).unwrap_or(i64::MAX);
    let text = format_major(hundredths, percent());
    let text = text.trim_end_matches('0').trim_end_matches('.');
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    let point = if rest.is_empty() { "" } else { "." };
    format!("{}{point}{rest} %", grouped(whole))
}

/// Any currency of two digits: hundredths are written alike.
fn percent() -> Currency {
    words::money(0, "usd").currency
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_percentages() {
        for (part, whole, text) in [
            (200_000, 1_000_000, "20 %"),
            (5400, 7200, "75 %"),
            (1, 3, "33.33 %"),
            (125_000, 1_000_000, "12.5 %"),
            (0, 5, "0 %"),
            (1, 0, "0 %"),
            (100, 100, "100 %"),
        ] {
            assert_eq!(share(part, whole), text);
        }
    }

    #[test]
    fn fractions_show_what_follows_the_cents() {
        let usd = Currency::parse("usd").unwrap();
        assert_eq!(exact("6000", usd), "$60.00");
        assert_eq!(exact("10000/3", usd), "$33.333333…");
        assert_eq!(exact("5/2", usd), "$0.025");
        assert_eq!(exact("-1/2", usd), "−$0.005");
        assert_eq!(exact("7/2", Currency::parse("jpy").unwrap()), "¥3.5");
        assert_eq!(exact("7/2", Currency::parse("kwd").unwrap()), "0.0035 KWD");
        assert_eq!(exact("no", usd), "no");
    }
}
