//! All that is known to be one person: customers, buyers, objects at Stripe.

use super::Who;
use std::collections::{BTreeMap, BTreeSet};
use tributary_store::pipeline::erasure::{self, Named};
use tributary_store::pipeline::people;
use tributary_store::{StoreError, Tx, Unit, connections};

/// Steps from one acquaintance to the next; people have few.
const STEPS: usize = 8;

/// Nobody's address and nobody's key: both are trimmed.
const NO_ADDRESS: &str = " ";

/// One person.
#[derive(Debug, Clone, Default)]
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
pub(super) struct Find {
    pub(super) workspace_id: String,
    pub(super) who: Who,
    /// Of the address, if one is meant.
    pub(super) email_hash: Option<String>,
}

impl Unit for Find {
    type Out = Person;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Person, StoreError> {
        let ws = &self.workspace_id;
        let mut person = Person::default();
        let mut hashes: BTreeSet<String> = BTreeSet::new();
        match &self.who {
            Who::Customer(id) => person.customers.extend(erasure::by_id(tx, ws, id).await?),
            Who::Email(email) => {
                let hash = self.email_hash.clone().unwrap_or_default();
                let email = email.trim().to_lowercase();
                person.customers.extend(erasure::by_email(tx, ws, &email, &hash).await?);
                person.emails.insert(email);
                hashes.extend(Some(hash).filter(|hash| !hash.is_empty()));
            }
            Who::StripeCustomer(id) => {
                for connection in connections::list(tx, ws).await? {
                    let known = super::rows::knows(tx, ws, &connection.connection_id, id).await?;
                    person.buyers.extend(known.then(|| (connection.connection_id, id.clone())));
                }
            }
        }
        for _ in 0..STEPS {
            let before = (person.customers.len(), person.buyers.len());
            for customer in person.customers.clone() {
                person.buyers.extend(people::buyers_of(tx, ws, &customer.customer_id).await?);
                hashes.extend(customer.email_hash.clone());
                person.emails.extend(Some(customer.email.to_lowercase()).filter(|email| !email.is_empty()));
            }
            for hash in &hashes {
                person.customers.extend(erasure::by_email(tx, ws, NO_ADDRESS, hash).await?);
                person.buyers.extend(erasure::buyers_by_hash(tx, ws, hash).await?);
            }
            for (connection, buyer) in person.buyers.clone() {
                person.customers.extend(erasure::by_buyer(tx, ws, &connection, &buyer).await?);
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
