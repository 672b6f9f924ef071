//! What was last, as sentences.

use crate::admin::words;
use crate::ui::frame::ProgramCard;
use crate::ui::text::{encode, object_word, shorten_id};
use crate::ui::when::Ago;
use tributary_store::pages::overview::{Joined, Sold};

/// A piece of a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Words.
    Plain(String),
    /// What the sentence is about: a name, an amount.
    Bold(String),
    /// Words that lead to a page.
    Link(String, String),
}

/// One sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedItem {
    /// Its icon.
    pub icon: &'static str,
    /// Its pieces, in order.
    pub parts: Vec<Part>,
    /// When.
    pub at: Ago,
}

/// The newest sales and customers together, newest first. Sales have the room that they need: where many sign up and
/// few buy, a list of sign-ups alone would say nothing of money.
pub(super) fn list(
    sold: &[Sold],
    joined: &[Joined],
    card: &ProgramCard,
    now: i64,
    most: usize,
) -> Vec<FeedItem> {
    let sales =
        sold.iter().take(most.saturating_sub(joined.len().min(3))).map(|sale| sale_item(sale, card, now));
    let room = most.saturating_sub(sold.len()).max(3);
    let customers = joined.iter().take(room).map(|customer| customer_item(customer, card, now));
    let mut items: Vec<_> = sales.chain(customers).collect();
    items.sort_by_key(|item| std::cmp::Reverse(item.at.at));
    items.truncate(most);
    items
}

fn plain(text: impl Into<String>) -> Part {
    Part::Plain(text.into())
}

fn sale_item(sale: &Sold, card: &ProgramCard, now: i64) -> FeedItem {
    let paid = words::money(sale.paid, &sale.currency).text();
    let gone = sale.refunded.saturating_add(sale.lost);
    let back = words::money(gone, &sale.currency).text();
    let how = if sale.lost > 0 && sale.refunded > 0 {
        "given back or lost in a dispute"
    } else if sale.lost > 0 {
        "lost in a dispute"
    } else {
        "refunded"
    };
    let link = Part::Link(
        format!("{} {}", object_word(&sale.root_id), shorten_id(&sale.root_id)),
        card.href(&format!("transactions/{}", encode(&sale.root_id))),
    );
    let whole = gone > 0 && gone >= sale.paid;
    let (icon, parts) = match &sale.earned {
        Some((partner_id, partner, target, currency)) => {
            let href = card.href(&format!("partners/{}", encode(partner_id)));
            let who = Part::Link(words::partner(partner), href);
            let amount = Part::Bold(words::money(*target, currency).text());
            if whole {
                (
                    "undo-2",
                    vec![
                        plain(format!("{paid} was {how}: ")),
                        who,
                        plain(" keeps "),
                        amount,
                        plain(" of "),
                        link,
                    ],
                )
            } else if sale.disputed > 0 {
                let asked = words::money(sale.disputed, &sale.currency).text();
                let rest = format!(", held while {asked} of it is disputed");
                ("circle-alert", vec![who, plain(" earns "), amount, plain(" from "), link, plain(rest)])
            } else if gone > 0 {
                let rest = format!(" after {back} of {paid} was {how}");
                ("undo-2", vec![who, plain(" earns "), amount, plain(" from "), link, plain(rest)])
            } else {
                ("receipt", vec![who, plain(" earned "), amount, plain(" from "), link])
            }
        }
        None => {
            let who = words::buyer(&sale.customer, "");
            let why = format!(" from {who} earned nobody anything: {}. See ", words::because(&sale.outcome));
            ("circle-minus", vec![Part::Bold(paid), plain(why), link])
        }
    };
    FeedItem { icon, parts, at: Ago { at: sale.at, now } }
}

fn customer_item(joined: &Joined, card: &ProgramCard, now: i64) -> FeedItem {
    let href = card.href(&format!("customers/{}", encode(&joined.customer_id)));
    let mut parts = vec![plain("New customer "), Part::Link(words::buyer(&joined.customer, ""), href)];
    match &joined.partner {
        Some(partner) => {
            parts.push(plain(" through "));
            parts.push(Part::Bold(words::partner(partner)));
        }
        None => parts.push(plain(", brought by nobody")),
    }
    FeedItem { icon: "user-plus", parts, at: Ago { at: joined.at, now } }
}
