//! Many sets of parameters for one statement of PostgreSQL: as one statement where its text allows that, else as many
//! in one pipelined flight.

use super::Row;
use super::batch::{Batched, Verb, batched};
use super::params::{P, storable};
use crate::error::StoreError;
use deadpool_postgres::Transaction;
use futures_util::future::try_join_all;
use postgres_types::ToSql;
use std::collections::{HashMap, HashSet};

pub(super) fn refs<'a>(params: &'a [P<'a>]) -> Vec<&'a (dyn ToSql + Sync)> {
    params.iter().map(|param| param as &(dyn ToSql + Sync)).collect()
}

/// Runs a query for each set; the rows of each, in the order of the sets. Sets that are equal are asked once.
pub(super) async fn rows_each(
    tx: &Transaction<'_>,
    sql: &'static str,
    sets: &[Vec<P<'_>>],
) -> Result<Vec<Vec<Row>>, StoreError> {
    let over = sets.first().filter(|_| sets.len() > 1).and_then(|first| batched(sql, first));
    let Some(over) = over.filter(|over| over.verb == Verb::Select) else {
        let statement = tx.prepare_cached(sql).await?;
        let flights = sets.iter().map(|params| {
            let statement = &statement;
            async move { tx.query(statement, &refs(params)).await }
        });
        let answers = try_join_all(flights).await?;
        return Ok(answers.into_iter().map(|rows| rows.into_iter().map(Row::from).collect()).collect());
    };
    let (mut once, mut known) = (Vec::new(), HashMap::new());
    let places: Vec<usize> = sets
        .iter()
        .map(|set| {
            *known.entry(set).or_insert_with(|| {
                once.push(set.clone());
                once.len() - 1
            })
        })
        .collect();
    let mut found: Vec<Vec<Row>> = Vec::new();
    found.resize_with(once.len(), Vec::new);
    for row in query(tx, &over.text, &columns(&once)).await? {
        let place = number_of(&row, row.len().saturating_sub(1), once.len())?;
        found[place].push(Row::from(row));
    }
    Ok(places.into_iter().map(|place| found[place].clone()).collect())
}

/// Runs a statement for each set; how many rows it changed in all.
pub(super) async fn exec_each(
    tx: &Transaction<'_>,
    sql: &'static str,
    sets: &[Vec<P<'_>>],
) -> Result<u64, StoreError> {
    let Some((over, firsts, others)) = apart(sql, sets) else {
        return Ok(one_by_one(tx, sql, sets.iter()).await?.iter().sum());
    };
    let statement = tx.prepare_cached(&over.text).await?;
    let firsts: Vec<_> = firsts.into_iter().map(|at| sets[at].clone()).collect();
    let arrays = columns(&firsts);
    let changed = tx.execute(&statement, &array_refs(&arrays)).await?;
    let more = one_by_one(tx, sql, others.into_iter().map(|at| &sets[at])).await?;
    Ok(changed + more.iter().sum::<u64>())
}

/// Runs a statement for each set; how many rows it changed for each.
pub(super) async fn exec_told(
    tx: &Transaction<'_>,
    sql: &'static str,
    sets: &[Vec<P<'_>>],
) -> Result<Vec<u64>, StoreError> {
    let Some((over, firsts, others)) = apart(sql, sets) else {
        return one_by_one(tx, sql, sets.iter()).await;
    };
    let mut told = vec![0; sets.len()];
    let of_firsts: Vec<_> = firsts.iter().map(|at| sets[*at].clone()).collect();
    let arrays = columns(&of_firsts);
    if over.always_one {
        let statement = tx.prepare_cached(&over.text).await?;
        tx.execute(&statement, &array_refs(&arrays)).await?;
        firsts.iter().for_each(|at| told[*at] = 1);
    } else {
        let rows = query(tx, &over.told, &arrays).await?;
        match over.verb {
            Verb::Insert => {
                let key =
                    |set: &Vec<P<'_>>| over.keys.iter().map(|at| text_of(set.get(*at))).collect::<Vec<_>>();
                let places: HashMap<Vec<String>, usize> =
                    firsts.iter().map(|at| (key(&sets[*at]), *at)).collect();
                for row in rows {
                    let key: Vec<String> =
                        (0..over.keys.len()).map(|at| column_text(&row, at)).collect::<Result<_, _>>()?;
                    let place =
                        places.get(&key).ok_or_else(|| strange("a row that no set named was inserted"))?;
                    told[*place] += 1;
                }
            }
            Verb::Select | Verb::Change => {
                for row in rows {
                    let place = number_of(&row, 0, firsts.len())?;
                    told[firsts[place]] += 1;
                }
            }
        }
    }
    let more = one_by_one(tx, sql, others.iter().map(|at| &sets[*at])).await?;
    others.into_iter().zip(more).for_each(|(at, changed)| told[at] = changed);
    Ok(told)
}

async fn one_by_one<'p>(
    tx: &Transaction<'_>,
    sql: &'static str,
    sets: impl Iterator<Item = &'p Vec<P<'p>>> + Send,
) -> Result<Vec<u64>, StoreError> {
    let sets: Vec<_> = sets.collect();
    if sets.is_empty() {
        return Ok(Vec::new());
    }
    let statement = tx.prepare_cached(sql).await?;
    let flights = sets.into_iter().map(|params| {
        let statement = &statement;
        async move { tx.execute(statement, &refs(params)).await }
    });
    Ok(try_join_all(flights).await?)
}

/// The statement over many sets; those that cannot meet, and those that may touch what one of the first has touched:
/// they come after them, in their order.
fn apart(sql: &'static str, sets: &[Vec<P<'_>>]) -> Option<(&'static Batched, Vec<usize>, Vec<usize>)> {
    let over = sets.first().filter(|_| sets.len() > 1).and_then(|first| batched(sql, first))?;
    if over.verb == Verb::Select {
        return None;
    }
    if over.keys.is_empty() {
        return Some((over, (0..sets.len()).collect(), Vec::new()));
    }
    let mut seen = HashSet::new();
    let (firsts, others) = (0..sets.len()).partition(|at| {
        let key: Vec<Option<P<'_>>> = over.keys.iter().map(|key| sets[*at].get(*key).copied()).collect();
        seen.insert(key)
    });
    Some((over, firsts, others))
}

/// The sets turned into one array for each parameter.
fn columns<'p>(sets: &[Vec<P<'p>>]) -> Vec<Vec<P<'p>>> {
    let width = sets.first().map_or(0, Vec::len);
    (0..width).map(|at| sets.iter().filter_map(|set| set.get(at).copied()).collect()).collect()
}

fn array_refs<'a>(arrays: &'a [Vec<P<'a>>]) -> Vec<&'a (dyn ToSql + Sync)> {
    arrays.iter().map(|array| array as &(dyn ToSql + Sync)).collect()
}

async fn query(
    tx: &Transaction<'_>,
    text: &str,
    arrays: &[Vec<P<'_>>],
) -> Result<Vec<tokio_postgres::Row>, StoreError> {
    let statement = tx.prepare_cached(text).await?;
    Ok(tx.query(&statement, &array_refs(arrays)).await?)
}

/// The place of a set by its number in a row.
fn number_of(row: &tokio_postgres::Row, at: usize, sets: usize) -> Result<usize, StoreError> {
    let number: i64 = row.try_get(at)?;
    let place = usize::try_from(number - 1).ok().filter(|place| *place < sets);
    place.ok_or_else(|| strange("a row of no set was answered"))
}

fn strange(what: &str) -> StoreError {
    StoreError::Driver(what.to_owned())
}

fn text_of(param: Option<&P<'_>>) -> String {
    match param {
        Some(P::I(value)) => value.to_string(),
        Some(P::T(text)) => storable(text).into_owned(),
        Some(P::F(flag)) => flag.to_string(),
        other => format!("{other:?}"),
    }
}

fn column_text(row: &tokio_postgres::Row, at: usize) -> Result<String, StoreError> {
    use postgres_types::Type;
    Ok(match *row.columns()[at].type_() {
        Type::INT8 => row.try_get::<_, i64>(at)?.to_string(),
        Type::BOOL => row.try_get::<_, bool>(at)?.to_string(),
        _ => row.try_get::<_, String>(at)?,
    })
}
