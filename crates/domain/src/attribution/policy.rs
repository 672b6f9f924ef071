//! How a program attributes: dated versions, like terms.

use serde::{Deserialize, Serialize};

/// The days that a click counts where the program never set any.
pub const WINDOW_DAYS: i64 = 30;

/// How a program attributes, from one date on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyVersion {
    /// 1, 2, 3, …
    pub version: i64,
    /// From when (ms UTC, inclusive); the first version has no start.
    pub from_ms: Option<i64>,
    /// The days that a click counts, above 0.
    pub window_days: i64,
    /// Does a promotion code go before a link that came with the same purchase? Else the link goes first.
    #[serde(default)]
    pub code_first: bool,
    /// Does each sale need evidence of its own? Else renewals follow the customer's partner.
    #[serde(default)]
    pub per_sale: bool,
    /// Are customers found by e-mail address too?
    #[serde(default = "matches")]
    pub match_email: bool,
}

/// What holds where a version does not say it.
const fn matches() -> bool {
    true
}

impl Default for PolicyVersion {
    /// What holds where the program never set anything.
    fn default() -> Self {
        Self {
            version: 1,
            from_ms: None,
            window_days: WINDOW_DAYS,
            code_first: false,
            per_sale: false,
            match_email: true,
        }
    }
}

impl PolicyVersion {
    /// The version in one sentence: “Attribution version 2: a click counts 30 days, a link goes before a promotion
    /// code, renewals follow the customer's partner, and customers are found by e-mail address too.”
    #[must_use]
    pub fn sentence(&self) -> String {
        let days =
            if self.window_days == 1 { "1 day".to_owned() } else { format!("{} days", self.window_days) };
        let order = if self.code_first {
            "a promotion code goes before a link"
        } else {
            "a link goes before a promotion code"
        };
        let by = if self.per_sale {
            "every sale needs evidence of its own"
        } else {
            "renewals follow the customer's partner"
        };
        let email = if self.match_email {
            "customers are found by e-mail address too"
        } else {
            "an e-mail address finds no customer"
        };
        format!("Attribution version {}: a click counts {days}, {order}, {by}, and {email}.", self.version)
    }
}

/// The version in force at an instant (ms UTC); the default where the program never set one.
#[must_use]
pub fn policy_at(versions: &[PolicyVersion], at_ms: i64) -> PolicyVersion {
    versions
        .iter()
        .filter(|version| version.from_ms.is_none_or(|from| from <= at_ms))
        .max_by_key(|version| (version.from_ms.unwrap_or(i64::MIN), version.version))
        .copied()
        .unwrap_or_default()
}

/// The days that a click counts, by the version in force at an instant (ms UTC).
#[must_use]
pub fn window_days(versions: &[PolicyVersion], at_ms: i64) -> i64 {
    policy_at(versions, at_ms).window_days
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_in_force_is_the_last_that_has_begun() {
        assert_eq!(policy_at(&[], 5), PolicyVersion::default());
        let first = PolicyVersion { window_days: 7, ..PolicyVersion::default() };
        let second = PolicyVersion {
            version: 2,
            from_ms: Some(10),
            code_first: true,
            per_sale: true,
            match_email: false,
            ..first
        };
        assert_eq!(policy_at(&[first, second], 9), first);
        assert_eq!(policy_at(&[second, first], 10), second);
        assert_eq!(
            second.sentence(),
            "Attribution version 2: a click counts 7 days, a promotion code goes before a link, every sale needs \
             evidence of its own, and an e-mail address finds no customer."
        );
        let one = PolicyVersion { window_days: 1, ..first };
        assert!(
            one.sentence().contains("counts 1 day, a link goes before a promotion code, renewals follow")
        );
    }
}
