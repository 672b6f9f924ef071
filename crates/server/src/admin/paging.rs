//! Keyset pages in the address: `?before=AT~ID` goes to older rows, `?after=AT~ID` to newer ones.

use crate::ui::lists::Pager;
use crate::ui::money::grouped;
use crate::ui::text::encode;
use tributary_store::pages::{Cursor, Direction};

/// Reads a cursor; anything else is none.
#[must_use]
pub fn cursor(text: Option<&str>) -> Option<Cursor> {
    let (at, id) = text?.split_once('~')?;
    let at = at.parse().ok()?;
    (id.len() <= 255).then(|| Cursor { at, id: id.to_owned() })
}

/// A page of rows that were read with one row too many.
#[derive(Debug)]
pub struct Cut<T> {
    /// The rows in the order that the page shows.
    pub rows: Vec<T>,
    /// Is there a page of older rows?
    pub older: bool,
    /// Is there a page of newer rows?
    pub newer: bool,
}

/// Cuts the row too many off, and puts the rows into the order that is shown: newest first unless `oldest_first`.
#[must_use]
pub fn cut<T>(mut rows: Vec<T>, page: i64, read: Direction, from: bool, oldest_first: bool) -> Cut<T> {
    let page = usize::try_from(page).unwrap_or(50);
    let more = rows.len() > page;
    rows.truncate(page);
    let newest_first = read == Direction::Older;
    if newest_first == oldest_first {
        rows.reverse();
    }
    match read {
        Direction::Older => Cut { rows, older: more, newer: from },
        Direction::Newer => Cut { rows, older: from, newer: more },
    }
}

/// The pager of a cut. `query` is what the address keeps, without a cursor: `state=earning&`.
#[must_use]
pub fn pager<T>(
    cut: &Cut<T>,
    path: &str,
    query: &str,
    noun: [&str; 2],
    key: impl Fn(&T) -> (i64, String),
) -> Pager {
    let keys: Vec<_> = cut.rows.iter().map(key).collect();
    let link = |word: &str, key: Option<&(i64, String)>| {
        key.map(|(at, id)| format!("{path}?{query}{word}={at}~{}", encode(id)))
    };
    let count = keys.len();
    let noun = if count == 1 { noun[0] } else { noun[1] };
    Pager {
        shown: format!("{} {noun}", grouped(&count.to_string())),
        newer: if cut.newer { link("after", keys.iter().max()) } else { None },
        older: if cut.older { link("before", keys.iter().min()) } else { None },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_cursors_count_as_none() {
        assert_eq!(cursor(Some("12~in_1")), Some(Cursor { at: 12, id: "in_1".into() }));
        for odd in ["", "~", "x~in", "12", "99999999999999999999~a"] {
            assert_eq!(cursor(Some(odd)), None, "{odd}");
        }
    }

    #[test]
    fn pages_know_their_neighbours() {
        let cut = cut(vec![3, 2, 1], 2, Direction::Older, false, false);
        assert_eq!((cut.rows.as_slice(), cut.older, cut.newer), ([3, 2].as_slice(), true, false));
        let pager = pager(&cut, "/x", "q=1&", ["row", "rows"], |row| (*row, "i".into()));
        assert_eq!(pager.older.as_deref(), Some("/x?q=1&before=2~i"));
        assert_eq!((pager.newer, pager.shown.as_str()), (None, "2 rows"));
        let back = super::cut(vec![1, 2, 3], 2, Direction::Newer, true, false);
        assert_eq!((back.rows.as_slice(), back.older, back.newer), ([2, 1].as_slice(), true, true));
    }
}
