//! What the addresses of narrowed lists have in common.

use super::period::{parse_day, start_of};

/// A text of the address: trimmed, without control characters, at most `most` letters; empty where there is none.
pub(super) fn text(asked: &Option<String>, most: usize) -> String {
    let kept = asked.as_deref().unwrap_or_default().trim().chars();
    kept.filter(|letter| !letter.is_control()).take(most).collect()
}

/// The value among those that a filter knows, by its place in the address; the first (`""`, all) for an odd one.
pub(super) fn among(known: &[(&'static str, &str)], asked: &Option<String>) -> &'static str {
    let asked = asked.as_deref().unwrap_or_default();
    known.iter().find(|(value, _)| *value == asked).map_or("", |(value, _)| *value)
}

/// Two dates of the address, either of which may be empty. One that is none is left out, and the sentence says so.
pub(super) fn dates(from: &Option<String>, to: &Option<String>) -> (String, String, String) {
    let mut problem = String::new();
    let mut date = |asked| {
        let date = text(asked, 10);
        if date.is_empty() || parse_day(&date).is_some() {
            return date;
        }
        "A date is written as 2026-11-30; the one that is not was left out.".clone_into(&mut problem);
        String::new()
    };
    let (from, to) = (date(from), date(to));
    (from, to, problem)
}

/// The instants (ms UTC) of two dates: from the first one's beginning, until after the last one's end.
pub(super) fn span(from: &str, to: &str) -> (Option<i64>, Option<i64>) {
    (parse_day(from).map(start_of), parse_day(to).map(|day| start_of(day.saturating_add(1))))
}

/// A list with a query, which may be empty.
pub(super) fn address(path: &str, query: &str) -> String {
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_texts_and_dates_are_left_out() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(text(&some(" a\u{0}bcd "), 3), "abc");
        assert_eq!(text(&None, 3), "");
        assert_eq!(among(&[("", "All"), ("x", "X")], &some("x")), "x");
        assert_eq!(among(&[("", "All"), ("x", "X")], &some("y")), "");
        let (from, to, problem) = dates(&some("2026-11-01"), &some("soon"));
        assert_eq!((from.as_str(), to.as_str()), ("2026-11-01", ""));
        assert!(!problem.is_empty());
        let (from, until) = span("2026-11-01", "2026-11-01");
        assert_eq!(until.unwrap() - from.unwrap(), 86_400_000);
        assert_eq!((address("/e", ""), address("/e", "a=1")), ("/e".to_owned(), "/e?a=1".to_owned()));
    }
}
