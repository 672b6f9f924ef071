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
    /// The checkout sessions of a Stripe customer, of subscriptions too.
    CheckoutsOf {
        /// `cus_…`
        customer: String,
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
    /// The disputes of a charge.
    DisputesOf {
        /// `ch_…`
        charge: String,
    },
    /// A charge with its balance transaction: Stripe's fee.
    FeeOf {
        /// `ch_…`
        charge: String,
    },
    /// The lines of an invoice.
    InvoiceLinesOf {
        /// `in_…`
        invoice: String,
    },
    /// What a session sold.
    SessionLinesOf {
        /// `cs_…`
        session: String,
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
            Self::CheckoutsOf { .. } => "checkouts_of",
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
            Self::DisputesOf { .. } => "disputes_of",
            Self::FeeOf { .. } => "fee_of",
            Self::InvoiceLinesOf { .. } => "invoice_lines_of",
            Self::SessionLinesOf { .. } => "session_lines_of",
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
            Self::CheckoutsOf { customer } => customer,
            Self::Listed { page, .. } | Self::Alone { page } => page,
            Self::CodesOf { purchase } => purchase,
            Self::RefundsOf { charge } | Self::DisputesOf { charge } | Self::FeeOf { charge } => charge,
            Self::InvoiceLinesOf { invoice } => invoice,
            Self::SessionLinesOf { session } => session,
        }
    }

    /// Reads back what [`Fetch::name`] and [`Fetch::id`] stored.
    #[must_use]
    pub fn from_parts(name: &str, id: &str) -> Option<Self> {
        let id = id.to_owned();
        match name {
            "invoice_payments_of" => Some(Self::InvoicePaymentsOf { payment_intent: id }),
            "sessions_of" => Some(Self::SessionsOf { payment_intent: id }),
            "checkouts_of" => Some(Self::CheckoutsOf { customer: id }),
            "refunds_of" => Some(Self::RefundsOf { charge: id }),
            "alone" => Some(Self::Alone { page: id }),
            "codes_of" => Some(Self::CodesOf { purchase: id }),
            _ if name.starts_with("list_") => {
                List::parse(name.trim_start_matches("list_")).map(|list| Self::Listed { list, page: id })
            }
            "disputes_of" => Some(Self::DisputesOf { charge: id }),
            "fee_of" => Some(Self::FeeOf { charge: id }),
            "invoice_lines_of" => Some(Self::InvoiceLinesOf { invoice: id }),
            "session_lines_of" => Some(Self::SessionLinesOf { session: id }),
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
        (Answer::Missing, Fetch::FeeOf { charge }) => {
            collector.add(Fact::new(Kind::Charge, charge.as_str(), fetched_at_ms).with(Field::Missing, true));
            false
        }
        (Answer::Missing, _) => false,
        (Answer::Body(body), Fetch::FeeOf { .. }) => {
            project::charge(object(body)?, &mut collector);
            false
        }
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
        Fetch::SessionsOf { .. } | Fetch::CheckoutsOf { .. } => Kind::Session,
        Fetch::Listed { list, .. } => match list.kind() {
            Some(kind) => kind,
            None => return Ok(has_more),
        },
        Fetch::DisputesOf { .. } => Kind::Dispute,
        Fetch::InvoiceLinesOf { .. } | Fetch::SessionLinesOf { .. } => Kind::Line,
        _ => Kind::Refund,
    };
    let takes = |item: &&&RawValue| match fetch {
        Fetch::Listed { list, .. } => list.takes(item),
        _ => true,
    };
    if let Some(project) = project::of_kind(kind) {
        items.0.iter().filter(takes).for_each(|item| project(item, c));
    }
    match fetch {
        Fetch::InvoiceLinesOf { invoice } => c.set_on(Kind::Line, Field::Invoice, invoice),
        Fetch::SessionLinesOf { session } => c.set_on(Kind::Line, Field::Session, session),
        _ => {}
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
        Fetch::DisputesOf { .. } if !has_more => {
            Some(fact(Kind::Charge).with(Field::DisputesListedAt, c.at()))
        }
        Fetch::InvoiceLinesOf { .. } if !has_more => {
            Some(fact(Kind::Invoice).with(Field::LinesListedAt, c.at()))
        }
        Fetch::SessionLinesOf { .. } if !has_more => {
            Some(fact(Kind::Session).with(Field::LinesListedAt, c.at()))
        }
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
