//! What is in the base, and products with rules of their own, as they are typed.

use super::reward::{Wrong, reward};
use serde::Deserialize;
use tributary_domain::terms::{PRODUCT_RULES_MAX, ProductRule, Terms};

/// The part of a terms form that says what counts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct BaseInput {
    /// Tax counts (`true` where the box is ticked).
    #[serde(default)]
    pub include_tax: Option<String>,
    /// Shipping counts.
    #[serde(default)]
    pub include_shipping: Option<String>,
    /// Stripe's fee is left out.
    #[serde(default)]
    pub exclude_fee: Option<String>,
    /// What was paid outside of Stripe is left out.
    #[serde(default)]
    pub exclude_off_stripe: Option<String>,
    /// One rule a line: `prod_123 20%`, `prod_456 5.00 usd`, `prod_789 nothing`.
    #[serde(default)]
    pub products: String,
}

impl BaseInput {
    /// The terms as they fill the form.
    #[must_use]
    pub fn of(terms: &Terms) -> Self {
        let ticked = |flag: bool| flag.then(|| "true".to_owned());
        let line = |rule: &ProductRule| {
            let words = rule.reward.as_ref().map_or_else(|| "nothing".to_owned(), |reward| reward.words());
            format!("{} {}", rule.product, words.replace(" %", "%"))
        };
        Self {
            include_tax: ticked(terms.include_tax),
            include_shipping: ticked(!terms.exclude_shipping),
            exclude_fee: ticked(terms.exclude_fee),
            exclude_off_stripe: ticked(terms.exclude_off_stripe),
            products: terms.products.iter().map(line).collect::<Vec<_>>().join("\n"),
        }
    }

    /// Writes what the form says into terms.
    ///
    /// # Errors
    /// The first rule that cannot be read.
    pub fn apply(&self, terms: &mut Terms) -> Result<(), Wrong> {
        terms.include_tax = self.include_tax.is_some();
        terms.exclude_shipping = self.include_shipping.is_none();
        terms.exclude_fee = self.exclude_fee.is_some();
        terms.exclude_off_stripe = self.exclude_off_stripe.is_some();
        terms.products = product_rules(self.products.lines())
            .map_err(|words| Wrong { field: "products", words: format!("{words}.") })?;
        Ok(())
    }
}

/// Reads product rules, one a line; empty lines are left out.
///
/// # Errors
/// What is wrong with which line, in words without a full stop.
pub fn product_rules<'l>(lines: impl Iterator<Item = &'l str>) -> Result<Vec<ProductRule>, String> {
    let lines: Vec<&str> = lines.map(str::trim).filter(|line| !line.is_empty()).collect();
    if lines.len() > PRODUCT_RULES_MAX {
        return Err(format!(
            "at most {PRODUCT_RULES_MAX} products have rules of their own; got {}",
            lines.len()
        ));
    }
    lines.into_iter().map(product_rule).collect()
}

/// Reads one product rule: `prod_123 20%`, `prod_123=5.00 usd`, `prod_123 nothing`.
///
/// # Errors
/// What is wrong, in words without a full stop.
pub fn product_rule(line: &str) -> Result<ProductRule, String> {
    let shown: String = line.chars().take(80).collect();
    let (product, what) =
        line.trim().split_once(|c: char| c.is_whitespace() || c == '=').ok_or_else(|| {
            format!("a rule is a product and what it earns, such as \"prod_123 20%\"; got {shown:?}")
        })?;
    let what = what.trim().trim_start_matches('=').trim();
    let reward = if what.eq_ignore_ascii_case("nothing") {
        None
    } else {
        Some(reward(what).map_err(|why| format!("{shown:?}: {why}, or nothing"))?)
    };
    Ok(ProductRule { product: product.to_owned(), reward })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tributary_domain::money::Rate;

    #[test]
    fn rules_are_read_and_written_back() {
        let mut terms = Terms::percent_for_life(Rate::parse_percent("20%").unwrap());
        let input = BaseInput {
            include_tax: Some("true".into()),
            exclude_fee: Some("true".into()),
            products: "prod_a 12.5%\n\n prod_b=5.00 usd \nprod_c nothing".into(),
            ..BaseInput::default()
        };
        input.apply(&mut terms).unwrap();
        assert!(
            terms.include_tax && terms.exclude_fee && terms.exclude_shipping && !terms.exclude_off_stripe
        );
        assert_eq!(terms.products.len(), 3);
        terms.check().unwrap();
        assert_eq!(BaseInput::of(&terms).products, "prod_a 12.5%\nprod_b 5.00 USD\nprod_c nothing");
        let mut again = terms.clone();
        BaseInput::of(&terms).apply(&mut again).unwrap();
        assert_eq!(again, terms);
    }

    #[test]
    fn a_wrong_rule_is_named() {
        for bad in ["prod_a", "prod_a 101%", "prod_a -1 usd", "prod_a 5", "prod_a 0.001 usd"] {
            let words = product_rules(std::iter::once(bad)).unwrap_err();
            assert!(words.contains("prod_a"), "{words}");
        }
        let mut terms = Terms::percent_for_life(Rate::parse_percent("20%").unwrap());
        terms.products = product_rules("prod_a 1%\nprod_a 2%".lines()).unwrap();
        assert!(terms.check().unwrap_err().to_string().contains("stands twice"));
        terms.products = product_rules(["pröd 1%"].into_iter()).unwrap();
        assert!(terms.check().is_err());
    }
}
