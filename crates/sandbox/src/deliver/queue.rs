//! Which event still has to go where, and the faults that were asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::config::{MAX_DELIVERIES, Retries};
use crate::ids::Ids;

/// Longest delay that `shuffle` gives a delivery that is not held.
const SHUFFLE_WINDOW_MS: u64 = 300;

/// Faults of the delivery, set by `POST /_sandbox/delivery`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// Deliveries come in another order.
    pub shuffle: bool,
    /// So many of 100 events are delivered twice.
    pub duplicate_percent: u8,
    /// So many of 100 deliveries are never made; the event stays undelivered, as with a dead endpoint.
    pub drop_percent: u8,
    /// Nothing is delivered until the hold ends or a flush.
    pub hold: bool,
}

/// One delivery of one event to one endpoint.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The event.
    pub event: String,
    /// The endpoint.
    pub endpoint: String,
    /// The body to send.
    pub body: Arc<str>,
    /// Tries made.
    pub attempts: u32,
    /// True for a second copy, which does not count for `pending_webhooks`.
    pub copy: bool,
    due: Instant,
    order: u64,
}

/// Where the deliveries stand.
#[derive(Debug, Clone, Copy, Default, Serialize, PartialEq, Eq)]
pub struct Tally {
    /// Answered with 2xx, copies included.
    pub delivered: u64,
    /// Copies among them.
    pub copies_delivered: u64,
    /// Given up after the last try, or without a place to send to.
    pub failed: u64,
    /// Never sent because `drop_percent` said so, or the queue was full.
    pub dropped: u64,
    /// Tries that were answered with something else or not at all.
    pub failed_tries: u64,
    /// To be sent.
    pub waiting: u64,
    /// Being sent.
    pub in_flight: u64,
}

/// The deliveries of one world.
#[derive(Debug)]
pub struct Queue {
    /// The faults in force.
    pub faults: Faults,
    waiting: BTreeMap<u64, Delivery>,
    /// The same, by (due, order, number), so that the next one is found without a search.
    schedule: BTreeSet<(Instant, u64, u64)>,
    in_flight: BTreeMap<u64, Delivery>,
    /// Events that some endpoint did not get, with the number of endpoints.
    undelivered: BTreeMap<String, u32>,
    tally: Tally,
    chance: Ids,
    next: u64,
    /// Held deliveries up to this number may go.
    released: u64,
    endpoints_gone: BTreeSet<String>,
    /// What was dropped or given up: event and endpoint.
    lost: Vec<(String, String)>,
}

impl Queue {
    /// An empty queue.
    pub fn new(seed: u64, scope: &str) -> Self {
        Self {
            faults: Faults::default(),
            waiting: BTreeMap::new(),
            schedule: BTreeSet::new(),
            in_flight: BTreeMap::new(),
            undelivered: BTreeMap::new(),
            tally: Tally::default(),
            chance: Ids::new(seed, &format!("delivery {scope}")),
            next: 1,
            released: 0,
            endpoints_gone: BTreeSet::new(),
            lost: Vec::new(),
        }
    }

    /// Queues an event for an endpoint, with the faults in force.
    pub fn push(&mut self, event: &str, endpoint: &str, body: &str) {
        *self.undelivered.entry(event.to_owned()).or_default() += 1;
        if self.waiting.len() >= MAX_DELIVERIES || self.chance.happens(self.faults.drop_percent) {
            self.tally.dropped += 1;
            self.lost.push((event.to_owned(), endpoint.to_owned()));
            return;
        }
        let body: Arc<str> = Arc::from(body);
        self.add(event, endpoint, Arc::clone(&body), false);
        if self.chance.happens(self.faults.duplicate_percent) {
            self.add(event, endpoint, body, true);
        }
    }

    /// What was dropped or given up since the last call.
    pub fn take_lost(&mut self) -> Vec<(String, String)> {
        std::mem::take(&mut self.lost)
    }

    /// Sends an event once more; it counts as undelivered already.
    pub fn again(&mut self, event: &str, endpoint: &str, body: &str) {
        self.add(event, endpoint, Arc::from(body), false);
    }

    fn add(&mut self, event: &str, endpoint: &str, body: Arc<str>, copy: bool) {
        let number = self.next;
        self.next += 1;
        let (order, delay) = if self.faults.shuffle {
            (self.chance.below(u64::MAX), self.chance.below(SHUFFLE_WINDOW_MS))
        } else {
            (number, 0)
        };
        let delivery = Delivery {
            event: event.to_owned(),
            endpoint: endpoint.to_owned(),
            body,
            attempts: 0,
            copy,
            due: Instant::now() + Duration::from_millis(delay),
            order,
        };
        self.wait(number, delivery);
    }

    fn wait(&mut self, number: u64, delivery: Delivery) {
        self.schedule.insert((delivery.due, delivery.order, number));
        self.waiting.insert(number, delivery);
    }

    /// Takes up to `limit` deliveries that may go now, in their order.
    pub fn take(&mut self, now: Instant, limit: usize) -> Vec<(u64, Delivery)> {
        if limit == 0 || self.faults.hold && self.released == 0 {
            return Vec::new();
        }
        let due: Vec<(Instant, u64, u64)> = self
            .schedule
            .iter()
            .take_while(|(due, _, _)| *due <= now)
            .filter(|(_, _, number)| self.may_go(*number))
            .take(limit)
            .copied()
            .collect();
        let mut taken = Vec::new();
        for place in due {
            self.schedule.remove(&place);
            let number = place.2;
            if let Some(delivery) = self.waiting.remove(&number) {
                self.in_flight.insert(number, delivery.clone());
                taken.push((number, delivery));
            }
        }
        taken
    }

    fn may_go(&self, number: u64) -> bool {
        !self.faults.hold || number <= self.released
    }

    /// When the next delivery may go.
    pub fn next_due(&self) -> Option<Instant> {
        self.schedule.iter().find(|(_, _, number)| self.may_go(*number)).map(|(due, _, _)| *due)
    }

    /// Lets everything that waits go now, in a shuffled order if so set.
    pub fn flush(&mut self) {
        self.released = self.next.saturating_sub(1);
        let now = Instant::now();
        for delivery in self.waiting.values_mut() {
            delivery.due = now;
            if self.faults.shuffle {
                delivery.order = self.chance.below(u64::MAX);
            }
        }
        self.schedule = self.waiting.iter().map(|(number, d)| (d.due, d.order, *number)).collect();
    }

    /// True if nothing is on its way or may go.
    pub fn settled(&self) -> bool {
        self.in_flight.is_empty() && self.next_due().is_none()
    }

    /// A try ended; `accepted` = a 2xx. Returns true if the event has now arrived at this endpoint for the first time.
    pub fn ended(&mut self, number: u64, accepted: bool, retries: &Retries) -> bool {
        let Some(mut delivery) = self.in_flight.remove(&number) else { return false };
        if accepted {
            self.tally.delivered += 1;
            if delivery.copy {
                self.tally.copies_delivered += 1;
                return false;
            }
            return self.arrived(&delivery.event);
        }
        self.tally.failed_tries += 1;
        delivery.attempts += 1;
        if delivery.attempts >= retries.attempts || self.endpoints_gone.contains(&delivery.endpoint) {
            self.tally.failed += 1;
            if !delivery.copy {
                self.lost.push((delivery.event, delivery.endpoint));
            }
            return false;
        }
        let doubled = retries.first_delay.saturating_mul(1u32 << (delivery.attempts - 1).min(16));
        delivery.due = Instant::now() + doubled.min(retries.longest_delay);
        self.wait(number, delivery);
        false
    }

    fn arrived(&mut self, event: &str) -> bool {
        match self.undelivered.get_mut(event) {
            Some(count) if *count > 1 => *count -= 1,
            Some(_) => {
                self.undelivered.remove(event);
            }
            None => return false,
        }
        true
    }

    /// A delivery that has nowhere to go.
    pub fn abandon(&mut self, number: u64) {
        if self.in_flight.remove(&number).is_some() {
            self.tally.failed += 1;
        }
    }

    /// An endpoint was deleted: what waits for it is given up.
    pub fn endpoint_gone(&mut self, endpoint: &str) {
        self.endpoints_gone.insert(endpoint.to_owned());
        let before = self.waiting.len();
        self.waiting.retain(|_, d| d.endpoint != endpoint);
        self.schedule.retain(|(_, _, number)| self.waiting.contains_key(number));
        self.tally.failed += u64::try_from(before - self.waiting.len()).unwrap_or(0);
    }

    /// Number of endpoints that did not get an event yet.
    pub fn pending(&self, event: &str) -> u32 {
        self.undelivered.get(event).copied().unwrap_or(0)
    }

    /// Ids of events that some endpoint did not get, at most `limit`.
    pub fn undelivered(&self, limit: usize) -> (usize, Vec<&str>) {
        (self.undelivered.len(), self.undelivered.keys().take(limit).map(String::as_str).collect())
    }

    /// Where the deliveries stand.
    pub fn tally(&self) -> Tally {
        Tally {
            waiting: u64::try_from(self.waiting.len()).unwrap_or(u64::MAX),
            in_flight: u64::try_from(self.in_flight.len()).unwrap_or(u64::MAX),
            ..self.tally
        }
    }
}
