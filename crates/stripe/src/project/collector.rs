//! Gathers what one source says, one fact for each object.

use crate::facts::{Person, normalise_email};
use crate::json::{Amount, IdOr, Items, MAX_ITEMS, Millis, Notes, Read, Said, Text};
use crate::views::{Metadata, Page, Presentment, sum_of_parts};
use serde_json::value::RawValue;
use tributary_domain::fact::{Fact, Field, Kind, Value};

/// How deep expanded objects are followed; Stripe expands four levels.
const MAX_DEPTH: u8 = 4;

/// What one source says, while it is read.
pub(crate) struct Collector<'h> {
    at: i64,
    hash_email: &'h dyn Fn(&str) -> String,
    facts: Vec<Fact>,
    people: Vec<Person>,
    depth: u8,
    pub(crate) notes: Notes,
}

impl<'h> Collector<'h> {
    /// `at` is the time of the snapshot in ms UTC.
    pub(crate) const fn new(at: i64, hash_email: &'h dyn Fn(&str) -> String, notes: Notes) -> Self {
        Self { at, hash_email, facts: Vec::new(), people: Vec::new(), depth: 0, notes }
    }

    pub(crate) const fn at(&self) -> i64 {
        self.at
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.facts.is_empty()
    }

    pub(crate) fn finish(self) -> (Vec<Fact>, Vec<Person>, Notes) {
        (self.facts, self.people, self.notes)
    }

    /// Reads a view; a note if the object is none.
    pub(crate) fn view<'a, T: Read<'a>>(&mut self, raw: &'a RawValue) -> Option<T> {
        T::read(raw, &mut self.notes)
    }

    /// Starts the fact of an object; a note if it has no usable id.
    pub(crate) fn start(&mut self, kind: Kind, id: &Said<Text<'_>>) -> Option<Fact> {
        match id {
            Said::Is(id) if !id.is_empty() && id.len() <= 255 => Some(Fact::new(kind, id.as_ref(), self.at)),
            _ => {
                self.notes.add(format!("An object of the kind {} has no usable id.", kind.as_str()));
                None
            }
        }
    }

    /// Takes a fact in. Two facts of one object become one: what was said first stays, a value beats a null.
    pub(crate) fn add(&mut self, fact: Fact) {
        if fact.fields.is_empty() {
            return;
        }
        let known =
            self.facts.iter_mut().find(|known| known.kind == fact.kind && known.object_id == fact.object_id);
        let Some(known) = known else {
            self.facts.push(fact);
            return;
        };
        for (field, value) in fact.fields {
            let ours = known.fields.entry(field).or_insert(Value::Null);
            if *ours == Value::Null {
                *ours = value;
            }
        }
    }

    /// Follows a reference into the object, where it was expanded.
    pub(crate) fn expand(&mut self, kind: Kind, reference: &Said<IdOr<'_>>) {
        if let Said::Is(IdOr { object: Some(object), .. }) = reference {
            self.nested(kind, object);
        }
    }

    /// Follows every item of an embedded list.
    pub(crate) fn expand_page(&mut self, kind: Kind, page: &Said<Page<'_>>) {
        if let Said::Is(Page { data: Said::Is(items), .. }) = page {
            items.0.iter().take(MAX_ITEMS).for_each(|item| self.nested(kind, item));
        }
    }

    /// The charges of a PaymentIntent that names an invoice belong to it as well, also where they say that they
    /// have none.
    pub(crate) fn name_invoice(&mut self, payment_intent: &str, invoice: &str) {
        let intent = Value::from(payment_intent);
        let charges = self.facts.iter_mut().filter(|fact| fact.kind == Kind::Charge);
        for charge in charges.filter(|charge| charge.fields.get(&Field::PaymentIntent) == Some(&intent)) {
            if charge.fields.get(&Field::Invoice) == Some(&Value::Null) {
                charge.set(Field::Invoice, invoice);
            }
        }
    }

    /// Says one thing of all objects of a kind.
    pub(crate) fn set_on(&mut self, kind: Kind, field: Field, value: &str) {
        self.facts.iter_mut().filter(|fact| fact.kind == kind).for_each(|fact| fact.set(field, value));
    }

    fn nested(&mut self, kind: Kind, object: &RawValue) {
        if self.depth >= MAX_DEPTH {
            self.notes.add("Objects are nested too deeply; the inner ones were not read.");
            return;
        }
        self.depth += 1;
        if let Some(project) = super::of_kind(kind) {
            project(object, self);
        }
        self.depth -= 1;
    }

    /// Keeps a person for display, and gives the hash of the address for the fact.
    pub(crate) fn person(&mut self, fact: &mut Fact, email: Option<&str>, name: Option<&str>) {
        if let Some(email) = email.and_then(normalise_email) {
            let hash = (self.hash_email)(&email);
            if fact.kind == Kind::Customer {
                // Who signed up with an address is known by it also after another was written over it.
                fact.set(Field::EmailsSeen, hash.as_str());
            }
            fact.set(Field::EmailHash, hash);
        }
        let filled = |text: &&str| !text.trim().is_empty();
        let (email, name) = (email.filter(filled), name.filter(filled));
        if email.is_none() && name.is_none() {
            return;
        }
        let customer = match (fact.kind, fact.fields.get(&Field::Customer)) {
            (Kind::Customer, _) => Some(fact.object_id.clone()),
            (_, Some(Value::Text(customer))) => Some(customer.clone()),
            _ => None,
        };
        self.people.push(Person {
            object_id: fact.object_id.clone(),
            customer,
            email: email.map(str::to_owned),
            name: name.map(str::to_owned),
        });
    }

    /// The sum of a list of taxes or discounts, if it was said.
    pub(crate) fn sum(&mut self, items: &Said<Items<'_>>) -> Option<i64> {
        match items {
            Said::Is(items) => sum_of_parts(items, &mut self.notes),
            _ => None,
        }
    }
}

/// Writes readings into a fact.
pub(crate) trait Put {
    /// A reference: its id, or null where the source says that there is none.
    fn link(&mut self, field: Field, reference: &Said<IdOr<'_>>);
    /// An amount that was said.
    fn amount(&mut self, field: Field, amount: Said<Amount>);
    /// A time that was said.
    fn time(&mut self, field: Field, time: Said<Millis>);
    /// A text that was said and is not empty.
    fn text(&mut self, field: Field, text: &Said<Text<'_>>);
    /// A currency: three letters, in lower case.
    fn currency(&mut self, currency: &Said<Text<'_>>, notes: &mut Notes);
    /// What the buyer saw, where that is another currency.
    fn presented(&mut self, details: &Said<Presentment<'_>>);
    /// The buyer: customer, or the account that stands for one.
    fn buyer(&mut self, customer: &Said<IdOr<'_>>, account: &Said<IdOr<'_>>);
    /// The metadata keys that are used.
    fn metadata(&mut self, metadata: &Said<Metadata<'_>>, partner: Field, customer: Field);
}

impl Put for Fact {
    fn link(&mut self, field: Field, reference: &Said<IdOr<'_>>) {
        match reference {
            Said::Absent => {}
            Said::Null => self.set(field, Value::Null),
            Said::Is(reference) => self.set(field, reference.id.as_ref()),
        }
    }

    fn amount(&mut self, field: Field, amount: Said<Amount>) {
        if let Said::Is(Amount(amount)) = amount {
            self.set(field, amount);
        }
    }

    fn time(&mut self, field: Field, time: Said<Millis>) {
        if let Said::Is(Millis(time)) = time {
            self.set(field, time);
        }
    }

    fn text(&mut self, field: Field, text: &Said<Text<'_>>) {
        if let Said::Is(text) = text
            && !text.is_empty()
        {
            self.set(field, text.as_ref());
        }
    }

    fn currency(&mut self, currency: &Said<Text<'_>>, notes: &mut Notes) {
        let Said::Is(currency) = currency else { return };
        if currency.len() == 3 && currency.bytes().all(|byte| byte.is_ascii_alphabetic()) {
            self.set(Field::Currency, currency.to_ascii_lowercase());
        } else {
            notes.add("A currency is not three letters; it was read as absent.");
        }
    }

    fn presented(&mut self, details: &Said<Presentment<'_>>) {
        if let Said::Is(Presentment {
            presentment_amount: amount @ Said::Is(_),
            presentment_currency: Said::Is(currency),
            ..
        }) = details
            && currency.len() == 3
        {
            self.amount(Field::PresentmentAmount, *amount);
            self.set(Field::PresentmentCurrency, currency.to_ascii_lowercase());
        }
    }

    fn buyer(&mut self, customer: &Said<IdOr<'_>>, account: &Said<IdOr<'_>>) {
        match (customer, account) {
            (Said::Is(_), _) | (_, Said::Absent) => self.link(Field::Customer, customer),
            _ => self.link(Field::Customer, account),
        }
    }

    fn metadata(&mut self, metadata: &Said<Metadata<'_>>, partner: Field, customer: Field) {
        if let Said::Is(metadata) = metadata {
            self.text(partner, &metadata.partner_key);
            self.text(customer, &metadata.customer_key);
        }
    }
}
