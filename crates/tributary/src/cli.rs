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
    Replay,
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
    },
    /// Look at configuration, database and Stripe connections, and change nothing.
    Doctor,
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
