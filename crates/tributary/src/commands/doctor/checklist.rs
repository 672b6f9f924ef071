//! The operator's checklist of docs/STRIPE.md, walked: which steps a connection has proven, and by what.

use serde::Serialize;
use std::collections::BTreeMap;
use tributary_server::App;
use tributary_server::connect::{Checkup, EndpointState};
use tributary_store::connections::Connection;
use tributary_store::{StoreError, Tx, Unit, checklist};

/// The steps: (number, mode in which it is done, what is to be done).
const STEPS: [(u8, &str, &str); 16] = [
    (1, "", "Connect with a restricted key that has every needed permission."),
    (2, "", "A webhook endpoint that points here, made by Tributary or by hand."),
    (3, "", "Send a test event, or make a customer in Stripe: the event arrives."),
    (4, "", "Pay a Payment Link with ?client_reference_id=PARTNERKEY: one sale that earns for that partner."),
    (5, "", "Use a promotion code at checkout: the discount stands in the sum."),
    (6, "", "Let a subscription renew under a test clock: the second sale belongs to the same partner."),
    (7, "", "Pay by bank debit, once with an account that succeeds and once with one that fails."),
    (8, "", "Refund a third of a payment, then the rest: its commission ends at 0."),
    (9, "", "Dispute two payments; win one, lose one."),
    (10, "", "Pay as a guest."),
    (11, "", "Start a subscription with a trial, and let its first paid month come."),
    (12, "", "Pay a price in a second currency."),
    (13, "", "Revoke the key: the connection is shown as broken."),
    (14, "", "Make a new key of the same account and connect again."),
    (15, "", "Roll the endpoint's signing secret with an overlap: both have verified events."),
    (16, "live", "In live mode: one real payment of your own, refunded."),
];

/// How a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    /// Seen to work.
    Proven,
    /// Not done yet.
    Open,
    /// It cannot be seen right now, because Stripe does not answer.
    Unknown,
}

/// One step of one connection.
#[derive(Debug, Serialize)]
pub(super) struct Step {
    number: u8,
    what: &'static str,
    state: State,
    /// What proves it: an id, or words.
    #[serde(skip_serializing_if = "String::is_empty")]
    proof: String,
}

/// The checklist of one connection.
#[derive(Debug, Serialize)]
pub(super) struct Walk {
    connection_id: String,
    mode: String,
    steps: Vec<Step>,
}

struct Proven(String, String);
impl Unit for Proven {
    type Out = Vec<(u8, String)>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        checklist::proven(tx, &self.0, &self.1).await
    }
}

/// Walks the checklist for a connection that was looked at.
///
/// # Errors
/// The database's.
pub(super) async fn walk(app: &App, connection: &Connection, checkup: &Checkup) -> Result<Walk, StoreError> {
    let ids = Proven(connection.workspace_id.clone(), connection.connection_id.clone());
    let mut proofs: BTreeMap<u8, String> = app.db.read(ids).await?.into_iter().collect();
    if checkup.key_ok && checkup.permissions.iter().all(|one| one.ok || !one.needed) {
        proofs.insert(1, format!("{} ({})", checkup.account_id, checkup.key));
    }
    match checkup.endpoint {
        EndpointState::Good => {
            proofs.insert(2, connection.endpoint_id.clone().unwrap_or_default());
        }
        EndpointState::ByHand if checkup.arrivals.last_received_at.is_some() => {
            proofs.insert(2, "made by hand, and events arrive".to_owned());
        }
        _ => {}
    }
    if checkup.arrivals.parked > 0 {
        proofs.remove(&3);
    }
    // Which mode a step belongs to: the others are done in test mode, or by one who dares in live mode.
    let steps = STEPS.iter().filter(|(_, mode, _)| mode.is_empty() || *mode == connection.mode);
    let steps = steps
        .map(|(number, _, what)| {
            let proof = proofs.remove(number);
            let hidden = *number < 3 && !checkup.reached;
            let state = match (&proof, hidden) {
                (Some(_), _) => State::Proven,
                (None, true) => State::Unknown,
                (None, false) => State::Open,
            };
            Step { number: *number, what, state, proof: proof.unwrap_or_default() }
        })
        .collect();
    Ok(Walk { connection_id: connection.connection_id.clone(), mode: connection.mode.clone(), steps })
}

/// For a terminal.
pub(super) fn words(walk: &Walk, lines: &mut Vec<String>) {
    let done = walk.steps.iter().filter(|step| step.state == State::Proven).count();
    lines.push(format!(
        "Checklist of {} ({}): {done} of {} steps proven. docs/STRIPE.md has each in full.",
        walk.connection_id,
        walk.mode,
        walk.steps.len()
    ));
    for step in &walk.steps {
        let (mark, proof) = match step.state {
            State::Proven => ("proven ", format!("  [{}]", step.proof)),
            State::Open => ("open   ", String::new()),
            State::Unknown => ("unknown", "  [Stripe does not answer]".to_owned()),
        };
        lines.push(format!("{mark} {:>2}. {}{proof}", step.number, step.what));
    }
    let next = walk.steps.iter().find(|step| step.state == State::Open);
    lines.push(next.map_or_else(
        || "Nothing is left to do.".to_owned(),
        |step| format!("Next: step {}. Then run `tributary doctor --checklist` again.", step.number),
    ));
}
