//! One statement for many sets of parameters, on PostgreSQL: the sets travel as arrays, and the statement that was
//! written for one set is run over their rows.
//!
//! A round trip and a statement's own work cost more than a row. Texts stay written for one set; what cannot be put
//! over many without changing what it does is left alone, and its sets are sent in one flight instead.

use super::params::{P, Ty};
use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

/// A statement over many sets.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Batched {
    /// What it does.
    pub(super) verb: Verb,
    /// Its text. A query answers the number of the set, from 1, as its last column.
    pub(super) text: String,
    /// The same, answering what was changed: of an UPDATE or DELETE the number of the set, of an INSERT the values of
    /// `keys`.
    pub(super) told: String,
    /// Two sets that agree in these parameters may touch the same row.
    pub(super) keys: Vec<usize>,
    /// Does it change exactly one row for each set, or fail?
    pub(super) always_one: bool,
}

/// What a statement does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Select,
    Insert,
    Change,
}

impl P<'_> {
    const fn ty(&self) -> Ty {
        match self {
            Self::I(_) => Ty::Int,
            Self::T(_) => Ty::Text,
            Self::B(_) => Ty::Bytes,
            Self::F(_) => Ty::Flag,
            Self::Null(ty) => *ty,
        }
    }
}

/// Statements by the place and length of their text.
type Known = HashMap<(usize, usize), Option<&'static Batched>>;

/// The statement over many sets, if its text can be put so. Texts are static, so what is remembered is bounded by the
/// number of statements in the program.
pub(super) fn batched(sql: &'static str, first: &[P<'_>]) -> Option<&'static Batched> {
    static KNOWN: RwLock<Option<Known>> = RwLock::new(None);
    let place = (sql.as_ptr().addr(), sql.len());
    let known = KNOWN.read().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = known.as_ref().and_then(|known| known.get(&place)) {
        return *known;
    }
    drop(known);
    let types: Vec<Ty> = first.iter().map(P::ty).collect();
    let made: Option<&'static Batched> = rewrite(sql, &types).map(|made| &*Box::leak(Box::new(made)));
    *KNOWN
        .write()
        .unwrap_or_else(PoisonError::into_inner)
        .get_or_insert_default()
        .entry(place)
        .or_insert(made)
}

/// Puts a text over many sets.
fn rewrite(sql: &str, types: &[Ty]) -> Option<Batched> {
    if types.is_empty() {
        return None;
    }
    let sql = sql.trim();
    match sql.split_once(' ')?.0 {
        "SELECT" => Some(select(sql, types)),
        "INSERT" => insert(sql, types),
        "UPDATE" | "DELETE" => change(sql, types),
        _ => None,
    }
}

fn select(sql: &str, types: &[Ty]) -> Batched {
    // Without a limit of its own, or a lock, the planner would dissolve the query into a join and read whole tables.
    let locks = ["FOR UPDATE", "FOR NO KEY UPDATE", "FOR KEY SHARE"].iter().any(|end| sql.ends_with(end));
    let fence = if locks { "" } else { " OFFSET 0" };
    let (sets, inner) = (sets(types), over_sets(sql));
    let text = format!("SELECT q.*, k.set_no FROM {sets}, LATERAL ({inner}{fence}) AS q");
    Batched { verb: Verb::Select, told: text.clone(), text, keys: Vec::new(), always_one: false }
}

fn insert(sql: &str, types: &[Ty]) -> Option<Batched> {
    let (head, rest) = sql.split_once(" VALUES (")?;
    let (tuple, tail) = split_at_close(rest)?;
    // A set must not read what another inserts, and what follows the values knows no sets.
    if tuple.contains("SELECT") || tail.contains('$') || tail.contains("RETURNING") {
        return None;
    }
    let columns = head.split_once('(')?.1.strip_suffix(')')?;
    let columns: Vec<&str> = columns.split(',').map(str::trim).collect();
    let values = split_list(tuple);
    if columns.len() != values.len() {
        return None;
    }
    let mut keys = Vec::new();
    let mut key_columns = Vec::new();
    if let Some((_, conflict)) = tail.split_once("ON CONFLICT (") {
        for column in conflict.split_once(')')?.0.split(',').map(str::trim) {
            let at = columns.iter().position(|known| *known == column)?;
            if let Some(number) = values.get(at)?.strip_prefix('$') {
                keys.push(number.parse::<usize>().ok()?.checked_sub(1)?);
                key_columns.push(column);
            }
        }
        if keys.is_empty() {
            return None;
        }
    }
    let always_one =
        !tail.contains("ON CONFLICT") || (tail.contains("DO UPDATE") && !tail.contains(" WHERE "));
    let text = format!("{head} SELECT {} FROM {}{tail}", over_sets(tuple), sets(types));
    let told = if always_one { text.clone() } else { format!("{text} RETURNING {}", key_columns.join(", ")) };
    Some(Batched { verb: Verb::Insert, text, told, keys, always_one })
}

fn change(sql: &str, types: &[Ty]) -> Option<Batched> {
    let (head, condition) = sql.split_once(" WHERE ")?;
    if ["SELECT ", " WHERE ", "RETURNING"].iter().any(|word| condition.contains(word))
        || head.contains("SELECT ")
    {
        return None;
    }
    // Sets whose conditions differ in what they compare for equality touch different rows.
    let mut keys = Vec::new();
    for term in condition.split(" AND ") {
        match term.trim().split_once(" = $") {
            Some((column, number)) if is_name(column) => {
                keys.push(number.trim().parse::<usize>().ok()?.checked_sub(1)?)
            }
            _ if term.contains('$') => return None,
            // A choice that is not in brackets would let a set touch what its keys do not name.
            _ if term.contains(" OR ") && !(term.starts_with('(') && term.ends_with(')')) => return None,
            _ => {}
        }
    }
    if keys.is_empty() {
        return None;
    }
    let word = if sql.starts_with("UPDATE") { "FROM" } else { "USING" };
    let text = format!("{} {word} {} WHERE {}", over_sets(head), sets(types), over_sets(condition));
    let told = format!("{text} RETURNING k.set_no");
    Some(Batched { verb: Verb::Change, text, told, keys, always_one: false })
}

fn is_name(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_' || byte == b'.')
}

/// The arrays as rows `k` with columns `p1`, `p2`, … and the number `set_no` of the set.
fn sets(types: &[Ty]) -> String {
    let (mut arrays, mut names) = (Vec::new(), Vec::new());
    for (at, ty) in (1..).zip(types) {
        let ty = match ty {
            Ty::Int => "bigint",
            Ty::Text => "text",
            Ty::Bytes => "bytea",
            Ty::Flag => "boolean",
        };
        arrays.push(format!("${at}::{ty}[]"));
        names.push(format!("p{at}"));
    }
    format!("UNNEST({}) WITH ORDINALITY AS k({}, set_no)", arrays.join(", "), names.join(", "))
}

/// `$3` as `k.p3`.
fn over_sets(sql: &str) -> String {
    sql.replace('$', "k.p")
}

/// What lies before and after the bracket that closes the one opened before the text.
fn split_at_close(text: &str) -> Option<(&str, &str)> {
    let mut depth = 1;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some((&text[..at], &text[at + 1..]));
        }
    }
    None
}

/// A list's items, split at commas that stand in no bracket.
fn split_list(text: &str) -> Vec<&str> {
    let (mut depth, mut from, mut items) = (0, 0, Vec::new());
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' => depth -= 1,
            b',' if depth == 0 => {
                items.push(text[from..at].trim());
                from = at + 1;
            }
            _ => {}
        }
    }
    items.push(text[from..].trim());
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_answers_the_number_of_its_set() {
        let made =
            rewrite("SELECT a FROM t WHERE w = $1 AND b = $2 ORDER BY a LIMIT 5", &[Ty::Text, Ty::Int]);
        assert_eq!(
            made.unwrap().text,
            "SELECT q.*, k.set_no FROM UNNEST($1::text[], $2::bigint[]) WITH ORDINALITY AS k(p1, p2, set_no), \
             LATERAL (SELECT a FROM t WHERE w = k.p1 AND b = k.p2 ORDER BY a LIMIT 5 OFFSET 0) AS q"
        );
        let lock = rewrite("SELECT a FROM t WHERE w = $1 FOR UPDATE", &[Ty::Text]).unwrap();
        assert!(lock.text.ends_with("WHERE w = k.p1 FOR UPDATE) AS q"));
        let share = rewrite("SELECT a FROM t WHERE w = $1 FOR KEY SHARE", &[Ty::Text]).unwrap();
        assert!(share.text.ends_with("WHERE w = k.p1 FOR KEY SHARE) AS q"));
    }

    #[test]
    fn an_insert_knows_which_sets_meet() {
        let sql = "INSERT INTO t (w, a, b, c) VALUES ($1, $2, '', $3) ON CONFLICT (w, b, a) DO NOTHING";
        let made = rewrite(sql, &[Ty::Text, Ty::Text, Ty::Flag]).unwrap();
        assert_eq!(
            made.told,
            "INSERT INTO t (w, a, b, c) SELECT k.p1, k.p2, '', k.p3 FROM UNNEST($1::text[], $2::text[], \
             $3::boolean[]) WITH ORDINALITY AS k(p1, p2, p3, set_no) ON CONFLICT (w, b, a) DO NOTHING RETURNING w, a"
        );
        assert_eq!((made.keys, made.always_one), (vec![0, 1], false));
        let sql = "INSERT INTO t (w, a) VALUES ($1, $2) ON CONFLICT (w) DO UPDATE SET a = excluded.a";
        assert!(rewrite(sql, &[Ty::Text, Ty::Text]).unwrap().always_one);
        let bound_outside = "INSERT INTO t (w, a) VALUES ($1, $2) ON CONFLICT (w) DO UPDATE SET a = $2";
        assert_eq!(rewrite(bound_outside, &[Ty::Text, Ty::Text]), None);
    }

    #[test]
    fn a_change_is_put_over_sets_only_if_its_sets_cannot_meet_unseen() {
        let made =
            rewrite("UPDATE t SET a = $3 WHERE w = $1 AND b = $2 AND NOT c", &[Ty::Text, Ty::Text, Ty::Int]);
        let made = made.unwrap();
        assert_eq!(
            made.told,
            "UPDATE t SET a = k.p3 FROM UNNEST($1::text[], $2::text[], $3::bigint[]) WITH ORDINALITY AS \
             k(p1, p2, p3, set_no) WHERE w = k.p1 AND b = k.p2 AND NOT c RETURNING k.set_no"
        );
        assert_eq!(made.keys, [0, 1]);
        assert!(rewrite("UPDATE t SET a = 1 WHERE w = $1 AND (c = 1 OR d = 2)", &[Ty::Text]).is_some());
        for sql in [
            "UPDATE t SET a = 1 WHERE w = $1 AND b > $2",
            "UPDATE t SET a = 1 WHERE w = $1 OR b = $2",
            "UPDATE t SET a = 1 WHERE c = 1 OR d = 2 AND w = $1 AND b = $2",
            "UPDATE t SET a = 1 WHERE (c = 1 AND d = 2 OR e = 3) AND w = $1 AND b = $2",
            "DELETE FROM t WHERE w = $1 AND NOT EXISTS (SELECT 1 FROM u WHERE u.w = $2)",
            "UPDATE t SET a = 1 WHERE w = $1 AND b = $2 RETURNING a",
        ] {
            assert_eq!(rewrite(sql, &[Ty::Text, Ty::Text]), None, "{sql}");
        }
    }
}
