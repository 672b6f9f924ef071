//! What a run reads, list by list.

use tributary_store::imports::Run;
use tributary_stripe::events::subscribed;
use tributary_stripe::lists::List;

/// Types that one call of the events list takes.
const TYPES: usize = 20;

/// What a run is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Events that may have been missed.
    Events,
    /// The account's objects: its whole history.
    Objects,
    /// Lists to compare with.
    Reconcile,
}

impl Kind {
    /// The word in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Objects => "objects",
            Self::Reconcile => "reconcile",
        }
    }

    /// Reads the word of the database; anything else is taken for events.
    #[must_use]
    pub fn of(run: &Run) -> Self {
        match run.kind.as_str() {
            "objects" => Self::Objects,
            "reconcile" => Self::Reconcile,
            _ => Self::Events,
        }
    }

    /// The lists that such a run reads, in order.
    #[must_use]
    pub fn steps(self) -> Vec<Step> {
        match self {
            Self::Events => {
                let groups = subscribed().len().div_ceil(TYPES);
                let all = (0..groups).map(Step::Events);
                all.chain((0..groups).map(Step::Undelivered)).collect()
            }
            Self::Objects => {
                List::ALL.into_iter().filter(|list| list.kind().is_some()).map(Step::List).collect()
            }
            Self::Reconcile => {
                let compared =
                    [List::Invoices, List::Charges, List::Refunds, List::Disputes, List::CreditNotes];
                compared.into_iter().map(Step::List).collect()
            }
        }
    }
}

/// One list of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Events of a group of types.
    Events(usize),
    /// Those of them that did not reach every endpoint.
    Undelivered(usize),
    /// A list of objects.
    List(List),
}

impl Step {
    /// The word in the database.
    #[must_use]
    pub fn word(self) -> String {
        match self {
            Self::Events(group) => format!("events_{group}"),
            Self::Undelivered(group) => format!("undelivered_{group}"),
            Self::List(list) => list.as_str().to_owned(),
        }
    }

    /// Words for a person.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Events(_) => "events",
            Self::Undelivered(_) => "events that were not delivered",
            Self::List(list) => list.words(),
        }
    }

    /// The event types of a group.
    #[must_use]
    pub fn types(group: usize) -> Vec<&'static str> {
        subscribed().into_iter().skip(group.saturating_mul(TYPES)).take(TYPES).collect()
    }
}

/// The list that a run reads now, and its number among all, from 1; `None` once all were read.
#[must_use]
pub fn current(run: &Run) -> Option<(Step, usize)> {
    let steps = Kind::of(run).steps();
    let at = if run.step.is_empty() {
        0
    } else {
        // A word that this version does not know: begin anew, which doubles nothing.
        steps.iter().position(|step| step.word() == run.step).unwrap_or(0)
    };
    steps.get(at).map(|step| (*step, at + 1))
}

/// The list after this one.
#[must_use]
pub fn after(run: &Run, step: Step) -> Option<Step> {
    let steps = Kind::of(run).steps();
    let at = steps.iter().position(|known| *known == step)?;
    steps.get(at + 1).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_subscribed_type_is_in_one_group() {
        let groups = Kind::Events.steps().len() / 2;
        let all: Vec<_> = (0..groups).flat_map(Step::types).collect();
        assert_eq!(all, subscribed());
    }

    #[test]
    fn what_names_a_purchase_is_listed_before_its_charges() {
        let steps = Kind::Objects.steps();
        let at = |list| steps.iter().position(|step| *step == Step::List(list)).expect("a step");
        assert!(at(List::Sessions) < at(List::Charges) && at(List::InvoicePayments) < at(List::Charges));
        assert!(at(List::Customers) < at(List::Sessions));
    }
}
