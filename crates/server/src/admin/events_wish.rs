//! What the list of events is narrowed to, as the address says it: for the page and for its CSV.

use super::wish;
use crate::ui::controls::{Field, Select};
use crate::ui::text::{query, shorten_id};
use serde::Deserialize;
use tributary_store::pages::events::Filter;

/// What the address may ask for.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    outcome: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    object: Option<String>,
    connection: Option<String>,
    from: Option<String>,
    to: Option<String>,
    pub(super) before: Option<String>,
    pub(super) after: Option<String>,
    /// What became of a test event.
    pub(super) test: Option<String>,
}

/// The filters by outcome: value in the address, word on the chip.
pub(super) const OUTCOMES: [(&str, &str); 5] = [
    ("", "All"),
    ("processed", "Processed"),
    ("ignored", "Ignored"),
    ("pending", "Waiting"),
    ("parked", "Parked"),
];

/// The same, read: what is odd is left out, and dates that are none are told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wish {
    pub(super) outcome: &'static str,
    pub(super) kind: String,
    pub(super) object: String,
    pub(super) connection: String,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) problem: String,
}

/// The filters in a form, and those in force with the address that takes each off.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Narrow {
    /// Where the form goes.
    pub action: String,
    /// The outcome, which the chips ask for.
    pub outcome: String,
    /// How the type begins.
    pub kind: Field,
    /// An object's or event's id.
    pub object: Field,
    /// The connections, if there are several.
    pub connection: Option<Select>,
    /// The first day.
    pub from: Field,
    /// The last day.
    pub to: Field,
    /// What is in force: words, and the list without it.
    pub chosen: Vec<(String, String)>,
    /// What is wrong with what was typed; empty if nothing is.
    pub problem: String,
}

impl Wish {
    /// Reads the address.
    pub(super) fn read(asked: &Asked) -> Self {
        let (from, to, problem) = wish::dates(&asked.from, &asked.to);
        Self {
            outcome: wish::among(&OUTCOMES, &asked.outcome),
            kind: wish::text(&asked.kind, 100),
            object: wish::text(&asked.object, 255),
            connection: wish::text(&asked.connection, 64),
            from,
            to,
            problem,
        }
    }

    /// As a query, without its question mark.
    pub(super) fn query(&self) -> String {
        query(&[
            ("outcome", self.outcome),
            ("type", &self.kind),
            ("object", &self.object),
            ("connection", &self.connection),
            ("from", &self.from),
            ("to", &self.to),
        ])
    }

    /// The list so narrowed.
    pub(super) fn address(&self, path: &str) -> String {
        wish::address(path, &self.query())
    }

    /// For the database.
    pub(super) fn filter(&self) -> Filter {
        let (from, until) = wish::span(&self.from, &self.to);
        Filter {
            outcome: self.outcome.to_owned(),
            kind: self.kind.trim_end_matches('*').to_owned(),
            object: self.object.clone(),
            from,
            until,
        }
    }

    /// The form, for the program's connections: id and account.
    pub(super) fn narrow(&self, path: &str, connections: &[(String, String)]) -> Narrow {
        let field = |name, label, kind, value: &str, help| Field {
            name,
            label,
            kind,
            value: value.to_owned(),
            help,
            autocomplete: "off",
            ..Field::default()
        };
        let mut options = vec![(String::new(), "All".to_owned())];
        options.extend(connections.iter().cloned());
        let mut chosen = Vec::new();
        let mut off = |set: bool, words: String, without: Self| {
            if set {
                chosen.push((words, without.address(path)));
            }
        };
        let plain = || self.clone();
        off(!self.kind.is_empty(), format!("Type: {}", self.kind), Self { kind: String::new(), ..plain() });
        off(!self.object.is_empty(), shorten_id(&self.object), Self { object: String::new(), ..plain() });
        let account =
            connections.iter().find(|(id, _)| *id == self.connection).map(|(_, words)| words.as_str());
        off(
            !self.connection.is_empty(),
            format!("Connection: {}", account.unwrap_or("not of this program")),
            Self { connection: String::new(), ..plain() },
        );
        let days = match (self.from.as_str(), self.to.as_str()) {
            (from, "") => format!("From {from}"),
            ("", to) => format!("Until {to}"),
            (from, to) => format!("{from} to {to}"),
        };
        off(
            !self.from.is_empty() || !self.to.is_empty(),
            days,
            Self { from: String::new(), to: String::new(), ..plain() },
        );
        Narrow {
            action: path.to_owned(),
            outcome: self.outcome.to_owned(),
            kind: field("type", "Type", "text", &self.kind, "Its beginning is enough: charge.dispute"),
            object: field("object", "Object or event", "text", &self.object, "Its id: in_…, ch_…, evt_…"),
            connection: (connections.len() > 1).then(|| Select {
                name: "connection",
                label: "Connection",
                options,
                value: self.connection.clone(),
                help: "",
            }),
            from: field("from", "Received from", "date", &self.from, ""),
            to: field("to", "Until", "date", &self.to, ""),
            chosen,
            problem: self.problem.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_wishes_are_left_out_and_odd_dates_are_told() {
        let asked = |from: &str| Asked {
            outcome: Some("ignored".to_owned()),
            kind: Some(" charge.* ".to_owned()),
            from: Some(from.to_owned()),
            ..Asked::default()
        };
        let wish = Wish::read(&asked("2026-11-01"));
        assert_eq!(wish.query(), "outcome=ignored&type=charge.%2A&from=2026-11-01");
        assert_eq!(wish.filter().kind, "charge.");
        let narrow = wish.narrow("/e", &[]);
        assert_eq!(narrow.chosen.len(), 2);
        assert!(!narrow.chosen[0].1.contains("type="), "{}", narrow.chosen[0].1);
        let wish = Wish::read(&asked("the first"));
        assert!(wish.from.is_empty() && !wish.problem.is_empty());
    }
}
