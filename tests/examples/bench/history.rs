//! One customer with a long history: does the ten-thousandth sale cost more than the first?

use crate::Plan;
use crate::crowd::{each, micros};
use crate::events::Stories;
use crate::figures::Figures;
use crate::install::Ground;
use crate::load::{self, Until};
use crate::process::{self, Fail};
use std::time::{Duration, Instant};

/// Longest wait for the pipeline after one step.
const LIMIT: Duration = Duration::from_secs(120);

/// Sends the history in order and shuffled, and notes what each step costs.
pub(crate) async fn measure(
    plan: &Plan,
    ground: &Ground,
    stories: &Stories,
    figures: &mut Figures,
) -> Result<(), Fail> {
    for order in ["in_order", "shuffled"] {
        let served = ground.copy().await?;
        let mut numbers: Vec<usize> = (0..plan.history).collect();
        if order == "shuffled" {
            shuffle(&mut numbers);
        }
        let (end_s, mut owed, mut sold, mut total_us) = (process::now_s() - 60, 0, 0, 0);
        for step in numbers.chunks(plan.step) {
            let told = stories.history(step, plan.history, end_s);
            let requests = served.signed(&told.events)?;
            let (cpu, began) = (served.running.cpu_us()?, Instant::now());
            load::send(served.address, &requests, 64, Until::AllSent).await?;
            let done = served.books.at_rest(LIMIT).await?;
            let took_us = u64::try_from((done - began).as_micros())?;
            (sold, owed, total_us) = (sold + step.len(), owed + told.earned, total_us + took_us);
            figures.note(&format!("history_{order}_{sold}"), each(took_us, step.len()));
            figures.note(
                &format!("history_{order}_{sold}_cpu"),
                each(served.running.cpu_us()? - cpu, step.len()),
            );
            eprintln!("  {sold} sales {order}: {} µs a sale", each(took_us, step.len()));
        }
        let booked = served.books.owed().await?;
        if booked != owed {
            return Err(format!("the ledger owes {booked}, the events say {owed}").into());
        }
        figures.note(&format!("history_{order}_total"), micros(total_us));
        figures.note(&format!("history_{order}_verify"), micros(served.verify().await?));
        served.end().await?;
    }
    Ok(())
}

/// The same disorder every time.
fn shuffle(numbers: &mut [usize]) {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    for at in (1..numbers.len()).rev() {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let bound = u64::try_from(at).unwrap_or(u64::MAX).saturating_add(1);
        numbers.swap(at, usize::try_from(state % bound).unwrap_or(0));
    }
}
