//! What was fetched from Stripe, kept as an observation, becomes facts as well: an empty answer too.

use crate::event::ParseError;
use crate::facts::{Outcome, Person};
use crate::json::{Notes, Read, Said};
use crate::lists::List;
use crate::project::{self, Collector};
use crate::views::Page;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tributary_domain::fact::{Fact, Field, Kind};

/// A question to Stripe whose answer is kept.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fetch {
    /// One object by its id.
    Object {
        /// Its kind; never an API transaction.
        kind: Kind,
        /// Its id.
        id: String,
    },
    /// The invoice payments of a PaymentIntent.
    InvoicePaymentsOf {
        /// `pi_…`
        payment_intent: String,
    },
    /// The checkout sessions of a PaymentIntent.
    SessionsOf {
        /// `pi_…`
        payment_intent: String,
    },
    /// The refunds of a charge.
    RefundsOf {
        /// `ch_…`
        charge: String,
    },
    /// One page of a whole list.
    Listed {
        /// The list.
        list: List,
        /// Which page: the run and the object that it comes after.
        page: String,
    },
    /// PaymentIntents that neither of two lists named which were read to their ends: invoice payments and checkout
    /// sessions. Concluded by Tributary from those lists, and kept beside the page that raised the question.
    Alone {
        /// Which page raised it.
        page: String,
    },
    /// An invoice or a session with its discounts and their promotion codes.
    CodesOf {
        /// `in_…` or `cs_…`
        purchase: String,
    },
}

impl Fetch {
    /// The question's name without its id, for storage: an object's kind, or the name of a list.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Object { kind, .. } => kind.as_str(),
            Self::InvoicePaymentsOf { .. } => "invoice_payments_of",
            Self::SessionsOf { .. } => "sessions_of",
            Self::RefundsOf { .. } => "refunds_of",
            Self::Listed { list, .. } => match list {
                List::Customers => "list_customers",
                List::Sessions => "list_sessions",
                List::Invoices => "list_invoices",
                List::InvoicePayments => "list_invoice_payments",
                List::PaymentIntents => "list_payment_intents",
                List::Charges => "list_charges",
                List::Refunds => "list_refunds",
                List::Disputes => "list_disputes",
                List::CreditNotes => "list_credit_notes",
                List::Subscriptions => "list_subscriptions",
            },
            Self::Alone { .. } => "alone",
            Self::CodesOf { .. } => "codes_of",
        }
    }

    /// The id that is asked about.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Object { id, .. } => id,
            Self::InvoicePaymentsOf { payment_intent } | Self::SessionsOf { payment_intent } => {
                payment_intent
            }
            Self::RefundsOf { charge } => charge,
            Self::Listed { page, .. } | Self::Alone { page } => page,
            Self::CodesOf { purchase } => purchase,
        }
    }

    /// Reads back what [`Fetch::name`] and [`Fetch::id`] stored.
    #[must_use]
    pub fn from_parts(name: &str, id: &str) -> Option<Self> {
        let id = id.to_owned();
        match name {
            "invoice_payments_of" => Some(Self::InvoicePaymentsOf { payment_intent: id }),
            "sessions_of" => Some(Self::SessionsOf { payment_intent: id }),
            "refunds_of" => Some(Self::RefundsOf { charge: id }),
            "alone" => Some(Self::Alone { page: id }),
            "codes_of" => Some(Self::CodesOf { purchase: id }),
            _ if name.starts_with("list_") => {
                List::parse(name.trim_start_matches("list_")).map(|list| Self::Listed { list, page: id })
            }
            _ => Kind::parse(name)
                .filter(|kind| *kind != Kind::ApiTransaction)
                .map(|kind| Self::Object { kind, id }),
        }
    }
}

/// What Stripe answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer<'a> {
    /// 200 with this body.
    Body(&'a [u8]),
    /// 404: no such object.
    Missing,
}

/// What was understood of one answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// One fact for each object that the answer shows. Their time is the time of the answer.
    pub facts: Vec<Fact>,
    /// People, in clear, for display only.
    pub people: Vec<Person>,
    /// Does the answer say anything?
    pub outcome: Outcome,
    /// Remarks on odd fields.
    pub notes: Vec<String>,
    /// Of a list: does it go on? Then this page alone proves no emptiness and no completeness.
    pub has_more: bool,
}

/// Understands the answer to a fetch, as it was stored.
///
/// `fetched_at_ms` is the time of the answer in ms UTC. An object's 404 says that it is missing; a list's 404
/// says nothing.
///
/// # Errors
/// A [`ParseError`] if the body is not a JSON object, or, where a list was asked for, not a list.
pub fn facts_of_answer(
    fetch: &Fetch,
    answer: Answer<'_>,
    fetched_at_ms: i64,
    hash_email: &dyn Fn(&str) -> String,
) -> Result<Answered, ParseError> {
    let mut collector = Collector::new(fetched_at_ms, hash_email, Notes::default());
    let has_more = match (answer, fetch) {
        (Answer::Missing, Fetch::Object { kind, id }) => {
            collector.add(Fact::new(*kind, id.as_str(), fetched_at_ms).with(Field::Missing, true));
            false
        }
        (Answer::Missing, Fetch::CodesOf { purchase }) => {
            if let Some(kind) = Kind::of_stripe_id(purchase) {
                collector.add(Fact::new(kind, purchase.as_str(), fetched_at_ms).with(Field::Missing, true));
            }
            false
        }
        (Answer::Missing, _) => false,
        (Answer::Body(body), Fetch::Object { kind, .. }) => {
            if let Some(project) = project::of_kind(*kind) {
                project(object(body)?, &mut collector);
            }
            false
        }
        (Answer::Body(body), Fetch::Alone { .. }) => {
            alone(object(body)?, &mut collector)?;
            false
        }
        (Answer::Body(body), Fetch::CodesOf { purchase }) => {
            if let Some((kind, project)) =
                Kind::of_stripe_id(purchase).and_then(|kind| Some((kind, project::of_kind(kind)?)))
            {
                project(object(body)?, &mut collector);
                // What this answer does not show, no further one will.
                collector.add(Fact::new(kind, purchase.as_str(), fetched_at_ms).with(Field::CodesRead, true));
            }
            false
        }
        (Answer::Body(body), _) => list(fetch, object(body)?, &mut collector)?,
    };
    let outcome = if collector.is_empty() {
        Outcome::Ignored { reason: format!("The answer about {} says nothing.", fetch.id()) }
    } else {
        Outcome::Relevant
    };
    let (facts, people, notes) = collector.finish();
    Ok(Answered { facts, people, outcome, notes: notes.into_vec(), has_more })
}

fn object(body: &[u8]) -> Result<&RawValue, ParseError> {
    let text = std::str::from_utf8(body).map_err(|e| ParseError::NotText { at: e.valid_up_to() })?;
    let raw: &RawValue =
        serde_json::from_str(text).map_err(|e| ParseError::NotJson { reason: e.to_string() })?;
    if raw.get().starts_with('{') {
        return Ok(raw);
    }
    Err(ParseError::NotJson { reason: "it does not begin with {".to_owned() })
}

/// Projects the items of a page; an empty last page is a fact of its own.
fn list(fetch: &Fetch, raw: &RawValue, c: &mut Collector<'_>) -> Result<bool, ParseError> {
    let page = Page::read(raw, &mut c.notes);
    let Some(Page { data: Said::Is(items), has_more, .. }) = page else {
        return Err(ParseError::NotJson {
            reason: "a list was asked for, and there is no data array".to_owned(),
        });
    };
    let has_more = has_more == Said::Is(true);
    let complete_and_empty = items.0.is_empty() && !has_more;
    let kind = match fetch {
        Fetch::InvoicePaymentsOf { .. } => Kind::InvoicePayment,
        Fetch::SessionsOf { .. } => Kind::Session,
        Fetch::Listed { list, .. } => match list.kind() {
            Some(kind) => kind,
            None => return Ok(has_more),
        },
        _ => Kind::Refund,
    };
    let takes = |item: &&&RawValue| match fetch {
        Fetch::Listed { list, .. } => list.takes(item),
        _ => true,
    };
    if let Some(project) = project::of_kind(kind) {
        items.0.iter().filter(takes).for_each(|item| project(item, c));
    }
    let fact = |kind| Fact::new(kind, fetch.id(), c.at());
    let about_all = match fetch {
        Fetch::InvoicePaymentsOf { .. } if complete_and_empty => {
            Some(fact(Kind::PaymentIntent).with(Field::NoInvoicePayment, true))
        }
        Fetch::SessionsOf { .. } if complete_and_empty => {
            Some(fact(Kind::PaymentIntent).with(Field::NoSession, true))
        }
        Fetch::RefundsOf { .. } if !has_more => Some(fact(Kind::Charge).with(Field::RefundsListedAt, c.at())),
        _ => None,
    };
    if let Some(about_all) = about_all {
        c.add(about_all);
    }
    Ok(has_more)
}

/// The ids of an [`Fetch::Alone`]: PaymentIntents without invoice payment and without session.
fn alone(raw: &RawValue, c: &mut Collector<'_>) -> Result<(), ParseError> {
    #[derive(Deserialize)]
    struct Ids {
        payment_intents: Vec<String>,
    }
    let ids: Ids =
        serde_json::from_str(raw.get()).map_err(|e| ParseError::NotJson { reason: e.to_string() })?;
    for id in ids.payment_intents {
        let fact = Fact::new(Kind::PaymentIntent, id, c.at());
        c.add(fact.with(Field::NoInvoicePayment, true).with(Field::NoSession, true));
    }
    Ok(())
}

/// The body of an [`Fetch::Alone`].
#[must_use]
pub fn alone_body(payment_intents: &[String]) -> String {
    serde_json::json!({ "payment_intents": payment_intents }).to_string()
}
