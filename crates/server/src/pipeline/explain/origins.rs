//! The beginning of a story: the click and the sign-up, where they are known.

use super::Step;
use std::collections::BTreeSet;
use tributary_domain::attribution::Attribution;
use tributary_domain::sale::EvidenceKind;
use tributary_store::pipeline::visits::{self, Visit};
use tributary_store::pipeline::{people, signups};
use tributary_store::{StoreError, Tx};

/// Clicks shown at most: a client reference can name as many as there are purchases.
const CLICKS: usize = 20;

/// The clicks and the sign-up of a customer in (workspace, mode, program).
pub(super) async fn steps(
    tx: &mut Tx<'_>,
    (ws, mode, program_id): (&str, &str, &str),
    customer_id: &str,
    attribution: Option<&Attribution>,
) -> Result<Vec<Step>, StoreError> {
    let mut steps = Vec::new();
    let mut clicked: BTreeSet<String> = attribution
        .into_iter()
        .flat_map(|why| &why.considered)
        .filter(|piece| piece.evidence.kind == EvidenceKind::Visit)
        .map(|piece| piece.evidence.value.clone())
        .take(CLICKS)
        .collect();
    let customer = people::find_customer(tx, ws, customer_id).await?;
    if let Some(told) = signups::first_of(tx, ws, customer_id).await? {
        let page = if told.page.is_empty() { String::new() } else { format!(" on {}", told.page) };
        steps.push(Step {
            at: told.at,
            title: "Signed up".to_owned(),
            detail: format!("In the browser{page}."),
            object_id: told.value,
            tone: "calm",
        });
        clicked.extend(told.visit_id);
    }
    // A customer that a browser told of first, and a call confirmed, was not created by the call.
    let by_call = customer
        .filter(|customer| steps.is_empty() && customer.origin == "api" && customer.born_of.is_none());
    steps.extend(by_call.map(|customer| Step {
        at: customer.created_at,
        title: "Signed up".to_owned(),
        detail: "The customer was created through the API.".to_owned(),
        object_id: customer.key,
        tone: "calm",
    }));
    for visit_id in clicked {
        if let Some(visit) = visits::find(tx, ws, mode, program_id, &visit_id).await? {
            let key = people::partner_key(tx, ws, &visit.partner_id).await?.unwrap_or_default();
            steps.push(click(&visit, &key));
        }
    }
    Ok(steps)
}

fn click(visit: &Visit, key: &str) -> Step {
    let referrer = host_of(&visit.referrer);
    let from = if referrer.is_empty() { String::new() } else { format!(", from {referrer}") };
    Step {
        at: visit.at,
        title: "Clicked a referral link".to_owned(),
        detail: format!("Link of “{key}” to {}{from}.", visit.landing),
        object_id: visit.visit_id.clone(),
        tone: "calm",
    }
}

/// The host of an address; what is no address stays as it is.
fn host_of(address: &str) -> String {
    url::Url::parse(address)
        .ok()
        .and_then(|url| url.host_str().map(str::to_owned))
        .unwrap_or_else(|| address.to_owned())
}
