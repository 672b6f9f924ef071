//! The task that makes the deliveries.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::queue::Delivery;
use super::sign;
use crate::clock::wall_seconds;
use crate::params;
use crate::shared::{Shared, WorldKey};

/// Deliveries under way at the same time.
const MAX_IN_FLIGHT: usize = 8;
/// The task looks again at least this often.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);

/// Runs until the sandbox shuts down.
pub async fn run(shared: Arc<Shared>) {
    let permits = Arc::new(Semaphore::new(MAX_IN_FLIGHT));
    let mut stop = shared.stopped();
    loop {
        let (jobs, next_due) = due(&shared, permits.available_permits());
        for job in jobs {
            let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
            let shared = Arc::clone(&shared);
            tokio::spawn(async move {
                make(&shared, job).await;
                drop(permit);
                shared.wake.notify_one();
            });
        }
        let latest = Instant::now() + LONGEST_SLEEP;
        // A delivery that is due but finds no permit waits for the wake-up of one that ends.
        let until = match next_due {
            Some(due) if permits.available_permits() > 0 => due.min(latest),
            _ => latest,
        };
        tokio::select! {
            () = shared.wake.notified() => {}
            () = tokio::time::sleep_until(until) => {}
            _ = stop.changed() => return,
        }
    }
}

struct Job {
    world: WorldKey,
    number: u64,
    delivery: Delivery,
    /// Address and secret, `None` if the endpoint is gone.
    target: Option<(String, String)>,
}

fn due(shared: &Shared, mut free: usize) -> (Vec<Job>, Option<Instant>) {
    let now = Instant::now();
    let mut jobs = Vec::new();
    let mut next = None;
    let mut worlds = shared.worlds();
    crate::oauth::route_connect(shared, &mut worlds);
    for (key, world) in worlds.iter_mut() {
        for (number, delivery) in world.queue.take(now, free) {
            free = free.saturating_sub(1);
            let target = world.get("webhook_endpoint", &delivery.endpoint).and_then(|e| {
                let secret = world.secrets.get(&delivery.endpoint)?.clone();
                Some((params::owned(e, "url")?, secret))
            });
            jobs.push(Job { world: key.clone(), number, delivery, target });
        }
        next = [next, world.queue.next_due()].into_iter().flatten().min();
    }
    (jobs, next)
}

async fn make(shared: &Shared, job: Job) {
    let Some((url, secret)) = job.target.filter(|(url, _)| shared.reaches(url)) else {
        shared.with(&job.world, |world| world.queue.abandon(job.number));
        return;
    };
    let signature = sign::header(&secret, wall_seconds(), job.delivery.body.as_bytes());
    let sent = shared
        .client
        .post(&url)
        .timeout(shared.config.deliver_retries.timeout)
        .header("content-type", "application/json; charset=utf-8")
        .header("user-agent", "Stripe/1.0 (+https://stripe.com/docs/webhooks)")
        .header("stripe-signature", signature)
        .body(job.delivery.body.as_bytes().to_vec())
        .send()
        .await;
    let accepted = match sent {
        Ok(answer) => answer.status().is_success(),
        Err(error) => {
            tracing::debug!(%error, %url, "a delivery failed");
            false
        }
    };
    shared.with(&job.world, |world| {
        if world.queue.ended(job.number, accepted, &shared.config.deliver_retries) {
            let pending = world.queue.pending(&job.delivery.event);
            // An event of a connected account lies in that account's world.
            if world.get("event", &job.delivery.event).is_none() {
                return;
            }
            if let Err(error) = world.set("event", &job.delivery.event, "pending_webhooks", json!(pending)) {
                tracing::error!(?error, "a delivered event is not kept");
            }
        }
    });
}

/// The sandbox talks to this machine only: an endpoint elsewhere can be registered, but gets nothing.
pub fn is_loopback(url: &str) -> bool {
    let Ok(url) = url::Url::parse(url) else { return false };
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(ip)) => IpAddr::from(ip).is_loopback(),
        Some(url::Host::Ipv6(ip)) => IpAddr::from(ip).is_loopback(),
        None => false,
    }
}
