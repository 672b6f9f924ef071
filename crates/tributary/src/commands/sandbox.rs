//! `tributary sandbox`

mod client;

use crate::cli::{PlayArgs, SandboxArgs, SandboxCommand};
use crate::failure::{Exit, Failure, sentence};
use crate::output::Output;
use crate::secrets;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tributary_sandbox::{Config, Error, ShopConfig, Violation};

pub(super) async fn run(args: SandboxArgs, out: &Output) -> Result<Exit, Failure> {
    match args.command {
        None => serve(config(args), out).await,
        Some(SandboxCommand::Play(play)) => self::play(play, out).await,
        Some(SandboxCommand::State { sandbox }) => state(&sandbox, out).await,
    }
}

fn config(args: SandboxArgs) -> Config {
    let SandboxArgs { listen, seed, shop_listen, shop_url, pay_url, resolve, .. } = args;
    let shop = shop_listen.map(|listen| ShopConfig { listen, url: shop_url });
    Config { listen, seed, shop, pay_url, resolve: resolve.into_iter().collect(), ..Config::default() }
}

/// Serves until it is told to stop; violations of Stripe's document make it end with 1.
async fn serve(config: Config, out: &Output) -> Result<Exit, Failure> {
    let mut running = tributary_sandbox::start(config).await.map_err(|e| failure(&e))?;
    let url = running.base_url().to_owned();
    let mut about = json!({ "url": url, "pid": std::process::id(), "pay_url": running.pay_url() });
    let mut shop_line = String::new();
    if let Some((listen, shop_url)) = running.shop() {
        about["shop_url"] = json!(shop_url);
        about["shop_listen"] = json!(listen.to_string());
        shop_line = format!("The demo shop is at {shop_url}, its settings at {shop_url}/settings.\n");
    }
    out.answer(&about, |_| {
        format!(
            "The sandbox listens at {url}. Any key such as rk_test_demo1234 works.\n{shop_line}\
             Connect it with TRIBUTARY_STRIPE_API_BASE={url}. Ctrl-C stops it."
        )
    })?;
    super::serve::stop_signal().await;
    running.shutdown();
    running.join().await.map_err(|e| failure(&e))?;
    let violations = running.violations();
    for Violation { side, route, detail, .. } in &violations {
        out.say(&format!("Against Stripe's document: {side}, {route}: {detail}"));
    }
    // The process ends here: to take a long history apart, object by object, would only hold it up.
    std::mem::forget(running);
    Ok(if violations.is_empty() { Exit::Ok } else { Exit::Problems })
}

fn failure(error: &Error) -> Failure {
    let message = sentence(&error.to_string());
    match error {
        Error::NotLoopback(_) | Error::Address(_) => Failure::usage(message),
        Error::Listen { .. } => Failure::unavailable(format!("{message} Choose another with --listen.")),
        _ => Failure::unavailable(message),
    }
}

async fn play(args: PlayArgs, out: &Output) -> Result<Exit, Failure> {
    let [api_key] = secrets::read([("--api-key-stdin", args.api_key_stdin)])?;
    let api_key = api_key.ok_or_else(|| Failure::usage("--api-key-stdin is needed."))?;
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if args.story.is_empty() || !args.story.chars().all(plain) {
        return Err(Failure::usage("A story's name has letters, digits and underscores only."));
    }
    let body = json!({
        "tributary_url": args.tributary,
        "api_key": api_key.expose_secret(),
        "partner_key": args.partner_key,
        "currency": args.currency,
        "shuffle": args.shuffle,
        "duplicate": args.duplicate,
    });
    let told = client::post(&args.sandbox, &format!("/_sandbox/stories/{}", args.story), &body).await?;
    let failed = told.get("failed").is_some_and(|failed| !failed.is_null());
    out.answer(&told, story)?;
    let violations = violations(&client::get(&args.sandbox, "/_sandbox/state").await?, out);
    Ok(if failed || violations > 0 { Exit::Problems } else { Exit::Ok })
}

/// The transcript, one step a line.
fn story(told: &Value) -> String {
    let steps = told["steps"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut lines: Vec<String> = steps.iter().map(step).collect();
    if !told["failed"].is_null() {
        lines.push(format!("Failed: {}", told["failed"]));
    }
    lines.push(format!("Deliveries: {}", told["delivery"]));
    lines.join("\n")
}

fn step(step: &Value) -> String {
    step.as_str().map_or_else(|| step.to_string(), str::to_owned)
}

async fn state(sandbox: &str, out: &Output) -> Result<Exit, Failure> {
    let state = client::get(sandbox, "/_sandbox/state").await?;
    out.answer(&state, |state| serde_json::to_string_pretty(state).unwrap_or_default())?;
    Ok(if violations(&state, out) > 0 { Exit::Problems } else { Exit::Ok })
}

/// Says what broke Stripe's document so far, and how much that was.
fn violations(state: &Value, out: &Output) -> u64 {
    for violation in state["violations"].as_array().map(Vec::as_slice).unwrap_or_default() {
        out.say(&format!("Against Stripe's document: {violation}"));
    }
    state["violation_count"].as_u64().unwrap_or(0)
}
