//! The fields of a program's terms, with the sentence that they make.

use super::controls::{Field, Select};
use crate::setup::reward::{TermsInput, Wrong, sentences};
use askama::Template;

/// Five fields and a live sentence. Without script the sentence is that of the page's last load.
#[derive(Debug, Clone, Default, PartialEq, Eq, Template)]
#[template(path = "components/terms.html")]
pub struct TermsFields {
    reward: Select,
    value: Field,
    span: Select,
    count: Field,
    hold_days: Field,
    sentence: String,
    wrong: String,
}
impl askama::filters::HtmlSafe for TermsFields {}

impl TermsFields {
    /// The fields filled in; a fixed reward is in `currency` (lower case).
    #[must_use]
    pub fn new(input: &TermsInput, currency: &str) -> Self {
        let read = input.read(currency, None);
        let wrong = read.as_ref().err();
        let error = |name: &str| {
            wrong.filter(|wrong| wrong.field == name).map_or("", |wrong| &wrong.words).to_owned()
        };
        let field = |name: &'static str, label, value: &str| Field {
            name,
            label,
            kind: "text",
            value: value.to_owned(),
            error: error(name),
            autocomplete: "off",
            ..Field::default()
        };
        let select = |name, label, value: &str, options: &[(&str, &str)]| Select {
            name,
            label,
            options: options.iter().map(|(key, words)| ((*key).to_owned(), (*words).to_owned())).collect(),
            value: value.to_owned(),
            help: "",
        };
        let fixed = format!("Fixed amount ({})", currency.to_uppercase());
        Self {
            reward: select(
                "reward",
                "Reward",
                &input.reward,
                &[("percent", "Share of the sale (%)"), ("fixed", &fixed)],
            ),
            value: field("value", "How much", &input.value),
            span: select(
                "span",
                "For",
                &input.span,
                &[
                    ("months", "the first months"),
                    ("lifetime", "every sale, for life"),
                    ("once", "the first sale only"),
                    ("sales", "the first sales"),
                ],
            ),
            count: field("count", "How many", &input.count),
            hold_days: field("hold_days", "Hold, days", &input.hold_days),
            sentence: read.as_ref().map(sentences).unwrap_or_default(),
            wrong: wrong.map(|Wrong { words, .. }| words.clone()).unwrap_or_default(),
        }
    }
}
