//! From a source to facts: the one door for webhook events ([`facts_of_event`]) and for what was fetched
//! ([`facts_of_answer`]).

use crate::event::{self, Envelope};
use crate::events;
use crate::json::Notes;
use crate::project::Collector;
use tributary_domain::fact::{Fact, Kind};

pub use crate::answers::{Answer, Answered, Fetch, alone_body, facts_of_answer};
pub use crate::event::ParseError;

/// What was understood of one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Understood {
    /// What the event says about itself.
    pub envelope: Envelope,
    /// One fact for each object that the event shows, in no meaningful order. Their time is the event's.
    pub facts: Vec<Fact>,
    /// People, in clear, for display only. They never go into facts.
    pub people: Vec<Person>,
    /// Does the event matter?
    pub outcome: Outcome,
    /// Remarks on odd fields, at most 20.
    pub notes: Vec<String>,
}

/// Does a source matter to Tributary?
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It gave facts.
    Relevant,
    /// A thin event: it names an object that must be fetched to know more.
    Fetch {
        /// The object's kind.
        kind: Kind,
        /// Its id.
        id: String,
    },
    /// It gave none.
    Ignored {
        /// Why, for a person.
        reason: String,
    },
}

/// Name and address of a buyer, in clear. To be kept apart from facts, and only for display.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The object that showed them.
    pub object_id: String,
    /// The Stripe customer, if known.
    pub customer: Option<String>,
    /// The e-mail address as written.
    pub email: Option<String>,
    /// The name as written.
    pub name: Option<String>,
}

/// Makes an e-mail address comparable: trimmed and in lower case.
///
/// Nothing else is changed: dots and `+tags` tell mailboxes apart at many hosts, and Unicode normalisation
/// would merge addresses that Stripe keeps apart. `None` if nothing is left or there is no `@`.
#[must_use]
pub fn normalise_email(email: &str) -> Option<String> {
    let email = email.trim();
    (!email.is_empty() && email.contains('@')).then(|| email.to_lowercase())
}

/// Understands a webhook event, whatever its type and API version.
///
/// `hash_email` gets a normalised address and returns its HMAC under the workspace's key, as hex. The facts'
/// time is the event's `created`. A type that is not used gives `Ignored` with its reason, never an error.
///
/// # Errors
/// A [`ParseError`] if the body is not a JSON object with an id.
pub fn facts_of_event(raw: &[u8], hash_email: &dyn Fn(&str) -> String) -> Result<Understood, ParseError> {
    let event = event::parse(raw)?;
    let mut collector = Collector::new(event.envelope.created_ms, hash_email, event.notes);
    let outcome = events::project(&event.envelope, event.object, &mut collector);
    let (facts, people, notes) = collector.finish();
    Ok(Understood { envelope: event.envelope, facts, people, outcome, notes: Notes::into_vec(notes) })
}
