//! Asking Stripe for the next page of a run.

use super::steps::{Kind, Step};
use tributary_store::imports::Run;
use tributary_stripe::client::{ApiError, EventsPage, EventsQuery, ListPage, ListQuery, StripeClient};
use tributary_stripe::lists::List;

/// Pages of one list at most: five million objects.
const PAGES: i64 = 50_000;
/// Undelivered events are looked for so far behind the cursor, ms: Stripe tries for three days.
const UNDELIVERED_MS: i64 = 3 * 86_400_000;
/// A session, or what joins an invoice, is older than the payment that it names by at most this, s.
const OLDER_S: i64 = 90_000;
/// An invoice is compared that was made at most so long before the period in which it was paid, s: three months.
const INVOICE_OLDER_S: i64 = 92 * 86_400;

/// One page as it came.
pub(super) enum Page {
    Events(EventsPage),
    Objects { list: List, page: ListPage },
}

/// A page, and where the next one begins.
pub(super) struct Read {
    pub(super) page: Page,
    pub(super) next: Option<String>,
}

/// Reads the page after the run's cursor.
pub(super) async fn read(client: &StripeClient, run: &Run, step: Step) -> Result<Read, ApiError> {
    let number = usize::try_from(run.pages).unwrap_or(0).saturating_add(1);
    if run.pages >= PAGES {
        let reason = "it has more pages than are read in one go";
        return Err(ApiError::EndlessList { path: step.words().to_owned(), page: number, reason });
    }
    let after = Some(run.cursor.as_str()).filter(|cursor| !cursor.is_empty());
    match step {
        Step::Events(group) => events(client, run.since_at, after, group, None, number).await,
        Step::Undelivered(group) => {
            let since = run.since_at.saturating_sub(UNDELIVERED_MS);
            events(client, since, after, group, Some(false), number).await
        }
        Step::List(list) => {
            let query = ListQuery {
                list,
                created_gte_s: since_s(run, list),
                created_lt_s: (Kind::of(run) == Kind::Reconcile).then(|| run.until_at.div_euclid(1000)),
                starting_after: after,
            };
            let page = client.list_page(&query).await?;
            let next = page.next(&query, number)?;
            Ok(Read { page: Page::Objects { list, page }, next })
        }
    }
}

/// From when a list is read: what names a payment may be older than the payment.
fn since_s(run: &Run, list: List) -> Option<i64> {
    let since = (run.since_at > 0).then(|| run.since_at.div_euclid(1000))?;
    let older = match (Kind::of(run), list) {
        // Who bought may be a customer since long, and says by metadata who referred it.
        (Kind::Objects, List::Customers) => return None,
        (Kind::Objects, List::Sessions | List::Invoices | List::InvoicePayments) => OLDER_S,
        // An invoice counts when it is paid, which may be long after it was made; Stripe lists by when it was made.
        (Kind::Reconcile, List::Invoices) => INVOICE_OLDER_S,
        _ => 0,
    };
    Some(since.saturating_sub(older).max(0))
}

async fn events(
    client: &StripeClient,
    since_at: i64,
    after: Option<&str>,
    group: usize,
    delivery_success: Option<bool>,
    number: usize,
) -> Result<Read, ApiError> {
    let types = Step::types(group);
    let query = EventsQuery {
        types: &types,
        created_gte_s: Some(since_at.max(0).div_euclid(1000)),
        starting_after: after,
        delivery_success,
        ..EventsQuery::default()
    };
    let page = client.events(&query).await?;
    let ids = page.events.iter().map(|event| event.envelope.id.as_str());
    let path = || "/v1/events".to_owned();
    if after.is_some_and(|after| ids.clone().any(|id| id == after)) {
        let reason = "the same page came again";
        return Err(ApiError::EndlessList { path: path(), page: number, reason });
    }
    let next = match (page.has_more, ids.last()) {
        (false, _) => None,
        (true, Some(last)) => Some(last.to_owned()),
        (true, None) => {
            let reason = "the page is empty, but says that there is more";
            return Err(ApiError::EndlessList { path: path(), page: number, reason });
        }
    };
    Ok(Read { page: Page::Events(page), next })
}
