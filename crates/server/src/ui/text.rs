//! Small helpers for words.

/// Start and end of a long identifier (`in_1Qx9…8Lk2`); up to 20 letters it stays whole.
#[must_use]
pub fn shorten_id(id: &str) -> String {
    let letters: Vec<char> = id.chars().collect();
    if letters.len() <= 20 {
        return id.to_owned();
    }
    let head = id.find('_').map_or(8, |at| (at + 5).min(14));
    let start: String = letters.iter().take(head).collect();
    let end: String = letters[letters.len() - 4..].iter().collect();
    format!("{start}…{end}")
}

/// What a Stripe id names, by its prefix.
#[must_use]
pub fn object_word(id: &str) -> &'static str {
    let prefix = id.split('_').next().unwrap_or("");
    match prefix {
        "in" => "invoice",
        "ch" | "py" => "charge",
        "pi" => "payment",
        "cs" => "checkout session",
        "re" | "pyr" => "refund",
        "cus" => "customer",
        "sub" => "subscription",
        "inpay" => "invoice payment",
        "evt" => "event",
        "acct" => "account",
        "du" | "dp" => "dispute",
        "txn" => "balance transaction",
        _ => "object",
    }
}

/// The first letter in upper case, the rest as it is. A name of code, such as `client_reference_id`, stays.
#[must_use]
pub fn sentence_case(text: &str) -> String {
    if text.split_whitespace().next().is_some_and(|word| word.contains(['_', '.'])) {
        return text.to_owned();
    }
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// A sentence whose long identifiers are shortened.
#[must_use]
pub fn shorten_ids(text: &str) -> String {
    let short = |word: &str| if word.contains('_') { shorten_id(word) } else { word.to_owned() };
    text.split(' ').map(short).collect::<Vec<_>>().join(" ")
}

/// Escapes text for HTML, where no template does it.
pub fn escape_into(out: &mut String, text: &str) {
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
}

/// The pairs with a value as a query, without its question mark: `state=earning&q=ada`.
#[must_use]
pub fn query(pairs: &[(&str, &str)]) -> String {
    let given = pairs.iter().filter(|(_, value)| !value.is_empty());
    given.map(|(name, value)| format!("{name}={}", encode(value))).collect::<Vec<_>>().join("&")
}

/// Percent-encodes one path segment or query value.
#[must_use]
pub fn encode(text: &str) -> String {
    use std::fmt::Write;
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_keep_their_prefix_and_their_end() {
        assert_eq!(shorten_id("in_1QxAbCdEfGhIjKlMnOpLk2"), "in_1QxA…pLk2");
        assert_eq!(shorten_id("user_8841"), "user_8841");
        assert_eq!(shorten_id("ééééééééééééééééééééééé"), "éééééééé…éééé");
    }

    #[test]
    fn sentences_keep_names_of_code() {
        assert_eq!(sentence_case("sign-up with a key"), "Sign-up with a key");
        assert_eq!(sentence_case("client_reference_id of it"), "client_reference_id of it");
        assert_eq!(sentence_case(""), "");
        assert_eq!(shorten_ids("earned from in_1QxAbCdEfGhIjKlMnOpLk2"), "earned from in_1QxA…pLk2");
    }

    #[test]
    fn segments_are_encoded() {
        assert_eq!(encode("a/b?c#d e%é"), "a%2Fb%3Fc%23d%20e%25%C3%A9");
    }
}
