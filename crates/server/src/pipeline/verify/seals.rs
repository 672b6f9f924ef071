//! The hash chain over journals: numbers without gaps, hashes that fit, every journal sealed or waiting for it.

use super::Problems;
use crate::pipeline::seal::hash_of;
use tributary_store::pipeline::seals::{self, Chain, Seal};
use tributary_store::{StoreError, Tx};

/// Links read at once.
const PAGE: i64 = 1_000;

/// Checks all chains of a workspace.
pub(super) async fn check(tx: &mut Tx<'_>, ws: &str, problems: &mut Problems) -> Result<(), StoreError> {
    for chain in seals::chains(tx, ws).await? {
        one(tx, ws, &chain, problems).await?;
    }
    let (forgotten, gone) = seals::stray(tx, ws).await?;
    for journal in forgotten {
        problems.add(
            "seal",
            journal,
            "the journal is neither sealed nor waiting for it: its seal was taken away",
        );
    }
    for journal in gone {
        problems.add("journal", journal, "it waited for its seal and is gone");
    }
    Ok(())
}

async fn one(tx: &mut Tx<'_>, ws: &str, chain: &Chain, problems: &mut Problems) -> Result<(), StoreError> {
    let (mut n, mut hash) = (0, String::new());
    loop {
        let page = seals::after(tx, ws, chain, n, PAGE).await?;
        let ids: Vec<&str> = page.iter().map(|seal| seal.journal_id.as_str()).collect();
        let covered = seals::covered(tx, ws, &ids).await?;
        for (seal, covered) in page.iter().zip(covered) {
            let Seal { n: number, journal_id, hash: stored } = seal;
            let name = format!("{journal_id}, number {number} of {} {}", chain.program_id, chain.mode);
            if *number != n + 1 {
                let what = format!("number {number} follows number {n}: a seal was taken away");
                problems.add("seal", &name, what);
            }
            match covered {
                None => problems.add(
                    "journal",
                    journal_id,
                    format!("it was sealed as number {number} and is gone"),
                ),
                Some(covered) if hash_of(ws, chain, *number, &hash, &covered) != *stored => problems.add(
                    "seal",
                    &name,
                    "it does not fit: the journal, its entry, its place or the seal before was changed",
                ),
                Some(_) => {}
            }
            (n, hash) = (*number, stored.clone());
        }
        if i64::try_from(page.len()) != Ok(PAGE) {
            return Ok(());
        }
    }
}
