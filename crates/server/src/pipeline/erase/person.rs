//! All that is known to be one person: customers, buyers, objects at Stripe.

use super::super::link::born_by;
use super::Who;
use crate::state::email_hash;
use std::collections::{BTreeMap, BTreeSet};
use tributary_domain::sale::EvidenceKind;
use tributary_store::pipeline::erasure::{self, Named};
use tributary_store::pipeline::known_as::{self, Name};
use tributary_store::pipeline::{evidence, people};
use tributary_store::vault::Key;
use tributary_store::{StoreError, Tx, Unit, connections};

/// Steps from one acquaintance to the next; people have few.
const STEPS: usize = 8;

/// One person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Person {
    /// Customers in all programs and modes.
    pub(super) customers: BTreeSet<Named>,
    /// Buyers as (connection, buyer).
    pub(super) buyers: BTreeSet<(String, String)>,
    /// Objects by connection: the Stripe customers, and all objects of what guests bought.
    pub(super) objects: BTreeMap<String, BTreeSet<String>>,
    /// Ids by which payloads hold this person, by connection: of a Stripe customer its own, for every object about it
    /// names it; of a guest those of all objects.
    named_by: BTreeMap<String, BTreeSet<String>>,
    /// Addresses in clear, lower case.
    pub(super) emails: BTreeSet<String>,
    /// The keyed hashes of addresses.
    pub(super) hashes: BTreeSet<String>,
    /// Client references that their purchases carried.
    pub(super) references: BTreeSet<String>,
}

impl Person {
    /// What a payload that holds this person contains.
    pub(super) fn needles(&self, connection_id: &str) -> Vec<String> {
        let own = self.named_by.get(connection_id).into_iter().flatten();
        own.chain(&self.emails).map(|text| text.to_ascii_lowercase()).collect()
    }
}

/// Finds a person.
#[derive(Clone)]
pub(super) struct Find {
    pub(super) workspace_id: String,
    pub(super) who: Who,
    /// The workspace's key: addresses are compared by their hashes, too.
    pub(super) data_key: Key,
}

impl Unit for Find {
    type Out = Person;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Person, StoreError> {
        let ws = &self.workspace_id;
        let connections = connections::list(tx, ws).await?;
        let connections: Vec<String> = connections.into_iter().map(|c| c.connection_id).collect();
        let mut person = Person::default();
        match &self.who {
            Who::Customer(id) => person.customers.extend(erasure::by_id(tx, ws, id).await?),
            Who::Email(email) => {
                person.emails.insert(email.trim().to_lowercase());
            }
            Who::StripeCustomer(id) => add_buyer(tx, ws, &connections, id, &mut person).await?,
        }
        for _ in 0..STEPS {
            let before = (person.customers.len(), person.buyers.len());
            self.by_customers(tx, &connections, &mut person).await?;
            self.by_buyers(tx, &mut person).await?;
            person.hashes = self.hashes(tx, &mut person).await?;
            for email in person.emails.clone() {
                person.customers.extend(erasure::by_email(tx, ws, &email).await?);
            }
            for hash in person.hashes.clone() {
                person.customers.extend(erasure::by_hash(tx, ws, &hash).await?);
                person.buyers.extend(erasure::buyers_by_hash(tx, ws, &hash).await?);
                add_buyer(tx, ws, &connections, &format!("guest:{hash}"), &mut person).await?;
            }
            if before == (person.customers.len(), person.buyers.len()) {
                break;
            }
        }
        if person.customers.is_empty() && person.buyers.is_empty() {
            return Err(StoreError::NotFound("nobody fits: no customer and no purchase".into()));
        }
        for (connection, buyer) in person.buyers.clone() {
            let mut objects = erasure::objects_of_buyer(tx, ws, &connection, &buyer).await?;
            let named_by = person.named_by.entry(connection.clone()).or_default();
            if buyer.starts_with("cus_") {
                named_by.insert(buyer.clone());
                objects.insert(buyer.clone());
            } else {
                named_by.extend(objects.iter().cloned());
            }
            person.objects.entry(connection.clone()).or_default().extend(objects);
            person.references.extend(erasure::references_of(tx, ws, &connection, &buyer).await?);
        }
        Ok(person)
    }
}

impl Find {
    /// Who else has a customer's key, and the buyers that customers are or were made by.
    async fn by_customers(
        &self,
        tx: &mut Tx<'_>,
        connections: &[String],
        person: &mut Person,
    ) -> Result<(), StoreError> {
        let ws = &self.workspace_id;
        for customer in person.customers.clone() {
            person.customers.extend(erasure::by_id(tx, ws, &customer.key).await?);
            person.buyers.extend(people::buyers_of(tx, ws, &customer.customer_id).await?);
            // A call keeps a customer for good that a purchase made, also when its buyer is another customer since.
            let born = customer.born_of.as_deref().and_then(|born_of| born_of.split_once('|'));
            person.buyers.extend(born.map(|(connection, buyer)| (connection.to_owned(), buyer.to_owned())));
            let former = known_as::of_nobody_else(tx, ws, &customer.customer_id).await?;
            let former = former.iter().filter(|(name, _)| *name == Name::Key).map(|(_, key)| key);
            for key in former.chain([&customer.key]) {
                let id = key.strip_prefix("stripe_").unwrap_or(key);
                if id.starts_with("cus_") {
                    add_buyer(tx, ws, connections, id, person).await?;
                }
            }
        }
        Ok(())
    }

    /// The customers that buyers are, and those that they made.
    async fn by_buyers(&self, tx: &mut Tx<'_>, person: &mut Person) -> Result<(), StoreError> {
        let ws = &self.workspace_id;
        for (connection, buyer) in person.buyers.clone() {
            person.customers.extend(erasure::by_buyer(tx, ws, &connection, &buyer).await?);
            person.customers.extend(erasure::by_birth(tx, ws, &format!("{connection}|{buyer}")).await?);
            if buyer.starts_with("cus_") {
                for key in [&buyer, &born_by(&buyer)] {
                    person.customers.extend(erasure::by_id(tx, ws, key).await?);
                }
            }
        }
        Ok(())
    }

    /// The hashes of every address that the person is or was known by; those in clear are noted. A customer that a purchase
    /// made has its address in clear alone, a buyer has the hash alone.
    async fn hashes(&self, tx: &mut Tx<'_>, person: &mut Person) -> Result<BTreeSet<String>, StoreError> {
        let mut hashes = BTreeSet::new();
        for customer in &person.customers {
            hashes.extend(customer.email_hash.clone());
            let mut texts = vec![customer.email.clone(), customer.key.clone()];
            // What somebody else has now leads to that one, and not to who had it before.
            for (name, value) in
                known_as::of_nobody_else(tx, &self.workspace_id, &customer.customer_id).await?
            {
                match name {
                    Name::Key => texts.push(value),
                    Name::Email => drop(hashes.insert(value)),
                }
            }
            for text in &texts {
                if email_hash(&self.data_key, text)?.is_some() {
                    person.emails.insert(text.trim().to_lowercase());
                }
            }
        }
        for email in &person.emails {
            hashes.extend(email_hash(&self.data_key, email)?);
        }
        for (connection, buyer) in &person.buyers {
            hashes.extend(buyer.strip_prefix("guest:").map(str::to_owned));
            let hints = evidence::hints(tx, &self.workspace_id, connection, buyer).await?;
            let emails = hints.into_iter().filter(|hint| hint.kind == EvidenceKind::Email.as_str());
            hashes.extend(emails.map(|hint| hint.value));
        }
        Ok(hashes)
    }
}

/// Adds a buyer in each connection that knows it.
async fn add_buyer(
    tx: &mut Tx<'_>,
    ws: &str,
    connections: &[String],
    buyer: &str,
    person: &mut Person,
) -> Result<(), StoreError> {
    for connection in connections {
        if super::rows::knows(tx, ws, connection, buyer).await? {
            person.buyers.insert((connection.clone(), buyer.to_owned()));
        }
    }
    Ok(())
}
