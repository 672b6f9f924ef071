//! What should be mended about a connection, in sentences: kept with it, shown on pages, told once.

use tributary_store::connections::Connection;
use tributary_store::{StoreError, Tx, alerts};

/// Warnings of a look begin so, so that the next look can take its own back and leave those of connecting.
const MARK: &str = "Seen by the regular look: ";

/// As they are kept.
fn kept(text: &str) -> Vec<String> {
    serde_json::from_str(text).unwrap_or_default()
}

/// For a page.
#[must_use]
pub fn shown(text: &str) -> Vec<String> {
    kept(text).into_iter().map(|words| plain(&words).to_owned()).collect()
}

fn plain(words: &str) -> &str {
    words.strip_prefix(MARK).unwrap_or(words)
}

/// What an earlier look told and this one does not see any more.
pub(crate) fn is_mended(text: &str, seen: &[String]) -> bool {
    kept(text)
        .iter()
        .filter_map(|words| words.strip_prefix(MARK))
        .any(|told| !seen.iter().any(|one| one == told))
}

/// Puts what a look has seen in the place of what the one before saw, in the row alone. What is new is told, in the
/// caller's transaction.
///
/// # Errors
/// The database's.
pub(crate) async fn replace(
    tx: &mut Tx<'_>,
    row: &mut Connection,
    seen: &[String],
    now: i64,
) -> Result<(), StoreError> {
    let told = kept(&row.warnings);
    let mut warnings: Vec<String> = told.iter().filter(|words| !words.starts_with(MARK)).cloned().collect();
    let new: Vec<&String> = seen.iter().filter(|words| !warnings.contains(words)).collect();
    warnings.extend(new.into_iter().map(|words| format!("{MARK}{words}")));
    row.warnings = serde_json::to_string(&warnings).unwrap_or_else(|_| "[]".to_owned());
    for words in warnings.iter().filter(|words| words.starts_with(MARK) && !told.contains(words)) {
        let account = if row.account_name.is_empty() { &row.account_id } else { &row.account_name };
        let text = format!("Stripe ({account}, {} mode): {}", row.mode, plain(words));
        alerts::insert(tx, &row.workspace_id, "connection_warning", &row.connection_id, &text, now).await?;
    }
    Ok(())
}
