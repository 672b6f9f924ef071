//! The figures of the Overview, each beside what it was in the days before. Whole numbers only: a share is kept in
//! tenths of a per cent.

use super::Loaded;
use crate::admin::period::Period;
use crate::admin::words;
use crate::ui::Tone;
use crate::ui::figures::Kpi;
use crate::ui::money::grouped;

/// What more of a figure means.
#[derive(Clone, Copy, PartialEq, Eq)]
enum More {
    Better,
    Worse,
    Neither,
}

impl More {
    const fn tone(self, up: bool) -> Tone {
        match (self, up) {
            (Self::Neither, _) => Tone::Plain,
            (Self::Better, true) | (Self::Worse, false) => Tone::Good,
            _ => Tone::Bad,
        }
    }
}

/// Revenue, commissions, what is owed, what is paid.
pub(super) fn money(loaded: &Loaded, period: &Period) -> Vec<Kpi> {
    let text = |minor: i64| words::money(minor, &loaded.currency).text();
    let figure = |label: &str, (now, before): (i64, i64), more| {
        let (compared, tone) = compared(now, before, more, &text);
        Kpi { label: label.to_owned(), value: text(now), compared, tone }
    };
    let balance = loaded.balances.iter().find(|balance| balance.currency == loaded.currency);
    let (earned, pending) = balance.map_or((0, 0), |balance| (balance.earned, balance.pending));
    let plain = |label: &str, value: i64, compared: String| Kpi {
        label: label.to_owned(),
        value: text(value),
        compared,
        tone: Tone::Plain,
    };
    let hold = if pending == 0 {
        "nothing more in hold".to_owned()
    } else {
        format!("{} more in hold", text(pending))
    };
    vec![
        figure("Revenue referred", period.total(&loaded.money, |day| (day.day, day.revenue)), More::Better),
        figure("Commissions earned", period.total(&loaded.money, |day| (day.day, day.target)), More::Neither),
        plain("Owed now", earned.saturating_sub(pending), hold),
        plain("Paid so far", 0, "no payout yet".to_owned()),
    ]
}

/// Sales, customers, visits, conversion, refund rate.
pub(super) fn counts(loaded: &Loaded, period: &Period) -> Vec<Kpi> {
    let sales = period.total(&loaded.money, |day| (day.day, day.sales));
    let refunded = period.total(&loaded.money, |day| (day.day, day.refunded));
    let visits = period.total(&loaded.days, |day| (day.day, day.visits));
    let customers = period.total(&loaded.days, |day| (day.day, day.customers));
    let text = |count: i64| grouped(&count.max(0).to_string());
    let figure = |label: &str, (now, before): (i64, i64)| {
        let (compared, tone) = compared(now, before, More::Better, &text);
        Kpi { label: label.to_owned(), value: text(now), compared, tone }
    };
    vec![
        figure("Sales", sales),
        figure("New customers", customers),
        figure("Visits", visits),
        share("Visits that became customers", customers, visits, More::Better, "no visits"),
        share("Refunded or lost", refunded, sales, More::Worse, "no sales"),
    ]
}

/// "↑ 12.4 % from $75,010.20".
fn compared(now: i64, before: i64, more: More, text: &impl Fn(i64) -> String) -> (String, Tone) {
    if now == before {
        return ("as in the days before".to_owned(), Tone::Plain);
    }
    if before == 0 {
        return ("none in the days before".to_owned(), Tone::Plain);
    }
    let up = now > before;
    let arrow = if up { '↑' } else { '↓' };
    let apart = (i128::from(now) - i128::from(before)).abs() * 1_000 / i128::from(before).abs();
    let words = match i64::try_from(apart) {
        Ok(tenths) if tenths < 10_000 => format!("{arrow} {} from {}", per_cent(tenths), text(before)),
        _ => format!("{arrow} from {}", text(before)),
    };
    (words, more.tone(up))
}

/// A share in tenths of a per cent, and how many points it moved.
fn share(label: &str, part: (i64, i64), whole: (i64, i64), more: More, none: &str) -> Kpi {
    let (now, before) = (tenths(part.0, whole.0), tenths(part.1, whole.1));
    let (compared, tone) = match (now, before) {
        (None, _) => (format!("{none} in these days"), Tone::Plain),
        (_, None) => (format!("{none} in the days before"), Tone::Plain),
        (Some(now), Some(before)) if now == before => ("as in the days before".to_owned(), Tone::Plain),
        (Some(now), Some(before)) => {
            let arrow = if now > before { '↑' } else { '↓' };
            let points = now.abs_diff(before);
            let words = format!("{arrow} {}.{} points from {}", points / 10, points % 10, per_cent(before));
            (words, more.tone(now > before))
        }
    };
    let value = now.map_or_else(|| "–".to_owned(), per_cent);
    Kpi { label: label.to_owned(), value, compared, tone }
}

/// A part of a whole, rounded to tenths of a per cent; `None` of nothing.
fn tenths(part: i64, whole: i64) -> Option<i64> {
    let (part, whole) = (i128::from(part.max(0)), i128::from(whole));
    if whole <= 0 {
        return None;
    }
    i64::try_from((part * 1_000 + whole / 2) / whole).ok()
}

/// "12.4 %".
fn per_cent(tenths: i64) -> String {
    format!("{}.{} %", grouped(&(tenths / 10).to_string()), tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_compared_in_words_and_a_colour_that_fits() {
        let text = |figure: i64| figure.to_string();
        for (now, before, more, words, tone) in [
            (112, 100, More::Better, "↑ 12.0 % from 100", Tone::Good),
            (88, 100, More::Better, "↓ 12.0 % from 100", Tone::Bad),
            (88, 100, More::Neither, "↓ 12.0 % from 100", Tone::Plain),
            (5, 5, More::Better, "as in the days before", Tone::Plain),
            (5, 0, More::Better, "none in the days before", Tone::Plain),
            (i64::MAX, 1, More::Better, "↑ from 1", Tone::Good),
            (5, -5, More::Better, "↑ 200.0 % from -5", Tone::Good),
        ] {
            assert_eq!(compared(now, before, more, &text), (words.to_owned(), tone), "{now} {before}");
        }
    }

    #[test]
    fn shares_are_rounded_and_never_divide_by_nothing() {
        assert_eq!(tenths(28, 1000), Some(28));
        assert_eq!(tenths(2, 3), Some(667));
        assert_eq!(tenths(i64::MAX, i64::MAX), Some(1000));
        assert_eq!(tenths(1, 0), None);
        let kpi = share("Conversion", (3, 2), (100, 100), More::Better, "no visits");
        assert_eq!((kpi.value.as_str(), kpi.compared.as_str()), ("3.0 %", "↑ 1.0 points from 2.0 %"));
        assert_eq!(share("x", (0, 0), (0, 5), More::Worse, "no sales").compared, "no sales in these days");
    }
}
