//! Mending: what is missing or different is fetched and taken in like any other answer of Stripe.

use super::compare::{Line, Status};
use super::report::{Ask, report};
use crate::App;
use crate::pipeline::fetch;
use std::collections::BTreeSet;
use tributary_domain::sale::Need;
use tributary_store::imports::Run;
use tributary_store::pipeline::{jobs, objects};
use tributary_store::{P, StoreError, Tx, Unit};

/// Objects fetched by one press of the button.
pub const MOST: usize = 1_000;

/// Has every missing or different object fetched, at most [`MOST`], and beside a missing one what says who brought it. Returns how many were asked for; the pipeline
/// fetches them.
///
/// # Errors
/// The database's.
pub async fn heal(app: &App, run: &Run, program_id: &str) -> Result<usize, StoreError> {
    let (mut bodies, mut beside) = (Vec::new(), BTreeSet::new());
    let asked_by = format!("{} {}", run.run_id, app.now());
    for status in [Status::Missing, Status::Different] {
        let ask = Ask {
            run: run.clone(),
            program_id: program_id.to_owned(),
            status: Some(status),
            list: None,
            limit: MOST,
        };
        for line in report(app, ask).await?.lines {
            if let Some(body) = fetch::body_of_object(&run.connection_id, &line.object_id, &asked_by)? {
                if bodies.len() >= MOST {
                    break;
                }
                bodies.push(body);
                if line.status == Status::Missing {
                    beside.extend(evidence_of(&line));
                }
            }
        }
    }
    let count = bodies.len();
    for need in beside {
        bodies.push(fetch::wished(&run.connection_id, need, &asked_by)?);
    }
    let (workspace_id, connection_id) = (run.workspace_id.clone(), run.connection_id.clone());
    app.db.write(Enqueue { workspace_id, connection_id, bodies, now: app.now() }).await?;
    Ok(count)
}

/// What says who brought a purchase that nothing was known of: the customer and its checkouts, or those of a guest's
/// payment.
fn evidence_of(line: &Line) -> Vec<Need> {
    if !line.customer.is_empty() {
        return vec![Need::Object(line.customer.clone()), Need::CheckoutsOf(line.customer.clone())];
    }
    let of_guest = (!line.payment_intent.is_empty()).then(|| Need::LinksOf(line.payment_intent.clone()));
    of_guest.into_iter().collect()
}

struct Enqueue {
    workspace_id: String,
    connection_id: String,
    bodies: Vec<String>,
    now: i64,
}

impl Unit for Enqueue {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        objects::lock_connection(tx, &self.workspace_id, &self.connection_id).await?;
        // What the ledger calls a sale whose row is lost stays its name, so that nothing is posted a second time.
        let sql = "INSERT INTO alias (workspace_id, connection_id, object_id, sale_id) \
             SELECT c.workspace_id, $2, c.root_id, MIN(c.sale_id) FROM commission c LEFT JOIN sale s \
             ON s.workspace_id = c.workspace_id AND s.sale_id = c.sale_id \
             WHERE c.workspace_id = $1 AND s.sale_id IS NULL AND EXISTS (SELECT 1 FROM fact f \
             WHERE f.workspace_id = c.workspace_id AND f.connection_id = $2 AND f.object_id = c.root_id) \
             GROUP BY c.workspace_id, c.root_id \
             ON CONFLICT (workspace_id, connection_id, object_id) DO UPDATE SET sale_id = excluded.sale_id \
             WHERE alias.sale_id IS NULL";
        tx.exec(sql, &[P::T(&self.workspace_id), P::T(&self.connection_id)]).await?;
        jobs::enqueue(tx, &self.workspace_id, fetch::KIND, &self.bodies, self.now, self.now).await
    }
}
