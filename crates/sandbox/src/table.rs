//! The objects of one kind, found by id and by what they belong to.

use std::collections::HashMap;

use serde_json::Value;

use crate::params;

/// By what the objects of a kind are asked for, often: the same names as those of the lists' parameters.
const RELATIONS: &[(&str, &[&str])] = &[
    ("balance_transaction", &["source"]),
    ("charge", &["payment_intent", "customer"]),
    ("checkout.session", &["payment_intent", "subscription", "customer"]),
    ("credit_note", &["invoice"]),
    ("dispute", &["charge", "payment_intent"]),
    ("invoice", &["customer"]),
    ("invoice_payment", &["invoice", "payment.payment_intent"]),
    ("invoiceitem", &["customer"]),
    ("payment_intent", &["customer"]),
    ("refund", &["charge", "payment_intent"]),
    ("subscription", &["customer"]),
];

/// The fields by which objects of a kind can be had without a look at all of them.
pub fn relations(kind: &str) -> &'static [&'static str] {
    RELATIONS.iter().find(|(of, _)| *of == kind).map_or(&[], |(_, fields)| fields)
}

/// Objects of one kind, in the order in which they were made.
#[derive(Debug)]
pub struct Table {
    rows: Vec<Row>,
    index: HashMap<String, usize>,
    /// Per field of [`relations`]: the rows, ascending, that have or once had a value.
    related: Vec<(&'static str, HashMap<String, Vec<usize>>)>,
}

#[derive(Debug)]
struct Row {
    value: Value,
    deleted: bool,
}

impl Table {
    /// An empty one.
    pub fn new(kind: &str) -> Self {
        let related = relations(kind).iter().map(|field| (*field, HashMap::new())).collect();
        Self { rows: Vec::new(), index: HashMap::new(), related }
    }

    /// How many were ever made.
    pub fn made(&self) -> usize {
        self.rows.len()
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.rows.iter().filter(|row| !row.deleted).count()
    }

    /// True if the id is taken, also by a deleted one.
    pub fn has(&self, id: &str) -> bool {
        self.index.contains_key(id)
    }

    /// Adds an object under an id that is free.
    pub fn add(&mut self, id: &str, value: Value) {
        let at = self.rows.len();
        self.index.insert(id.to_owned(), at);
        self.rows.push(Row { value, deleted: false });
        self.relate(at);
    }

    /// An object, and whether it was deleted.
    pub fn row(&self, id: &str) -> Option<(&Value, bool)> {
        self.rows.get(*self.index.get(id)?).map(|row| (&row.value, row.deleted))
    }

    /// Changes an object that was not deleted and returns it; `None` if there is none.
    pub fn alter(&mut self, id: &str, change: impl FnOnce(&mut Value)) -> Option<&Value> {
        let at = *self.index.get(id)?;
        let row = self.rows.get_mut(at).filter(|row| !row.deleted)?;
        change(&mut row.value);
        self.relate(at);
        self.rows.get(at).map(|row| &row.value)
    }

    /// Marks an object deleted; false if there is none.
    pub fn delete(&mut self, id: &str) -> bool {
        let row = self.index.get(id).and_then(|at| self.rows.get_mut(*at)).filter(|row| !row.deleted);
        row.map(|row| row.deleted = true).is_some()
    }

    /// Those that were not deleted, newest first; from the one of this id on, if it is known.
    pub fn newest(&self, from: Option<&str>) -> impl Iterator<Item = &Value> {
        let end = from.and_then(|id| self.index.get(id)).map_or(self.rows.len(), |at| at.saturating_add(1));
        self.rows.iter().take(end).rev().filter(|row| !row.deleted).map(|row| &row.value)
    }

    /// Those that were not deleted and whose field of [`relations`] has this value, newest first.
    pub fn related(&self, field: &str, value: &str) -> impl Iterator<Item = &Value> {
        let of =
            self.related.iter().find(|(name, _)| *name == field).and_then(|(_, values)| values.get(value));
        of.into_iter()
            .flatten()
            .rev()
            .filter_map(|at| self.rows.get(*at))
            .filter(move |row| !row.deleted && params::text(&row.value, field) == Some(value))
            .map(|row| &row.value)
    }

    /// Notes what a row belongs to now. What it belonged to before stays noted: readers look at the object itself.
    fn relate(&mut self, at: usize) {
        let Some(row) = self.rows.get(at) else { return };
        for (field, values) in &mut self.related {
            let Some(value) = params::text(&row.value, field) else { continue };
            let rows = match values.get_mut(value) {
                Some(rows) => rows,
                None => values.entry(value.to_owned()).or_default(),
            };
            if let Err(place) = rows.binary_search(&at) {
                rows.insert(place, at);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn ids<'v>(all: impl Iterator<Item = &'v Value>) -> Vec<&'v str> {
        all.filter_map(|v| params::text(v, "id")).collect()
    }

    #[test]
    fn what_belongs_to_another_is_found_also_after_a_change_and_not_after_a_deletion() {
        let mut table = Table::new("refund");
        for (id, charge) in [("re_1", "ch_1"), ("re_2", "ch_2"), ("re_3", "ch_1")] {
            table.add(id, json!({ "id": id, "charge": charge, "payment_intent": null }));
        }
        assert_eq!(ids(table.related("charge", "ch_1")), ["re_3", "re_1"]);
        table.alter("re_2", |value| value["charge"] = json!("ch_1"));
        assert_eq!(ids(table.related("charge", "ch_1")), ["re_3", "re_2", "re_1"]);
        assert!(ids(table.related("charge", "ch_2")).is_empty(), "it belongs elsewhere now");
        table.alter("re_1", |value| value["payment_intent"] = json!("pi_1"));
        assert_eq!(ids(table.related("payment_intent", "pi_1")), ["re_1"]);
        assert!(table.delete("re_3") && !table.delete("re_3"));
        assert_eq!(ids(table.related("charge", "ch_1")), ["re_2", "re_1"]);
    }

    #[test]
    fn the_newest_come_first_and_a_cursor_is_the_first_of_its_rest() {
        let mut table = Table::new("coupon");
        for id in ["a", "b", "c"] {
            table.add(id, json!({ "id": id }));
        }
        assert_eq!(ids(table.newest(None)), ["c", "b", "a"]);
        assert_eq!(ids(table.newest(Some("b"))), ["b", "a"]);
        assert_eq!(ids(table.newest(Some("unknown"))), ["c", "b", "a"]);
        assert!(ids(table.related("name", "x")).is_empty(), "not a relation of the kind");
    }
}
