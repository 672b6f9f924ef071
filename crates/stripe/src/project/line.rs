//! Lines of invoices and sessions → facts.

use super::collector::Collector;
use crate::json::{Notes, Read, Said};
use crate::views::{Line, Page};
use serde_json::value::RawValue;
use tributary_domain::fact::{Fact, Field, Kind};
use tributary_domain::sale::{self, encode_lines};

/// The most lines that one invoice fact keeps; longer lists are asked for.
const MOST: usize = 100;

/// Projects a line of a list that was asked for. What it belongs to is said by the question.
pub(crate) fn line(raw: &RawValue, c: &mut Collector<'_>) {
    let Some(line) = read(raw, &mut c.notes) else { return };
    c.add(
        Fact::new(Kind::Line, line.id, c.at())
            .with(Field::Product, Some(line.product).filter(|product| !product.is_empty()))
            .with(Field::Amount, line.net)
            .with(Field::AmountTax, line.tax),
    );
}

/// The lines that an invoice shows, as one text, if it shows all of them and each can be read.
pub(super) fn shown(page: &Said<Page<'_>>) -> Option<String> {
    let Said::Is(Page { data: Said::Is(items), has_more, .. }) = page else { return None };
    if *has_more == Said::Is(true) || items.0.len() >= MOST {
        return None;
    }
    // Odd lines are told where the list is asked for.
    let mut notes = Notes::default();
    let lines: Option<Vec<_>> = items.0.iter().map(|item| read(item, &mut notes)).collect();
    lines.filter(|lines| !lines.is_empty()).map(|lines| encode_lines(&lines))
}

fn read(raw: &RawValue, notes: &mut Notes) -> Option<sale::Line> {
    let view = Line::read(raw, notes)?;
    let id = view.id.as_ref().value().filter(|id| !id.is_empty() && id.len() <= 255)?;
    let (net, tax) = view.amounts(notes)?;
    Some(sale::Line { id: id.to_string(), product: view.product().unwrap_or_default().to_owned(), net, tax })
}
