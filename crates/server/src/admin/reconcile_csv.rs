//! A comparison as CSV, all of its lines.

use super::csv_file::{self, amount, text};
use super::error::PageError;
use super::reconcile::{Asked, see};
use super::visit::Visit;
use crate::App;
use crate::reconcile::{Ask, Line, report};
use crate::ui::when::machine;
use axum::extract::{Path, Query, State};
use axum::response::Response;

/// Most lines of one file.
const MOST: usize = 100_000;

const HEAD: [&str; 9] =
    ["date", "list", "object", "currency", "stripe", "tributary", "status", "reason", "transaction"];

/// `GET /p/{program}/reconcile.csv`
pub async fn get(
    State(app): State<App>,
    visit: Visit,
    Path(public_id): Path<String>,
    Query(asked): Query<Asked>,
) -> Response {
    let result = file(&app, &visit, &public_id, &asked).await;
    visit.answer(result)
}

async fn file(app: &App, visit: &Visit, public_id: &str, asked: &Asked) -> Result<Response, PageError> {
    let seen = see(app, visit, public_id, &asked.account, &asked.run).await?;
    let run = seen.run.filter(|run| run.state == "done").ok_or(PageError::NotFound)?;
    let program = seen.loaded.shown.program;
    let ask = Ask { run, program_id: program.program_id, status: None, list: None, limit: MOST };
    let bytes = csv_file::lines(Some(HEAD), report(app, ask).await?.lines.iter().map(record))?;
    Ok(csv_file::file(bytes, &format!("comparison-{}.csv", program.public_id)))
}

fn record(line: &Line) -> [String; 9] {
    [
        machine(line.at),
        line.list.clone(),
        text(&line.object_id),
        line.currency.to_ascii_uppercase(),
        amount(line.stripe, &line.currency),
        amount(line.tributary, &line.currency),
        line.status.as_str().to_owned(),
        text(&line.reason),
        text(line.root.as_deref().unwrap_or_default()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reconcile::Status;

    #[test]
    fn what_others_chose_is_no_formula() {
        let line = Line {
            object_id: "=ch_1".into(),
            list: "charges".into(),
            currency: "usd".into(),
            stripe: 1_050,
            tributary: 0,
            at: 1_795_255_361_000,
            status: Status::Missing,
            reason: "Tributary never saw it.".into(),
            root: Some("@in_1".into()),
            customer: String::new(),
            payment_intent: String::new(),
        };
        let file = String::from_utf8(csv_file::lines(Some(HEAD), [record(&line)]).unwrap()).unwrap();
        assert_eq!(
            file.split("\r\n").nth(1).unwrap(),
            "2026-11-21T10:02:41Z,charges,'=ch_1,USD,10.50,0.00,missing,Tributary never saw it.,'@in_1"
        );
    }
}
