//! Who had a key or an address when a purchase named it.

use super::second_of;

/// A key or an address, and when somebody had it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holding<T> {
    /// Who.
    pub who: T,
    /// Since when, ms UTC.
    pub from_ms: i64,
    /// Until when, ms UTC; `None` while it is had.
    pub until_ms: Option<i64>,
    /// Did only a browser tell of the holder? Then everybody else goes before it.
    pub by_browser: bool,
}

/// When something was had, as an instant sees it. The order is that in which holders go before one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Had {
    /// At that instant.
    Then,
    /// Until then: it was given up.
    Before,
    /// Only later.
    Later,
}

impl<T> Holding<T> {
    /// When it was had, seen from an instant (ms UTC), as far as whole seconds tell.
    #[must_use]
    pub fn had(&self, at_ms: i64) -> Had {
        let at = second_of(at_ms);
        match self.until_ms {
            _ if second_of(self.from_ms) > at => Had::Later,
            Some(until) if second_of(until) <= at => Had::Before,
            _ => Had::Then,
        }
    }
}

/// Whose a purchase is that named the key or address at an instant (ms UTC, of whole seconds as Stripe tells them): of
/// those who had it then, who had it first; else who gave it up last; else who got it first after it. Ties go to the
/// first of the list. What was said is never unsaid: somebody who gives a key or an address up keeps what it brought.
#[must_use]
pub fn holder_at<T>(holdings: &[Holding<T>], at_ms: i64) -> Option<&Holding<T>> {
    holdings.iter().min_by_key(|holding| {
        let had = holding.had(at_ms);
        let order = match holding.until_ms {
            Some(until) if had == Had::Before => -until,
            _ => holding.from_ms,
        };
        (holding.by_browser, had, order)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const fn had(who: char, from_s: i64, until_s: Option<i64>) -> Holding<char> {
        let until_ms = match until_s {
            Some(until) => Some(until * 1_000 + 500),
            None => None,
        };
        Holding { who, from_ms: from_s * 1_000 + 500, until_ms, by_browser: false }
    }

    fn at(holdings: &[Holding<char>], at_s: i64) -> Option<char> {
        holder_at(holdings, at_s * 1_000).map(|holding| holding.who)
    }

    #[test]
    fn a_purchase_belongs_to_who_had_the_address_at_its_time() {
        let both = [had('a', 10, Some(20)), had('b', 30, None)];
        assert_eq!(at(&both, 5), Some('a'), "before anybody signed up: the first who did");
        assert_eq!(at(&both, 10), Some('a'), "in the second of the sign-up");
        assert_eq!(at(&both, 15), Some('a'));
        assert_eq!(at(&both, 25), Some('a'), "given up, and nobody else's yet");
        assert_eq!(at(&both, 30), Some('b'));
        assert_eq!(at(&both, 99), Some('b'));
        assert_eq!(at(&[], 5), None);
        for (end, who) in [(i64::MIN, 'a'), (i64::MAX, 'b')] {
            assert_eq!(holder_at(&both, end).map(|holding| holding.who), Some(who), "at the ends of time");
        }
    }

    #[test]
    fn of_two_who_have_it_the_first_goes_before_and_a_browser_s_comes_last() {
        assert_eq!(at(&[had('b', 12, None), had('a', 10, None)], 50), Some('a'));
        let told = Holding { by_browser: true, ..had('w', 1, None) };
        assert_eq!(at(&[told.clone(), had('a', 60, None)], 50), Some('a'));
        assert_eq!(at(&[told], 50), Some('w'));
    }

    proptest! {
        /// A change of the address takes no purchase of the time before it away, whoever has it after it.
        #[test]
        fn who_gives_an_address_up_keeps_what_it_brought(
            from in 0i64..50, until in 50i64..100, next in 50i64..200, bought in 0i64..50,
        ) {
            let before = [had('a', from, None)];
            let after = [had('b', next, None), had('a', from, Some(until))];
            prop_assert_eq!(at(&before, bought), at(&after, bought));
        }
    }
}
