//! What is to be done: each a sentence with a link, the gravest first.

use crate::ui::frame::ProgramCard;
use crate::ui::text::encode;
use tributary_store::pages::frame::Frame;
use tributary_store::pages::overview::Waits;

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// Its icon.
    pub icon: &'static str,
    /// What is so.
    pub text: String,
    /// What follows from it; may be empty.
    pub detail: String,
    /// Words and address of what to do.
    pub action: (&'static str, String),
}

/// Counts are taken up to a thousand.
fn counted(count: i64, one: &str, many: &str) -> String {
    match count {
        1 => format!("1 {one}"),
        1_000.. => format!("More than 1,000 {many}"),
        count => format!("{count} {many}"),
    }
}

/// What is to be done.
pub(super) fn list(frame: &Frame, waits: &Waits, card: &ProgramCard) -> Vec<Task> {
    let mut tasks = Vec::new();
    let mut task = |icon, text: String, detail: &str, words, path: &str| {
        tasks.push(Task {
            icon,
            text,
            detail: detail.to_owned(),
            action: (words, if path.starts_with('/') { path.to_owned() } else { card.href(path) }),
        });
    };
    let alive: Vec<_> = frame.connections.iter().filter(|line| line.status != "disconnected").collect();
    if alive.is_empty() {
        let detail = "Without it no payment arrives.";
        task("plug", "Stripe is not connected".to_owned(), detail, "Connect Stripe", "integration");
    }
    for line in alive {
        if line.status == "broken" {
            let text = format!("Stripe ({}) does not answer as it should", line.account);
            task("circle-alert", text, &line.reason, "Look into it", "integration");
        }
        let warnings = crate::connect::warnings::shown(&line.warnings);
        for warning in warnings.into_iter().take(3) {
            task("shield-alert", warning, "", "Change the key", "integration");
        }
    }
    if frame.parked > 0 {
        let text = match frame.parked {
            1 => "1 event is parked".to_owned(),
            _ => format!("{} are parked", counted(frame.parked, "event", "events")),
        };
        let detail = "Working through failed too often; it waits for you.";
        task("circle-alert", text, detail, "Look", "events?outcome=parked");
    }
    if waits.awaiting > 0 {
        let verb = if waits.awaiting == 1 { "waits" } else { "wait" };
        let text = format!("{} {verb} for a look-up at Stripe", counted(waits.awaiting, "sale", "sales"));
        task("hourglass", text, "It is tried again by itself.", "Look", "transactions?state=waiting");
    }
    if !waits.set_up {
        let path = format!("/setup?program={}", encode(&card.public_id));
        let detail = "It goes on where it was left; nothing in it is locked.";
        task("circle-dashed", "The set-up is not finished".to_owned(), detail, "Go on", &path);
    }
    if !waits.any_partner {
        let detail = "A partner gets a link; whoever comes by it is counted.";
        task("user-plus", "There is no partner yet".to_owned(), detail, "Add a partner", "partners/new");
    } else if !waits.any_sighting {
        let detail = "With it, visits are counted and Payment Links know who sent the customer.";
        task(
            "file-code",
            "The script was not seen on your site yet".to_owned(),
            detail,
            "Get the script",
            "integration",
        );
    }
    tasks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_told_with_their_noun() {
        assert_eq!(counted(1, "sale", "sales"), "1 sale");
        assert_eq!(counted(7, "sale", "sales"), "7 sales");
        assert_eq!(counted(1_000, "sale", "sales"), "More than 1,000 sales");
    }
}
