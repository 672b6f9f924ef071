//! What a list of transactions is narrowed to, as the address says it: for the page and for its CSV.

use super::partner::api_place;
use super::{wish, words};
use crate::ui::text::query;
use serde::Deserialize;
use tributary_store::api::By;
use tributary_store::api::partners;
use tributary_store::pages::Place;
use tributary_store::pages::transactions::Filter;
use tributary_store::{StoreError, Tx};

/// What the address may ask for.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    state: Option<String>,
    q: Option<String>,
    partner: Option<String>,
    currency: Option<String>,
    from: Option<String>,
    to: Option<String>,
    pub(super) order: Option<String>,
    pub(super) before: Option<String>,
    pub(super) after: Option<String>,
}

/// The filters by state: value in the address, word on the chip.
pub(super) const STATES: [(&str, &str); 6] = [
    ("", "All"),
    ("earning", "Earning"),
    ("refunded", "Refunded"),
    ("disputed", "Disputed"),
    ("unattributed", "Unattributed"),
    ("waiting", "Waiting"),
];

/// The same, read: what is odd is left out, and dates that are none are told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wish {
    pub(super) state: &'static str,
    pub(super) search: String,
    pub(super) partner: String,
    pub(super) currency: String,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) problem: String,
}

impl Wish {
    /// Reads the address.
    pub(super) fn read(asked: &Asked) -> Self {
        let (from, to, problem) = wish::dates(&asked.from, &asked.to);
        Self {
            state: wish::among(&STATES, &asked.state),
            search: wish::text(&asked.q, 200),
            partner: wish::text(&asked.partner, 255),
            currency: wish::text(&asked.currency, 3).to_lowercase(),
            from,
            to,
            problem,
        }
    }

    fn pairs(&self) -> [(&'static str, &str); 6] {
        [
            ("state", self.state),
            ("q", &self.search),
            ("partner", &self.partner),
            ("currency", &self.currency),
            ("from", &self.from),
            ("to", &self.to),
        ]
    }

    /// As a query, without its question mark.
    pub(super) fn query(&self) -> String {
        query(&self.pairs())
    }

    /// The list so narrowed.
    pub(super) fn address(&self, path: &str) -> String {
        wish::address(path, &self.query())
    }

    /// What a form keeps that asks for one field itself.
    pub(super) fn kept(&self, field: &str) -> Vec<(&'static str, String)> {
        let others = self.pairs().into_iter().filter(|(name, _)| *name != field);
        others.map(|(name, value)| (name, value.to_owned())).collect()
    }

    /// The filter, and the name of the partner it is about. A partner whom nobody knows leaves nothing.
    ///
    /// # Errors
    /// The database's.
    pub(super) async fn filter(
        &self,
        tx: &mut Tx<'_>,
        place: &Place,
    ) -> Result<(Filter, Option<String>), StoreError> {
        let (from, until) = wish::span(&self.from, &self.to);
        let mut filter = Filter {
            state: self.state.to_owned(),
            search: self.search.clone(),
            currency: self.currency.clone(),
            partner_id: String::new(),
            from,
            until,
        };
        if self.partner.is_empty() {
            return Ok((filter, None));
        }
        // No id begins so.
        "?".clone_into(&mut filter.partner_id);
        let place = api_place(place);
        let email = self.partner.to_lowercase();
        for (by, value) in [(By::Id, &self.partner), (By::Key, &self.partner), (By::Email, &email)] {
            if let Some(found) = partners::find(tx, &place, by, value).await? {
                let name = words::partner(&[found.name, found.surname, found.key]);
                filter.partner_id = found.partner_id;
                return Ok((filter, Some(name)));
            }
        }
        Ok((filter, None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_wishes_are_left_out_and_odd_dates_are_told() {
        let asked = |from: &str, state: &str| Asked {
            from: Some(from.to_owned()),
            state: Some(state.to_owned()),
            currency: Some("EURO".to_owned()),
            ..Asked::default()
        };
        let wish = Wish::read(&asked("2026-11-01", "earning"));
        assert_eq!(wish.query(), "state=earning&currency=eur&from=2026-11-01");
        assert!(wish.problem.is_empty());
        let wish = Wish::read(&asked("2026-13-01", "nonsense"));
        assert_eq!(wish.query(), "currency=eur");
        assert!(!wish.problem.is_empty());
    }
}
