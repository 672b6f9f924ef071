//! Webhooks of many buyers: how fast they are accepted, and how fast they reach the ledger.

use crate::Plan;
use crate::events::Stories;
use crate::figures::Figures;
use crate::install::{Ground, Served};
use crate::load::{self, Sent, Until};
use crate::process::{self, Fail};
use std::time::{Duration, Instant};

/// Longest wait for the pipeline.
const LIMIT: Duration = Duration::from_secs(120);

/// One round on one database.
pub(crate) async fn measure(
    plan: &Plan,
    ground: &Ground,
    stories: &Stories,
    figures: &mut Figures,
    round: usize,
) -> Result<(), Fail> {
    let engine = ground.engine.name();
    let served = ground.copy().await?;
    accept(plan, &served, stories, figures, engine).await?;
    served.end().await?;
    let served = ground.copy().await?;
    let from = u64::try_from(round).unwrap_or(0) * 10_000_000;
    let mut owed = 0;
    for (connections, purchases) in [(64, plan.purchases), (16, plan.purchases / 2)] {
        let from = from + u64::try_from(connections).unwrap_or(0) * 100_000;
        owed += shipped(&served, stories, figures, connections, purchases, from).await?;
        let booked = served.books.owed().await?;
        if booked != owed {
            return Err(format!("the ledger owes {booked}, the events say {owed}").into());
        }
    }
    figures.note(&format!("{engine}_memory_load"), served.running.memory_kb()?);
    figures.note(&format!("{engine}_verify"), micros(served.verify().await?));
    served.end().await
}

/// Receiving alone: verified, parsed, encrypted, durable and deduplicated; the pipeline has nothing to do.
async fn accept(
    plan: &Plan,
    served: &Served<'_>,
    stories: &Stories,
    figures: &mut Figures,
    engine: &str,
) -> Result<(), Fail> {
    let (mut kept, mut from) = (0, 0);
    for connections in [64, 16] {
        // More than can be sent in the time.
        let count = usize::try_from(plan.span_ms).unwrap_or(0) * 25;
        let requests = served.signed(&stories.strange(count, from, process::now_s()))?;
        from += u64::try_from(count).unwrap_or(0);
        let cpu = served.running.cpu_us()?;
        let span = Until::Time(Duration::from_millis(plan.span_ms));
        let sent = load::send(served.address, &requests, connections, span).await?;
        let name = format!("{engine}_accept_{connections}");
        note(figures, &name, &sent);
        figures.note(&format!("{name}_cpu"), each(served.running.cpu_us()? - cpu, sent.count));
        kept += sent.count;
        let rows = served.books.number("SELECT COUNT(*) FROM event WHERE outcome = 'parked'").await?;
        if i64::try_from(kept) != Ok(rows) {
            return Err(format!("{kept} events were answered 200, {rows} are kept").into());
        }
    }
    Ok(())
}

/// Everything as shipped: the pipeline works while events come in. Answers what the partner earned.
async fn shipped(
    served: &Served<'_>,
    stories: &Stories,
    figures: &mut Figures,
    connections: usize,
    purchases: usize,
    from: u64,
) -> Result<i64, Fail> {
    let (told, unique) = stories.with_repeats(purchases, from, process::now_s());
    let count = "SELECT COUNT(*) FROM event";
    let sold =
        "SELECT COUNT(*) FROM sale WHERE state = 'paid' AND merged_into IS NULL AND customer_id IS NOT NULL";
    let (events, sales) = (served.books.number(count).await?, served.books.number(sold).await?);
    let requests = served.signed(&told.events)?;
    let (cpu, began) = (served.running.cpu_us()?, Instant::now());
    let sent = load::send(served.address, &requests, connections, Until::AllSent).await?;
    let done = served.books.at_rest(LIMIT).await?;
    let took_us = u64::try_from((done - began).as_micros())?;
    let name = format!("{}_shipped_{connections}", served.engine());
    note(figures, &name, &sent);
    figures.note(&format!("{name}_ledger"), load::rate(unique, took_us));
    figures.note(&format!("{name}_cpu"), each(served.running.cpu_us()? - cpu, unique));
    let kept = served.books.number(count).await? - events;
    let known = served.books.number(sold).await? - sales;
    if i64::try_from(unique) != Ok(kept) || told.sales != known {
        let words =
            format!("{unique} events and {} sales were told, {kept} and {known} are known", told.sales);
        return Err(words.into());
    }
    Ok(told.earned)
}

fn note(figures: &mut Figures, name: &str, sent: &Sent) {
    figures.note(name, sent.rate());
    figures.note(&format!("{name}_p50"), sent.percentile(500));
    figures.note(&format!("{name}_p99"), sent.percentile(990));
}

/// µs of each.
pub(crate) fn each(us: u64, count: usize) -> i64 {
    i64::try_from(us / u64::try_from(count.max(1)).unwrap_or(1)).unwrap_or(i64::MAX)
}

/// As the figures hold it.
pub(crate) fn micros(us: u64) -> i64 {
    i64::try_from(us).unwrap_or(i64::MAX)
}
