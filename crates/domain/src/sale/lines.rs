//! What was bought, line by line.

use super::detail::Line;
use super::{Money, Need, Reader, SaleState};
use crate::fact::{Field, Kind};
use crate::merge::ObjectState;

/// Lines as the field [`Field::Lines`] keeps them: JSON, `[[id, product, net, tax], …]`.
#[must_use]
pub fn encode_lines(lines: &[Line]) -> String {
    let rows: Vec<_> = lines.iter().map(|line| (&line.id, &line.product, line.net, line.tax)).collect();
    serde_json::to_string(&rows).unwrap_or_default()
}

fn decode(text: &str) -> Option<Vec<Line>> {
    let rows: Vec<(String, String, i64, i64)> = serde_json::from_str(text).ok()?;
    Some(rows.into_iter().map(|(id, product, net, tax)| Line { id, product, net, tax }).collect())
}

impl Reader<'_> {
    /// The lines in order of their ids, or what must be asked first. Nobody lists what a bare charge paid for.
    pub(super) fn lines(&self, money: &Money) -> (Option<Vec<Line>>, Vec<Need>) {
        if money.state != SaleState::Paid {
            return (Some(Vec::new()), Vec::new());
        }
        if let Some(invoice) = self.of(Kind::Invoice).next() {
            let shown = invoice.text(Field::Lines).and_then(decode);
            return match shown {
                Some(mut lines) => {
                    lines.sort();
                    (Some(lines), Vec::new())
                }
                None => self.listed(invoice, Field::Invoice),
            };
        }
        match self.of(Kind::Session).find(|session| session.text(Field::Mode) != Some("setup")) {
            Some(session) => self.listed(session, Field::Session),
            None => (Some(Vec::new()), Vec::new()),
        }
    }

    /// The lines that the list of an object's lines brought.
    fn listed(&self, of: &ObjectState, link: Field) -> (Option<Vec<Line>>, Vec<Need>) {
        if of.int(Field::LinesListedAt).is_none() {
            // What Stripe does not know has no list either.
            return match of.flag(Field::Missing) {
                true => (Some(Vec::new()), Vec::new()),
                false => (None, vec![Need::LinesOf(of.id.clone())]),
            };
        }
        let mine = self.of(Kind::Line).filter(|line| line.text(link) == Some(&of.id));
        let mut lines: Vec<Line> = mine
            .map(|line| Line {
                id: line.id.clone(),
                product: line.text(Field::Product).unwrap_or_default().to_owned(),
                net: line.int(Field::Amount).unwrap_or(0),
                tax: line.int(Field::AmountTax).unwrap_or(0),
            })
            .collect();
        lines.sort();
        (Some(lines), Vec::new())
    }
}
