//! What the CSV files of lists have in common: cells that are safe in a spreadsheet, and a file that is read and sent piece
//! by piece.

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use std::future::Future;
use tributary_domain::money::{Currency, format_major};
use tributary_store::StoreError;

/// A list that is read in pieces.
pub(super) trait Pieces: Sized + Send + 'static {
    /// The next piece of the file, and the reader of what comes after it.
    ///
    /// # Errors
    /// The database's; the file then ends early, and its receiver sees that.
    fn piece(self) -> impl Future<Output = Result<(Bytes, Option<Self>), StoreError>> + Send;
}

/// The file of a list, sent while it is read.
pub(super) fn pieces<R: Pieces>(first: R, name: &str) -> Response {
    let body = stream::try_unfold(Some(first), |reader| async move {
        match reader {
            Some(reader) => reader.piece().await.map(Some),
            None => Ok::<_, StoreError>(None),
        }
    });
    file(Body::from_stream(body), name)
}

/// A file with a name (ASCII, without quotes).
pub(super) fn file(body: impl Into<Body>, name: &str) -> Response {
    let mut response = body.into().into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
    let name = HeaderValue::from_str(&format!("attachment; filename=\"{name}\""));
    headers.insert(header::CONTENT_DISPOSITION, name.unwrap_or(HeaderValue::from_static("attachment")));
    response
}

/// Lines of the file, with its head in front where there is one.
///
/// # Errors
/// Only if a record has another number of cells than the one before.
pub(super) fn lines<const N: usize>(
    head: Option<[&str; N]>,
    records: impl IntoIterator<Item = [String; N]>,
) -> Result<Vec<u8>, StoreError> {
    let odd = |error: &dyn std::fmt::Display| StoreError::Inconsistent(format!("a CSV file: {error}"));
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    if let Some(head) = head {
        writer.write_record(head).map_err(|error| odd(&error))?;
    }
    for record in records {
        writer.write_record(record).map_err(|error| odd(&error))?;
    }
    writer.into_inner().map_err(|error| odd(&error))
}

/// An exact decimal in major units; empty while the currency is not known.
pub(super) fn amount(minor: i64, currency: &str) -> String {
    Currency::parse(currency).map(|currency| format_major(minor, currency)).unwrap_or_default()
}

/// Words that somebody else chose: what a spreadsheet would take for a formula gets an apostrophe.
pub(super) fn text(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
    if formula { format!("'{text}") } else { text.to_owned() }
}
