//! An explanation for a terminal.

use super::{Explanation, iso, money};

impl Explanation {
    /// What an open dispute means for the commission; `None` while there is none.
    #[must_use]
    pub fn risk_words(&self) -> Option<String> {
        let earns = self.target.as_ref().is_some_and(|target| target.amount > 0);
        (self.disputed > 0 && earns).then(|| {
            let asked = money(self.disputed, Some(&self.currency));
            if self.matured_at.is_some() {
                format!("A dispute over {asked} is open: the commission is at risk, and nothing changes until it is decided.")
            } else {
                format!("A dispute over {asked} is open: the commission stays in its hold until it is decided.")
            }
        })
    }

    /// For a terminal.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut out = String::new();
        let cur = Some(self.currency.as_str());
        let mut line = |text: String| out.extend([text.as_str(), "\n"]);
        line(format!("{}  {}  {} mode", self.root_id, self.state_words, self.mode));
        line(format!("Paid {} of {}", money(self.paid, cur), money(self.total, cur)));
        for step in &self.story {
            line(format!("  {}  {}  {}  {}", iso(step.at), step.title, step.object_id, step.detail));
        }
        if let Some(target) = &self.target {
            let t = &target.trace;
            line(format!("  total            {}", money(t.total, cur)));
            if t.tax_kept > 0 {
                line(format!("  tax kept in      {}", money(t.tax_kept, cur)));
            }
            line(format!("  − tax            {}", money(t.tax, cur)));
            line(format!("  − shipping       {}", money(t.shipping, cur)));
            if t.off_stripe > 0 {
                line(format!("  − off Stripe     {}", money(t.off_stripe, cur)));
            }
            line(format!("  × paid           {} of {}", t.paid, t.total));
            if let Some(fee) = &t.fee {
                line(format!("  − Stripe's fee   {fee} minor units  {}", t.fee_note));
            }
            line(format!("  base             {} minor units", t.base));
            let version = t.terms_version.map(|version| format!(" (version {version})")).unwrap_or_default();
            match t.given {
                Some(_) => {
                    line(format!("  reward given by the API, in the place of the terms' reward{version}"))
                }
                None => line(format!("  × terms          {}{version}", t.terms_sentence)),
            }
            line(format!("  earned           {} minor units", t.earned));
            for part in &t.lines {
                let (amount, earned) =
                    (money(part.amount, cur), money(part.earned, Some(target.currency.as_str())));
                line(format!("    {} {}  {amount} × {} = {earned}", part.id, part.product, part.rule));
            }
            if let Some(sum) = t.lines_differ {
                line(format!("    the lines add up to {}; the sale's own figure counts", money(sum, cur)));
            }
            if t.captured > 0 {
                line(format!("  × kept           {} of {}", t.kept, t.captured));
            }
            if t.lost > 0 {
                line(format!("    lost in disputes {}", money(t.lost, cur)));
            }
            line(format!("  exact            {} minor units, rounded once, half to even", t.exact));
            line(format!("  = commission     {}", money(target.amount, Some(target.currency.as_str()))));
            line(format!("  payable          {}", iso(target.payable_at)));
        }
        line(self.outcome_words.clone());
        if let Some(risk) = self.risk_words() {
            line(risk);
        }
        if let Some(partner) = &self.partner {
            line(format!("Partner: {} ({})", partner.name, partner.key));
        }
        if let Some(why) = &self.attribution {
            line(format!("Why: {}", why.because));
            for piece in &why.considered {
                line(format!("  {}: {}", piece.evidence.words(), piece.words()));
            }
        }
        for p in &self.postings {
            let amount = money(p.amount, Some(&p.currency));
            line(format!("  {}  {} → {}  {}  {}", iso(p.at), p.debit, p.credit, amount, p.reason));
        }
        if !self.settled {
            line("Not settled yet: the ledger follows in a moment.".to_owned());
        }
        out
    }
}
