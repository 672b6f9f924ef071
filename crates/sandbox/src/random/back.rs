//! What goes back, and what was taken off before: refunds, disputes, coupons.

use serde_json::json;

use super::{Player, id};
use crate::error::Res;
use crate::flows::{charge, dispute, refund};
use crate::params;

impl Player<'_> {
    /// Refunds or disputes a charge, or leaves it alone.
    pub(super) fn goes_back(&mut self, charge: &str) -> Res<()> {
        match self.roll(10) {
            0..=4 => Ok(()),
            5..=7 => self.refunds(charge),
            8 => self.disputes(charge),
            _ => {
                self.refunds(charge)?;
                self.disputes(charge)
            }
        }
    }

    fn left(&self, charge: &str) -> i64 {
        self.world.get("charge", charge).map(charge::left).unwrap_or_default()
    }

    /// One to three refunds; some wait for the bank, some come back.
    fn refunds(&mut self, charge: &str) -> Res<()> {
        for _ in 0..=self.roll(3) {
            let left = self.left(charge);
            if left == 0 {
                break;
            }
            let amount = if self.often(30) { left } else { self.some_of(left) };
            let pending = self.often(30);
            self.pause();
            let wanted = refund::Wanted { amount: Some(amount), pending, ..refund::Wanted::default() };
            let made = refund::create(self.world, charge, &wanted)?;
            self.pause();
            if self.often(20) {
                refund::fail(self.world, &made)?;
            } else if pending && self.often(80) {
                refund::confirm(self.world, &made)?;
            }
        }
        Ok(())
    }

    /// A dispute or an inquiry, with one of its ends.
    fn disputes(&mut self, charge: &str) -> Res<()> {
        let left = self.left(charge);
        // A bank disputes a charge once, and more than one turn of a history may come to the same charge.
        let before = self.world.get("charge", charge).is_some_and(|known| params::flag(known, "disputed"));
        if left == 0 || before || !self.has("disputes") {
            return Ok(());
        }
        let amount = if self.often(70) { left } else { self.some_of(left) };
        let inquiry = self.often(30);
        self.pause();
        let opened = dispute::open(self.world, charge, Some(amount), "fraudulent", inquiry)?;
        let opened = id(&opened);
        if self.often(50) {
            self.pause();
            dispute::answer(self.world, &opened)?;
        }
        if inquiry {
            self.pause();
            if self.often(50) {
                return dispute::close(self.world, &opened, "warning_closed").map(|_| ());
            }
            dispute::escalate(self.world, &opened)?;
        }
        let outcome = ["won", "lost", ""][usize::try_from(self.roll(3)).unwrap_or(0)];
        if outcome.is_empty() {
            return Ok(());
        }
        self.pause();
        dispute::close(self.world, &opened, outcome).map(|_| ())
    }

    /// A coupon for one use, some of them for everything.
    pub(super) fn coupon(&mut self, duration: &str) -> Res<String> {
        let mut given = json!({ "duration": duration });
        if duration == "repeating" {
            given["duration_in_months"] = json!(2);
        }
        match self.roll(4) {
            0 => given["percent_off"] = json!(100),
            1 => {
                given["amount_off"] = json!(self.amount());
                given["currency"] = json!(self.currency);
            }
            _ => given["percent_off"] = json!(1 + self.roll(90)),
        }
        self.api("PostCoupons", "", given).map(|made| id(&made))
    }

    /// A promotion code of a new coupon.
    pub(super) fn code(&mut self) -> Res<String> {
        let coupon = self.coupon("once")?;
        let given = json!({ "promotion": { "type": "coupon", "coupon": coupon } });
        let made = self.api("PostPromotionCodes", "", given)?;
        Ok(params::owned(&made, "code").unwrap_or_default())
    }
}
