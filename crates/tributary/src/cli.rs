//! What can be typed.

use crate::config::SETTINGS;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::net::SocketAddr;
use std::path::PathBuf;

/// Affiliate and refer-a-friend programs on your own server, reconciled with Stripe to the cent.
#[derive(Debug, Parser)]
#[command(
    version,
    disable_help_subcommand = true,
    after_help = "Exit codes: 0 ok, 1 problems found, 2 usage, 3 unavailable. --help lists the settings.", after_long_help = settings()
)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Print JSON alone on the standard output, the rest on the standard error.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// The configuration file; else tributary.toml here, if there is one.
    #[arg(long, global = true, env = "TRIBUTARY_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

/// Exit codes and settings, for `--help`.
fn settings() -> String {
    let mut text = "Exit codes: 0 ok, 1 problems found, 2 usage, 3 unavailable.\n\n\
         Settings, by the environment or by these keys of tributary.toml:"
        .to_owned();
    for setting in SETTINGS {
        let default = setting.default.map(|default| format!(" [{default}]")).unwrap_or_default();
        text.push_str(&format!("\n  {} ({})\n      {}{default}", setting.env, setting.key, setting.help));
    }
    text
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the server.
    Serve,
    /// Run a stand-in for Stripe with a demo shop on this machine, or talk to one.
    Sandbox(SandboxArgs),
    /// Bring the database's schema to this version.
    Migrate,
    /// Make the workspace with its owner, if there is none, and a program with an API key.
    Setup(SetupArgs),
    /// Work with Stripe connections.
    #[command(subcommand)]
    Stripe(StripeCommand),
    /// Derive everything again from the sources; it must find nothing to post.
    Replay(ReplayArgs),
    /// Compare every paid invoice, charge, refund and dispute of a period with Stripe's own lists.
    Reconcile(ReconcileArgs),
    /// Say why a sale earned what it earned: any id of it, or a commission's.
    Explain {
        /// A commission, a sale, or any Stripe id of it: ch_…, in_…, pi_…, cs_….
        id: String,
    },
    /// Check the ledger's invariants, and the counters that pages read.
    Verify {
        /// Count the counters anew from the rows first.
        #[arg(long)]
        rebuild: bool,
        /// Digest and balances as of an instant: a date (its end, UTC), a time such as 2026-03-31T12:00:00Z, or
        /// milliseconds since 1970.
        #[arg(long, value_name = "T", value_parser = as_of, allow_hyphen_values = true)]
        as_of: Option<i64>,
    },
    /// Erase a person: what says who it was goes, what was sold and earned stays.
    Erase(EraseArgs),
    /// Work with the database as a whole.
    #[command(subcommand)]
    Db(DbCommand),
    /// Look at configuration, database and Stripe connections, and change nothing.
    Doctor {
        /// Walk the checklist of docs/STRIPE.md as well: which steps each connection has proven, and what is next.
        #[arg(long)]
        checklist: bool,
    },
    /// Give a user a new password, where the old one is lost. Ends all of the user's sessions.
    Password {
        /// The e-mail address with which the user logs in.
        #[arg(long)]
        email: String,
        /// The new password comes by the standard input.
        #[arg(long, required = true)]
        password_stdin: bool,
    },
    /// Print the description of the REST API.
    #[command(hide = true)]
    Openapi,
}

/// Kinds of programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// Partners refer customers.
    Affiliate,
    /// Customers refer friends.
    ReferAFriend,
}

impl Kind {
    /// As it is stored.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Affiliate => "affiliate",
            Self::ReferAFriend => "refer_a_friend",
        }
    }
}

/// `replay`
#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    /// Put what was derived in the place of what is used, and post the difference as new journals.
    #[arg(long)]
    pub(crate) apply: bool,
    /// Replay the whole installation into this empty database (sqlite:PATH or postgres://…) and leave the other as
    /// it is.
    #[arg(long, value_name = "URL", conflicts_with = "apply")]
    pub(crate) into: Option<String>,
}

/// `db …`
#[derive(Debug, Subcommand)]
pub(crate) enum DbCommand {
    /// Copy the whole installation, row by row, into an empty database of either kind. Stop the server first. A copy that
    /// was cut off goes on where it stopped.
    Copy {
        /// The empty database: sqlite:PATH or postgres://….
        #[arg(long, value_name = "URL")]
        to: String,
    },
}

/// `erase`
#[derive(Debug, Args)]
pub(crate) struct EraseArgs {
    /// A customer by key or id.
    #[arg(long, value_name = "KEY")]
    pub(crate) customer: Option<String>,
    /// Whoever has this e-mail address.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) email: Option<String>,
    /// A Stripe customer.
    #[arg(long, value_name = "ID")]
    pub(crate) stripe_customer: Option<String>,
    /// It cannot be undone.
    #[arg(long)]
    pub(crate) for_good: bool,
    /// Rewrite the database afterwards, so that its free pages hold nothing old. Others wait meanwhile.
    #[arg(long)]
    pub(crate) compact: bool,
}

/// `setup`
#[derive(Debug, Args)]
pub(crate) struct SetupArgs {
    /// The owner's e-mail address; of a user, if there is a workspace.
    #[arg(long)]
    pub(crate) email: String,
    /// The password comes by the standard input.
    #[arg(long, required = true)]
    pub(crate) password_stdin: bool,
    /// The program's name, such as "AcmeWorks partners".
    #[arg(long, value_name = "NAME")]
    pub(crate) program: String,
    /// Who refers.
    #[arg(long, value_enum, default_value = "affiliate")]
    pub(crate) kind: Kind,
    /// The program's default currency, three letters.
    #[arg(long, default_value = "usd")]
    pub(crate) currency: String,
    /// The site that is sold on.
    #[arg(long, value_name = "URL")]
    pub(crate) website: String,
    /// A host of payment links besides buy.stripe.com, such as pay.example.com; may be given again.
    #[arg(long, value_name = "HOST")]
    pub(crate) payment_host: Vec<String>,
    /// What a sale earns: a share such as 30%, or an amount such as "5.00 usd".
    #[arg(long, value_name = "REWARD")]
    pub(crate) commission: String,
    /// Which sales of a customer earn: lifetime, once, N-sales or N-months.
    #[arg(long, default_value = "lifetime")]
    pub(crate) duration: String,
    /// Days before a commission becomes payable, 0 to 730.
    #[arg(long, default_value_t = 30, value_name = "N")]
    pub(crate) hold_days: u32,
    /// Tax counts: it is part of what a share is taken of.
    #[arg(long)]
    pub(crate) include_tax: bool,
    /// Shipping counts.
    #[arg(long)]
    pub(crate) include_shipping: bool,
    /// What Stripe keeps of a payment does not count.
    #[arg(long)]
    pub(crate) exclude_fee: bool,
    /// What was paid outside of Stripe does not count.
    #[arg(long)]
    pub(crate) exclude_off_stripe: bool,
    /// A product that earns something else, such as prod_123=10%, prod_123="5.00 usd" or prod_123=nothing; may be
    /// given again.
    #[arg(long, value_name = "PRODUCT=REWARD")]
    pub(crate) product: Vec<String>,
    /// Do not recognise customers by their e-mail address.
    #[arg(long)]
    pub(crate) no_match_email: bool,
}

/// `stripe …`
#[derive(Debug, Subcommand)]
pub(crate) enum StripeCommand {
    /// Connect a Stripe account by API key and feed a program from it.
    Connect(ConnectArgs),
    /// Read the past: events that may have been missed, or the whole history of an account. Safe to repeat.
    Backfill(BackfillArgs),
}

/// `stripe backfill`
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("of").required(true).args(["program", "connection"]))]
pub(crate) struct BackfillArgs {
    /// The program's public id: its connections in the mode that it shows.
    #[arg(long, value_name = "ID")]
    pub(crate) program: Option<String>,
    /// One connection, con_….
    #[arg(long, value_name = "ID")]
    pub(crate) connection: Option<String>,
    /// From when: a date such as 2026-01-31 (UTC), or a time such as 2026-01-31T12:00:00Z.
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub(crate) since: Option<i64>,
    /// Read events again; Stripe keeps 30 days. The usual way, unless --since is older.
    #[arg(long, conflicts_with = "objects")]
    pub(crate) events: bool,
    /// Read the account's objects: its history, however old.
    #[arg(long)]
    pub(crate) objects: bool,
}

/// `reconcile`
#[derive(Debug, Args)]
pub(crate) struct ReconcileArgs {
    /// The program's public id.
    #[arg(long, value_name = "ID")]
    pub(crate) program: String,
    /// The first day, such as 2026-01-01 (UTC), or a time.
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub(crate) from: i64,
    /// The last day, which belongs to the period (UTC), or a time, which does not.
    #[arg(long, value_name = "TIME", value_parser = end)]
    pub(crate) to: i64,
    /// Fetch what is missing or different, and compare again.
    #[arg(long)]
    pub(crate) heal: bool,
    /// Lines that are printed at most, 1 to 10000; what needs a person comes first.
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) limit: u32,
}

/// Reads a day or a time; a day is its beginning in UTC. ms UTC.
fn instant(text: &str) -> Result<i64, String> {
    let day = |date: jiff::civil::Date| date.to_zoned(jiff::tz::TimeZone::UTC).ok();
    let at = match text.parse::<jiff::civil::Date>() {
        Ok(date) if text.len() == 10 => day(date).map(|at| at.timestamp()),
        _ => text.parse::<jiff::Timestamp>().ok(),
    };
    let ms = at.map(|at| at.as_millisecond()).filter(|ms| *ms >= 0);
    ms.ok_or_else(|| {
        "write a day such as 2026-01-31, or a time such as 2026-01-31T12:00:00Z, from 1970 on".to_owned()
    })
}

/// The same for an end: a day belongs to it whole.
fn end(text: &str) -> Result<i64, String> {
    let at = instant(text)?;
    Ok(if text.len() == 10 { at.saturating_add(86_400_000) } else { at })
}

/// `stripe connect`
#[derive(Debug, Args)]
pub(crate) struct ConnectArgs {
    /// The program's public id, 8 capital letters and digits.
    #[arg(long, value_name = "ID")]
    pub(crate) program: String,
    /// The API key comes by the standard input; a restricted key (rk_…) is best.
    #[arg(long, required = true)]
    pub(crate) api_key_stdin: bool,
    /// The signing secret of an endpoint that you made yourself comes by the standard input.
    #[arg(long)]
    pub(crate) webhook_secret_stdin: bool,
    /// Where Stripe's API is; else as configured.
    #[arg(long, value_name = "URL")]
    pub(crate) api_base: Option<String>,
    /// Poll for events and make no endpoint.
    #[arg(long, conflicts_with = "webhook_secret_stdin")]
    pub(crate) poll: bool,
}

/// `sandbox …`
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct SandboxArgs {
    /// Talk to a running sandbox instead of starting one.
    #[command(subcommand)]
    pub(crate) command: Option<SandboxCommand>,
    /// Where to listen; a loopback address, port 0 for a free one.
    #[arg(long, default_value = "127.0.0.1:8788")]
    pub(crate) listen: SocketAddr,
    /// The same seed and the same requests give the same ids.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Open a demo shop that listens here; a loopback address, port 0 for a free one.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) shop_listen: Option<SocketAddr>,
    /// Where visitors find the shop, such as http://shop.test; else http://localhost with the shop's port.
    #[arg(long, value_name = "URL", requires = "shop_listen")]
    pub(crate) shop_url: Option<String>,
    /// Where buyers find the hosted pay pages, such as http://pay.test; else where the sandbox listens.
    #[arg(long, value_name = "URL")]
    pub(crate) pay_url: Option<String>,
    /// A name that means an address of this machine, for webhooks and the shop's server; may be given again.
    #[arg(long, value_name = "NAME=ADDRESS", value_parser = resolved)]
    pub(crate) resolve: Vec<(String, SocketAddr)>,
}

/// Reads an instant as ms UTC: `2026-03-31` (to its end), `2026-03-31T12:00:00Z`, or milliseconds since 1970.
fn as_of(text: &str) -> Result<i64, String> {
    tributary_server::clock::instant(text).ok_or_else(|| {
        format!("{text:?} is no instant: write 2026-03-31, 2026-03-31T12:00:00Z or milliseconds since 1970")
    })
}

/// Reads `tributary.test=127.0.0.1:8787`.
fn resolved(text: &str) -> Result<(String, SocketAddr), String> {
    let (name, address) = text.split_once('=').ok_or("write it as tributary.test=127.0.0.1:8787")?;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    if name.is_empty() || !name.chars().all(plain) {
        return Err(format!("{name:?} is not the name of a host"));
    }
    let address =
        address.parse().map_err(|_| format!("{address:?} is not an address such as 127.0.0.1:8787"))?;
    Ok((name.to_ascii_lowercase(), address))
}

/// What a running sandbox can be asked.
#[derive(Debug, Subcommand)]
pub(crate) enum SandboxCommand {
    /// Play a story by name against a running Tributary.
    Play(PlayArgs),
    /// Show counts, deliveries and violations.
    State {
        /// Where the sandbox listens.
        #[arg(long, default_value = "http://127.0.0.1:8788", value_name = "URL")]
        sandbox: String,
    },
}

/// `sandbox play`
#[derive(Debug, Args)]
pub(crate) struct PlayArgs {
    /// The story; `demo` is the one of bin/demo.
    pub(crate) story: String,
    /// Where the sandbox listens.
    #[arg(long, default_value = "http://127.0.0.1:8788", value_name = "URL")]
    pub(crate) sandbox: String,
    /// Where Tributary listens.
    #[arg(long, default_value = "http://127.0.0.1:8787", value_name = "URL")]
    pub(crate) tributary: String,
    /// The program's API key comes by the standard input.
    #[arg(long, required = true)]
    pub(crate) api_key_stdin: bool,
    /// The partner who refers the story's buyers.
    #[arg(long, value_name = "KEY")]
    pub(crate) partner_key: Option<String>,
    /// The currency of the prices.
    #[arg(long, default_value = "usd")]
    pub(crate) currency: String,
    /// Deliver the events in another order.
    #[arg(long)]
    pub(crate) shuffle: bool,
    /// Deliver every event twice.
    #[arg(long)]
    pub(crate) duplicate: bool,
}
