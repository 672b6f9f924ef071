//! `tributary erase`

use crate::cli::EraseArgs;
use crate::config::Config;
use crate::failure::{Exit, Failure};
use crate::open::{Begin, app};
use crate::output::Output;
use tributary_server::App;
use tributary_server::pipeline::erase::{Erased, Who, erase};
use tributary_store::{StoreError, Tx, Unit, workspaces};

pub(super) async fn run(config: &Config, args: &EraseArgs, out: &Output) -> Result<Exit, Failure> {
    let who = match (&args.customer, &args.email, &args.stripe_customer) {
        (Some(customer), None, None) => Who::Customer(customer.clone()),
        (None, Some(email), None) if email.contains('@') => Who::Email(email.clone()),
        (None, Some(_), None) => {
            return Err(Failure::usage("--email is an address, such as anna@example.com."));
        }
        (None, None, Some(id)) if id.starts_with("cus_") => Who::StripeCustomer(id.clone()),
        (None, None, Some(_)) => return Err(Failure::usage("--stripe-customer is an id such as cus_….")),
        _ => return Err(Failure::usage("Name one person: --customer, --email or --stripe-customer.")),
    };
    if !args.for_good {
        return Err(Failure::usage("Erasing cannot be undone. Say --for-good to do it."));
    }
    let app = app(config, Begin::Take, out).await?;
    let report = everywhere(&app, &who).await?;
    if args.compact {
        app.db.compact().await?;
    }
    app.db.close().await;
    out.answer(&report, words)?;
    Ok(Exit::Ok)
}

/// In every workspace of the installation.
async fn everywhere(app: &App, who: &Who) -> Result<Erased, Failure> {
    let mut sum: Option<Erased> = None;
    for workspace_id in app.db.read(Workspaces).await? {
        match erase(app, &workspace_id, who, tributary_server::audit::COMMAND_LINE).await {
            Ok(erased) => {
                let sum = sum.get_or_insert_default();
                sum.customers += erased.customers;
                sum.sales += erased.sales;
                sum.payloads += erased.payloads;
                sum.observations += erased.observations;
            }
            Err(StoreError::NotFound(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    sum.ok_or_else(|| Failure::problem("Nobody fits: no customer and no purchase."))
}

struct Workspaces;
impl Unit for Workspaces {
    type Out = Vec<String>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        Ok(workspaces::list_workspaces(tx).await?.into_iter().map(|(id, ..)| id).collect())
    }
}

fn words(erased: &Erased) -> String {
    format!(
        "Erased: {} customers, {} payloads and {} answers of Stripe. The attribution of {} sales stays as it was. Free pages \
         of the database may hold old bytes until they are written again; --compact rewrites it.",
        erased.customers, erased.payloads, erased.observations, erased.sales
    )
}
