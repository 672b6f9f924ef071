//! The list of transactions as CSV: what the page shows, without pages. Read and sent piece by piece.

use super::csv_file::{self, Pieces, amount, text};
use super::error::PageError;
use super::transactions_wish::{Asked, Wish};
use super::visit::{self, Visit};
use super::words;
use crate::App;
use crate::ui::when::machine;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use tributary_store::pages::transactions::{self as stored, Earned, Filter, Line};
use tributary_store::pages::{Cursor, Direction, Place};
use tributary_store::{StoreError, Tx, Unit};

/// Most sales of one file.
pub const MOST: i64 = 100_000;
/// Sales that are read at once.
const PIECE: i64 = 500;

const HEAD: [&str; 16] = [
    "date",
    "transaction",
    "state",
    "outcome",
    "customer_key",
    "customer_email",
    "customer_name",
    "currency",
    "paid",
    "refunded",
    "lost",
    "disputed",
    "partner_key",
    "partner_name",
    "commission",
    "commission_currency",
];

/// `GET /p/{program}/transactions.csv`
pub async fn get(
    State(app): State<App>,
    visit: Visit,
    Path(program): Path<String>,
    Query(asked): Query<Asked>,
) -> Response {
    let result = file(&app, &visit, program, &asked).await;
    visit.answer(result)
}

async fn file(app: &App, visit: &Visit, public_id: String, asked: &Asked) -> Result<Response, PageError> {
    let workspace_id = visit.session.workspace_id.clone();
    let name = format!("transactions-{public_id}.csv");
    // The program is looked up before anything is sent, so that a foreign one is a 404.
    let (place, filter) = app.db.read(Start { workspace_id, public_id, wish: Wish::read(asked) }).await?;
    let first = Reader { app: app.clone(), place, filter, from: None, left: MOST, head: true };
    Ok(csv_file::pieces(first, &name))
}

struct Reader {
    app: App,
    place: Place,
    filter: Filter,
    from: Option<Cursor>,
    left: i64,
    head: bool,
}

impl Pieces for Reader {
    async fn piece(mut self) -> Result<(Bytes, Option<Self>), StoreError> {
        let limit = PIECE.min(self.left);
        let (place, filter, from) = (self.place.clone(), self.filter.clone(), self.from.clone());
        let lines = self.app.db.read(Piece { place, filter, from, limit }).await?;
        let bytes = write(&lines, self.head)?;
        let count = i64::try_from(lines.len()).unwrap_or(limit);
        self.left -= count;
        self.head = false;
        self.from = lines.last().map(|line| Cursor { at: line.occurred_at, id: line.root_id.clone() });
        let more = count == limit && self.left > 0;
        Ok((Bytes::from(bytes), more.then_some(self)))
    }
}

/// Lines of the file: one for each commission, or one without.
fn write(read: &[Line], head: bool) -> Result<Vec<u8>, StoreError> {
    let records = read.iter().flat_map(|line| {
        let alone = line.commissions.is_empty().then(|| record(line, None));
        alone.into_iter().chain(line.commissions.iter().map(|earned| record(line, Some(earned))))
    });
    csv_file::lines(head.then_some(HEAD), records)
}

fn record(line: &Line, earned: Option<&Earned>) -> [String; 16] {
    let [email, name, surname, key] = &line.customer;
    let partner = earned.map(|earned| (&earned.partner[2], words::partner(&earned.partner)));
    [
        machine(line.occurred_at),
        text(&line.root_id),
        text(&line.state),
        text(earned.map_or(&line.outcome, |earned| &earned.outcome)),
        text(key),
        text(email),
        text(format!("{name} {surname}").trim()),
        line.currency.to_ascii_uppercase(),
        amount(line.paid, &line.currency),
        amount(line.refunded, &line.currency),
        amount(line.lost, &line.currency),
        amount(line.disputed, &line.currency),
        partner.as_ref().map(|(key, _)| text(key)).unwrap_or_default(),
        partner.as_ref().map(|(_, name)| text(name)).unwrap_or_default(),
        earned.map(|earned| amount(earned.target, &earned.currency)).unwrap_or_default(),
        earned.map(|earned| earned.currency.to_ascii_uppercase()).unwrap_or_default(),
    ]
}

struct Start {
    workspace_id: String,
    public_id: String,
    wish: Wish,
}

impl Unit for Start {
    type Out = (Place, Filter);
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let place = visit::load(tx, &self.workspace_id, &self.public_id).await?.place();
        let (filter, _) = self.wish.filter(tx, &place).await?;
        Ok((place, filter))
    }
}

struct Piece {
    place: Place,
    filter: Filter,
    from: Option<Cursor>,
    limit: i64,
}

impl Unit for Piece {
    type Out = Vec<Line>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        stored::some(tx, &self.place, &self.filter, Direction::Older, self.from.as_ref(), self.limit).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_exact_and_no_formulas() {
        let line = Line {
            sale_id: "sal_1".into(),
            root_id: "in_1".into(),
            state: "paid".into(),
            occurred_at: 1_795_255_361_000,
            currency: "jpy".into(),
            paid: 1_200,
            refunded: 0,
            lost: 0,
            disputed: 0,
            unfinished: false,
            outcome: "earns".into(),
            buyer_id: String::new(),
            customer: ["=cmd|x".into(), "Dana, \"D\"".into(), String::new(), "-1+1".into()],
            commissions: vec![Earned {
                partner: ["@Sum".into(), String::new(), "maya".into()],
                outcome: "earns".into(),
                currency: "usd".into(),
                target: 1_050,
                payable_at: 0,
                matured_at: None,
                held: false,
            }],
        };
        let file = String::from_utf8(write(&[line], true).unwrap()).unwrap();
        let mut lines = file.split("\r\n");
        assert_eq!(lines.next().unwrap().split(',').count(), HEAD.len());
        assert_eq!(
            lines.next().unwrap(),
            "2026-11-21T10:02:41Z,in_1,paid,earns,'-1+1,'=cmd|x,\"Dana, \"\"D\"\"\",JPY,1200,0,0,0,maya,'@Sum,10.50,USD"
        );
    }
}
