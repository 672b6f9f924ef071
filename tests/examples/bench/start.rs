//! How soon the server is ready, and how much memory it needs.

use crate::Plan;
use crate::crowd::micros;
use crate::events::Stories;
use crate::figures::Figures;
use crate::install::Ground;
use crate::load::{self, Line, Until};
use crate::process::{self, Fail};
use std::time::Duration;

/// Starts the server again and again; looks at its memory at rest, after a page, and after some load.
pub(crate) async fn measure(
    plan: &Plan,
    ground: &Ground,
    stories: &Stories,
    figures: &mut Figures,
) -> Result<(), Fail> {
    for _ in 0..plan.starts {
        let served = ground.copy().await?;
        figures.note("start", micros(served.start_us));
        served.end().await?;
    }
    for _ in 0..plan.rounds.min(3) {
        let served = ground.copy().await?;
        tokio::time::sleep(Duration::from_secs(1)).await;
        figures.note("memory_idle", served.running.memory_kb()?);
        let page = load::request("GET", "/login", &[], b"");
        let (status, _) = Line::open(served.address).await?.ask(&page).await?;
        if status != 200 {
            return Err(format!("/login answered {status}").into());
        }
        figures.note("memory_page", served.running.memory_kb()?);
        let (told, _) = stories.with_repeats(plan.purchases / 2, 0, process::now_s());
        let requests = served.signed(&told.events)?;
        load::send(served.address, &requests, 64, Until::AllSent).await?;
        served.books.at_rest(Duration::from_secs(120)).await?;
        tokio::time::sleep(Duration::from_secs(1)).await;
        figures.note("memory_after", served.running.memory_kb()?);
        served.end().await?;
    }
    let size = std::fs::metadata(&plan.binary)?.len();
    figures.note("binary", i64::try_from(size / 1_000)?);
    Ok(())
}
