//! Checking what was typed before anything is made.

use crate::cli::{Kind, SetupArgs};
use crate::failure::Failure;
use tributary_domain::money::Currency;
use tributary_domain::terms::Terms;
use tributary_server::setup::{base, checks, reward};
use url::Url;

/// Checked input.
#[derive(Debug)]
pub(super) struct Input {
    /// Lower case.
    pub(super) email: String,
    pub(super) program: String,
    pub(super) kind: Kind,
    pub(super) currency: Currency,
    pub(super) website: Url,
    pub(super) match_email: bool,
    /// Lower case, besides Stripe's own.
    pub(super) payment_hosts: Vec<String>,
    pub(super) terms: Terms,
}

impl Input {
    pub(super) fn read(args: &SetupArgs) -> Result<Self, Failure> {
        let terms = Terms {
            reward: reward::reward(&args.commission)
                .map_err(|e| Failure::usage(format!("--commission: {e}.")))?,
            duration: reward::duration(&args.duration)
                .map_err(|e| Failure::usage(format!("--duration: {e}.")))?,
            hold_days: args.hold_days,
            exclude_shipping: !args.include_shipping,
            include_tax: args.include_tax,
            exclude_fee: args.exclude_fee,
            exclude_off_stripe: args.exclude_off_stripe,
            products: base::product_rules(args.product.iter().map(String::as_str))
                .map_err(|e| Failure::usage(format!("--product: {e}.")))?,
            minimum: None,
            cap: None,
        };
        terms.check().map_err(|e| Failure::usage(format!("The terms: {e}.")))?;
        Ok(Self {
            email: checks::email(&args.email).map_err(named("--email"))?,
            program: checks::name(&args.program).map_err(named("--program"))?,
            kind: args.kind,
            currency: reward::known(&args.currency)
                .map_err(|e| Failure::usage(format!("--currency: {e}.")))?,
            website: checks::website(&args.website).map_err(named("--website"))?,
            match_email: !args.no_match_email,
            payment_hosts: args.payment_host.iter().map(|h| host(h)).collect::<Result<_, _>>()?,
            terms,
        })
    }

    /// The site's host, without `www.`.
    pub(super) fn workspace_name(&self) -> String {
        let host = self.website.host_str().unwrap_or("workspace");
        host.strip_prefix("www.").unwrap_or(host).to_owned()
    }
}

/// A host, with its port where it has one, as a link's address shows it.
fn host(text: &str) -> Result<String, Failure> {
    let host = text.trim().to_ascii_lowercase();
    let plain = host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.:".contains(&b));
    let whole = Url::parse(&format!("https://{host}/")).is_ok_and(|url| url.host_str().is_some());
    if host.is_empty() || !plain || !whole {
        return Err(Failure::usage(format!(
            "--payment-host: {text:?} is not a host, such as pay.example.com or 127.0.0.1:8788."
        )));
    }
    Ok(host)
}

/// A sentence with the flag that it speaks of in front.
fn named(flag: &'static str) -> impl Fn(String) -> Failure {
    move |words| Failure::usage(format!("{flag}: {words}"))
}
