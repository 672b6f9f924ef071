//! The inbox as CSV: what the list shows, without pages. Read and sent piece by piece.

use super::csv_file::{self, Pieces, lines, text};
use super::events_wish::{Asked, Wish};
use super::visit::{self, Visit};
use super::{error::PageError, events};
use crate::App;
use crate::ui::when::machine;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use tributary_store::pages::events::{self as stored, Filter, Line};
use tributary_store::pages::{Cursor, Direction, Place};
use tributary_store::{StoreError, Tx, Unit};

/// Most events of one file.
const MOST: usize = 100_000;
/// Events that are read at once.
const PIECE: i64 = 500;

const HEAD: [&str; 11] = [
    "received",
    "happened",
    "event",
    "type",
    "object",
    "api_version",
    "way",
    "outcome",
    "tries",
    "what_came_of_it",
    "connection",
];

/// `GET /p/{program}/events.csv`
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
    let name = format!("events-{public_id}.csv");
    let wish = Wish::read(asked);
    // The program is looked up before anything is sent, so that a foreign one is a 404.
    let (place, connections) =
        app.db.read(Start { workspace_id, public_id, connection: wish.connection.clone() }).await?;
    let (filter, now) = (wish.filter(), visit.now);
    let first =
        Reader { app: app.clone(), place, connections, filter, from: None, left: MOST, head: true, now };
    Ok(csv_file::pieces(first, &name))
}

struct Reader {
    app: App,
    place: Place,
    connections: Vec<String>,
    filter: Filter,
    from: Option<Cursor>,
    left: usize,
    head: bool,
    now: i64,
}

impl Pieces for Reader {
    async fn piece(mut self) -> Result<(Bytes, Option<Self>), StoreError> {
        let piece = Piece {
            place: self.place.clone(),
            connections: self.connections.clone(),
            filter: self.filter.clone(),
            from: self.from.clone(),
        };
        let mut read = self.app.db.read(piece).await?;
        let whole = usize::try_from(PIECE).unwrap_or(500);
        let more = read.len() > whole;
        read.truncate(whole.min(self.left));
        let bytes = lines(self.head.then_some(HEAD), read.iter().map(|line| self.record(line)))?;
        self.left -= read.len();
        self.head = false;
        self.from = read.last().map(|line| Cursor { at: line.received_at, id: line.event_id.clone() });
        let more = more && self.left > 0;
        Ok((Bytes::from(bytes), more.then_some(self)))
    }
}

impl Reader {
    fn record(&self, line: &Line) -> [String; 11] {
        [
            machine(line.received_at),
            machine(line.created_at),
            text(&line.event_id),
            text(&line.type_),
            text(&line.object_id),
            text(&line.api_version),
            line.via.clone(),
            line.outcome.clone(),
            line.attempts.to_string(),
            text(&events::outcome_words(line, &self.place.program_id, self.now)),
            line.connection_id.clone(),
        ]
    }
}

struct Start {
    workspace_id: String,
    public_id: String,
    connection: String,
}

impl Unit for Start {
    type Out = (Place, Vec<String>);
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let loaded = visit::load(tx, &self.workspace_id, &self.public_id).await?;
        let all = loaded.connections.iter().map(|line| line.connection_id.clone());
        let wanted = all.filter(|id| self.connection.is_empty() || *id == self.connection).collect();
        Ok((loaded.place(), wanted))
    }
}

struct Piece {
    place: Place,
    connections: Vec<String>,
    filter: Filter,
    from: Option<Cursor>,
}

impl Unit for Piece {
    type Out = Vec<Line>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Vec<Line>, StoreError> {
        let page = stored::Page { direction: Direction::Older, from: self.from.clone(), rows: PIECE };
        stored::list(tx, &self.place, &self.connections, &self.filter, &page).await
    }
}
