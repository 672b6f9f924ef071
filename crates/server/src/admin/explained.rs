//! An explanation's story, evidence and postings as the page writes them.

use super::transaction::{EvidenceRow, Note, PostingRow, StoryStep};
use super::words;
use crate::pipeline::explain::{Posted, Step};
use crate::ui::Tone;
use crate::ui::badge::{Badge, Id};
use crate::ui::money::Money;
use crate::ui::text::{object_word, sentence_case, shorten_ids};
use crate::ui::when::{Instant, day};
use tributary_domain::attribution::{Considered, Verdict};
use tributary_domain::money::{Currency, parse_major};
use tributary_domain::sale::EvidenceKind;

/// What happened, in order. A charge that paid an invoice is named with the invoice, not as money of its own.
#[must_use]
pub fn story(steps: &[Step]) -> Vec<StoryStep> {
    let amount = |step: &Step| step.title.split_once(' ').map(|(_, amount)| amount.to_owned());
    let invoice = |step: &&Step| step.tone == "plus" && step.object_id.starts_with("in_");
    let charge = |step: &Step| {
        step.tone == "plus" && (step.object_id.starts_with("ch_") || step.object_id.starts_with("py_"))
    };
    let folded =
        |step: &Step| charge(step) && steps.iter().filter(invoice).any(|paid| amount(paid) == amount(step));
    steps
        .iter()
        .filter(|step| !folded(step))
        .map(|step| {
            let mut told = one(step);
            if invoice(&step) {
                let charges = steps.iter().filter(|other| folded(other) && amount(other) == amount(step));
                told.notes.extend(charges.map(|charge| note(&charge.object_id)));
            }
            told
        })
        .collect()
}

fn one(step: &Step) -> StoryStep {
    let icon = match step.tone {
        "plus" => "receipt",
        "minus" => "undo-2",
        _ if step.title == "Signed up" => "user",
        _ if step.title.contains("failed") => "x",
        _ => "check",
    };
    StoryStep {
        class: step.tone,
        icon,
        what: with_symbol(&step.title),
        rest: step.detail.clone(),
        at: Some(Instant { at: step.at }),
        notes: if step.object_id.is_empty() { Vec::new() } else { vec![note(&step.object_id)] },
    }
}

fn note(id: &str) -> Note {
    let word = match object_word(id) {
        "object" => "key",
        word => word,
    };
    Note { word: word.to_owned(), id: Some(Id::new(word, id)) }
}

/// "Paid 72.00 USD" as the page writes amounts: "Paid $72.00".
fn with_symbol(title: &str) -> String {
    let mut words = title.rsplitn(3, ' ');
    let (Some(code), Some(number), Some(rest)) = (words.next(), words.next(), words.next()) else {
        return title.to_owned();
    };
    let amount = Currency::parse(code).ok().and_then(|currency| {
        let minor = parse_major(number, currency).ok()?;
        Some(Money::new(minor, currency).text())
    });
    amount.map_or_else(|| title.to_owned(), |amount| format!("{rest} {amount}"))
}

/// All that was considered: what decided first, then what agrees, then the rest in order of time.
#[must_use]
pub fn evidence(considered: &[Considered]) -> Vec<EvidenceRow> {
    let mut rows: Vec<&Considered> = considered.iter().collect();
    rows.sort_by_key(|piece| match piece.verdict {
        Verdict::Decided => 0,
        Verdict::Agrees => 1,
        Verdict::FitsNobody => 3,
        _ => 2,
    });
    rows.into_iter().map(row).collect()
}

fn row(piece: &Considered) -> EvidenceRow {
    let words = piece.words();
    let (short, why) = words.split_once(": ").unwrap_or((&words, ""));
    let badge = match piece.verdict {
        Verdict::Decided => Badge::new(Tone::Good, "Decided"),
        Verdict::Agrees => Badge::new(Tone::Plain, "Agrees"),
        Verdict::FitsNobody => Badge::with(Tone::Plain, "circle-minus", "Fits nobody"),
        Verdict::Overruled => Badge::with(Tone::Plain, "circle-minus", "Overruled"),
        Verdict::TooOld | Verdict::AfterSale => {
            Badge::with(Tone::Plain, "circle-minus", sentence_case(short))
        }
        _ => Badge::with(Tone::Plain, "clock", sentence_case(short)),
    };
    let mut says = Vec::new();
    // The value of an e-mail match is a hash: nothing that a person could read.
    if !piece.evidence.detail.is_empty() {
        says.push(sentence_case(&piece.evidence.detail));
    } else if piece.evidence.kind != EvidenceKind::Email && !piece.evidence.value.is_empty() {
        says.push(format!("“{}”", piece.evidence.value));
    }
    if !why.is_empty() {
        says.push(format!("{}.", sentence_case(why)));
    }
    let source = &piece.evidence.source_id;
    EvidenceRow {
        won: piece.verdict == Verdict::Decided,
        what: sentence_case(piece.evidence.kind.words()),
        says: says.join(" "),
        at: Some(Instant { at: piece.evidence.effective_at }),
        source: (!source.is_empty()).then(|| Id::new(object_word(source), source)),
        verdict: badge,
    }
}

/// What was posted, in order.
#[must_use]
pub fn postings(posted: &[Posted]) -> Vec<PostingRow> {
    posted
        .iter()
        .map(|posted| PostingRow {
            day: day(posted.at),
            from: posted.debit.clone(),
            to: posted.credit.clone(),
            reason: shorten_ids(&posted.reason),
            amount: words::money(posted.amount, &posted.currency),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(id: &str, title: &str, tone: &'static str) -> Step {
        Step { at: 0, title: title.into(), detail: String::new(), object_id: id.into(), tone }
    }

    #[test]
    fn a_charge_stands_with_the_invoice_that_it_paid() {
        let steps = [step("ch_1", "Charged 72.00 USD", "plus"), step("in_1", "Paid 72.00 USD", "plus")];
        let told = story(&steps);
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].what, "Paid $72.00");
        assert_eq!(told[0].notes.len(), 2);
        let apart = [step("ch_1", "Charged 50.00 USD", "plus"), step("in_1", "Paid 72.00 USD", "plus")];
        assert_eq!(story(&apart).len(), 2);
        assert_eq!(story(&apart[..1])[0].what, "Charged $50.00");
    }

    #[test]
    fn titles_without_an_amount_stay() {
        for title in ["Checked out", "A charge failed", "Signed up", "x y z"] {
            assert_eq!(with_symbol(title), title);
        }
    }
}
