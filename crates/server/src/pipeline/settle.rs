//! From the sales of a scope to the target of every commission, and on into the ledger.
//!
//! One transaction locks the scope, reads, computes and posts, and notes the generation that it read: a change
//! that came meanwhile raises the generation and is settled next.

use super::post::Poster;
use super::rulings;
use crate::App;
use std::collections::{BTreeSet, HashMap};
use tributary_domain::attribution::{self, Attribution, Evidence, PolicyVersion, policy_at};
use tributary_domain::ids;
use tributary_domain::money::Currency;
use tributary_domain::sale::SaleState;
use tributary_domain::settlement::{self, Prefix, SettleSale, Target};
use tributary_domain::terms::{Duration, TermsVersion};
use tributary_store::pipeline::commissions::{self, Commission};
use tributary_store::pipeline::decisions::Decided;
use tributary_store::pipeline::evidence::{self, EvidenceRow};
use tributary_store::pipeline::people::{self, Customer};
use tributary_store::pipeline::{objects, policies, sales, sales::Sale, scopes};
use tributary_store::{StoreError, Tx, Unit, workspaces};

/// Sales that one transaction settles at most, in one scope.
pub const CHUNK: i64 = 200;
/// The one rule of this version of terms; part of a commission's key.
pub const RULE: &str = "sale";

/// Settles scopes; returns how many journals were posted.
pub struct SettleScopes {
    /// The workspace.
    pub workspace_id: String,
    /// (program, customer), sorted.
    pub scopes: Vec<(String, String)>,
    /// ms UTC.
    pub now: i64,
}

impl Unit for SettleScopes {
    type Out = usize;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<usize, StoreError> {
        let (ws, now) = (&self.workspace_id, self.now);
        tx.remember_settings();
        let mut all = Poster::new(ws, now);
        // Before the scopes, as projecting does: whoever took them the other way round would wait for it crosswise.
        let programs: BTreeSet<&str> =
            self.scopes.iter().map(|(program_id, _)| program_id.as_str()).collect();
        objects::lock_each(tx, ws, &BTreeSet::new(), &programs).await?;
        if let Some(crew) = tx.crew() {
            // What one scope asks for is asked together with what the others ask for.
            let works = self.scopes.iter().map(|(program_id, customer_id)| {
                let mut own = crew.member();
                async move { settle_scope(&mut own, ws, program_id, customer_id, now).await }
            });
            crew.run(works).await?.into_iter().for_each(|poster| all.join(poster));
        } else {
            for (program_id, customer_id) in &self.scopes {
                all.join(settle_scope(tx, ws, program_id, customer_id, now).await?);
            }
        }
        all.flush(tx).await
    }
}

/// Settles one customer's scope to the end, for an answer that must carry its rewards.
///
/// # Errors
/// The database's.
pub async fn settle_customer(
    app: &App,
    workspace_id: &str,
    program_id: &str,
    customer_id: &str,
) -> Result<(), StoreError> {
    let scopes = vec![(program_id.to_owned(), customer_id.to_owned())];
    let unit =
        || SettleScopes { workspace_id: workspace_id.to_owned(), scopes: scopes.clone(), now: app.now() };
    let mut settled = app.db.write(unit()).await;
    if matches!(settled, Err(StoreError::Conflict(_))) {
        // Somebody else has settled the same: what is left of it is seen now.
        settled = app.db.write(unit()).await;
    }
    app.wake.notify_one();
    settled.map(drop)
}

/// What attribution and terms need to know of one scope, read once.
pub struct Scene {
    pub(super) workspace_id: String,
    /// The program.
    pub program_id: String,
    /// The customer.
    pub customer: Customer,
    /// All versions of the terms.
    pub versions: Vec<TermsVersion>,
    /// All versions of the policy.
    pub policy: Vec<PolicyVersion>,
    /// Evidence that speaks for the customer.
    on_customer: Vec<Evidence>,
    /// What is left of it without the buyers that only their e-mail address makes this customer; `None` where it never
    /// matters.
    without_email: Option<Vec<Evidence>>,
    pub(super) partners: HashMap<String, Option<String>>,
    statuses: HashMap<String, Vec<(i64, String)>>,
    decided: bool,
    /// What was decided of the customer, the newest first.
    pub(super) on_whole: Vec<Decided>,
}

impl Scene {
    /// Reads it; `None` if the customer is gone.
    ///
    /// # Errors
    /// The database's.
    pub async fn read(
        tx: &mut Tx<'_>,
        workspace_id: &str,
        program_id: &str,
        customer_id: &str,
    ) -> Result<Option<Self>, StoreError> {
        let Some(customer) = people::find_customer(tx, workspace_id, customer_id).await? else {
            return Ok(None);
        };
        let mut scene = Self {
            workspace_id: workspace_id.to_owned(),
            program_id: program_id.to_owned(),
            versions: workspaces::list_terms(tx, workspace_id, program_id).await?,
            policy: policies::list(tx, workspace_id, program_id).await?,
            decided: commissions::any_decision(tx, workspace_id, program_id).await?,
            on_customer: Vec::new(),
            without_email: None,
            on_whole: Vec::new(),
            partners: HashMap::new(),
            statuses: HashMap::new(),
            customer,
        };
        (scene.on_customer, scene.without_email) = scene.customer_evidence(tx).await?;
        if scene.decided {
            scene.on_whole = rulings::on_customer(tx, workspace_id, &scene.customer).await?;
        }
        Ok(Some(scene))
    }

    /// Evidence that speaks for the customer in a sale of an instant (ms UTC): a buyer that only its address makes this
    /// customer speaks where addresses are matched.
    #[must_use]
    pub fn on_customer_at(&self, at: i64) -> &[Evidence] {
        match &self.without_email {
            Some(rest) if !policy_at(&self.policy, at).match_email => rest,
            _ => &self.on_customer,
        }
    }

    /// The same, by the last version of the policy.
    #[must_use]
    pub fn on_customer_now(&self) -> &[Evidence] {
        self.on_customer_at(i64::MAX)
    }

    /// What of the evidence decides; where it changes, every sale is attributed anew.
    fn fingerprint(&self) -> String {
        let all = attribution::fingerprint(&self.on_customer);
        match &self.without_email {
            Some(rest) => format!("{all} | {}", attribution::fingerprint(rest)),
            None => all,
        }
    }

    /// Was the partner out of the program at an instant (ms UTC)?
    async fn out_at(&mut self, tx: &mut Tx<'_>, partner_id: &str, at: i64) -> Result<bool, StoreError> {
        if !self.statuses.contains_key(partner_id) {
            let versions = people::partner_statuses(tx, &self.workspace_id, partner_id).await?;
            self.statuses.insert(partner_id.to_owned(), versions);
        }
        let status = self.statuses.get(partner_id).and_then(|versions| {
            versions.iter().rfind(|(from, _)| *from <= at).map(|(_, status)| status.as_str())
        });
        Ok(matches!(status, Some("suspended" | "archived" | "deleted")))
    }

    /// Who brought a sale, and why.
    ///
    /// # Errors
    /// The database's.
    pub async fn attribute(
        &mut self,
        tx: &mut Tx<'_>,
        sale: &Sale,
        on_sale: &[EvidenceRow],
    ) -> Result<(Attribution, SettleSale), StoreError> {
        let pieces = self.sale_evidence(tx, sale, on_sale).await?;
        let (mut voided, mut ruling) = (false, None);
        if self.decided {
            for (kind, _) in commissions::decisions_on(tx, &self.workspace_id, &sale.sale_id).await? {
                match kind.as_str() {
                    "void" => voided = true,
                    "unvoid" => voided = false,
                    _ => {}
                }
            }
            let place = (&*self.workspace_id, &*self.program_id);
            ruling = rulings::of_sale(tx, place, &sale.sale_id, &self.on_whole, sale.occurred_at).await?;
        }
        // What Stripe says of a customer after it was deleted changes nothing more.
        voided |= self.customer.deleted_at.is_some_and(|at| sale.occurred_at > at);
        let policy = policy_at(&self.policy, sale.occurred_at);
        let (ruling, at) = (ruling.as_ref(), sale.occurred_at);
        let attribution = attribution::attribute(ruling, &pieces, self.on_customer_at(at), at, &policy);
        let suspended = match &attribution.partner_id {
            Some(partner) => self.out_at(tx, partner, sale.occurred_at).await?,
            None => false,
        };
        let currency = Currency::parse(&sale.currency)
            .map_err(|e| StoreError::Inconsistent(format!("{}: {e}", sale.sale_id)))?;
        let input = SettleSale {
            root_id: sale.root_id.clone(),
            occurred_at: sale.occurred_at,
            currency,
            total: sale.total,
            tax: sale.tax,
            shipping: sale.shipping,
            paid: sale.paid,
            captured: sale.captured,
            refunded: sale.refunded,
            lost: sale.lost,
            detail: serde_json::from_str(&sale.detail)
                .map_err(|e| StoreError::Inconsistent(format!("{}: detail: {e}", sale.sale_id)))?,
            partner_id: attribution.partner_id.clone(),
            suspended,
            archived: self.customer.archived_at(sale.occurred_at),
            rewardable: sale.rewardable,
            fixed_reward: sale.fixed_reward,
            voided,
        };
        Ok((attribution, input))
    }

    /// The greatest N of rules for the first N sales, if any version has one.
    fn first_sales(&self) -> Option<i64> {
        let counts = self.versions.iter().filter_map(|version| match version.terms.duration {
            Duration::FirstSales { count } => Some(i64::from(count)),
            _ => None,
        });
        counts.max()
    }

    /// The places of the customer's first sales, so far as any rule asks: sale id → number of sales before it.
    ///
    /// # Errors
    /// The database's.
    pub async fn places(&mut self, tx: &mut Tx<'_>, extra: i64) -> Result<Places, StoreError> {
        let (ws, program, customer) = (&self.workspace_id, &self.program_id, &self.customer.customer_id);
        let first_at = sales::first_paid_at(tx, ws, program, customer).await?;
        let mut places = Places { first_at, before: HashMap::new(), beyond: 0 };
        let Some(count) = self.first_sales() else { return Ok(places) };
        let limit = count.saturating_add(extra);
        let firsts = sales::paid_from_start(tx, ws, program, customer, limit).await?;
        for sale in firsts {
            let voided = self.decided && {
                let decisions = commissions::decisions_on(tx, &self.workspace_id, &sale.sale_id).await?;
                decisions.iter().rfind(|(kind, _)| kind.ends_with("void")).is_some_and(|d| d.0 == "void")
            };
            places.before.insert(sale.sale_id.clone(), places.beyond);
            if !voided {
                places.beyond = places.beyond.saturating_add(1);
            }
        }
        Ok(places)
    }
}

/// What comes before a customer's sales.
pub struct Places {
    /// The customer's first sale, ms UTC.
    pub first_at: Option<i64>,
    before: HashMap<String, u32>,
    beyond: u32,
}

impl Places {
    /// What comes before one sale.
    #[must_use]
    pub fn prefix(&self, sale: &Sale) -> Prefix {
        let count = self.before.get(&sale.sale_id).copied().unwrap_or(self.beyond);
        Prefix { count, first_at: self.first_at.filter(|first| *first <= sale.occurred_at) }
    }
}

/// Settles one scope. Returns what is to be posted, in the same transaction.
async fn settle_scope(
    tx: &mut Tx<'_>,
    ws: &str,
    program_id: &str,
    customer_id: &str,
    now: i64,
) -> Result<Poster, StoreError> {
    let Some(mut scope) = scopes::lock(tx, ws, program_id, customer_id).await? else {
        return Ok(Poster::new(ws, now));
    };
    let Some(mut scene) = Scene::read(tx, ws, program_id, customer_id).await? else {
        // The customer was born of a purchase and is somebody else now; its sales have moved.
        scopes::settled(tx, ws, &scope, true).await?;
        return Ok(Poster::new(ws, now));
    };
    let fixed_by = Some(scene.fingerprint());
    note_partner(tx, &mut scene).await?;
    let places = scene.places(tx, CHUNK).await?;
    let first_at = places.first_at;
    let months = scene.versions.iter().any(|v| matches!(v.terms.duration, Duration::Months { .. }));
    let whole = scope.whole || scope.fixed_by != fixed_by || (months && scope.first_at != first_at);
    if whole {
        sales::unsettle_scope(tx, ws, program_id, customer_id).await?;
    }
    (scope.fixed_by, scope.first_at) = (fixed_by, first_at);
    let mut batch = sales::unsettled(tx, ws, program_id, customer_id, CHUNK).await?;
    let finished = batch.len() < usize::try_from(CHUNK).unwrap_or(usize::MAX);
    add_shifted(tx, &scene, &mut batch).await?;
    let poster = settle_sales(tx, &mut scene, &places, &batch, now).await?;
    scopes::settled(tx, ws, &scope, finished).await?;
    Ok(poster)
}

/// Writes the partner that a customer's evidence fixes, where nobody else said which partner it has.
async fn note_partner(tx: &mut Tx<'_>, scene: &mut Scene) -> Result<(), StoreError> {
    let found = attribution::fixing(scene.on_customer_now()).and_then(|piece| piece.partner_id.clone());
    if !scene.customer.is_derived() || scene.customer.partner_id == found {
        return Ok(());
    }
    // The program is locked, so no call changes the customer meanwhile.
    people::set_found_partner(tx, &scene.workspace_id, &scene.customer, found.as_deref()).await?;
    scene.customer.partner_id = found;
    Ok(())
}

/// Where the first N sales earn, a sale that comes in front shifts those behind it over the edge.
async fn add_shifted(tx: &mut Tx<'_>, scene: &Scene, batch: &mut Vec<Sale>) -> Result<(), StoreError> {
    let Some(count) = scene.first_sales() else { return Ok(()) };
    let (ws, program, customer) = (&scene.workspace_id, &scene.program_id, &scene.customer.customer_id);
    let limit = count.saturating_add(CHUNK);
    let firsts = sales::paid_from_start(tx, ws, program, customer, limit).await?;
    let known: std::collections::HashSet<String> = batch.iter().map(|sale| sale.sale_id.clone()).collect();
    batch.extend(firsts.into_iter().filter(|sale| !known.contains(&sale.sale_id)));
    Ok(())
}

async fn settle_sales(
    tx: &mut Tx<'_>,
    scene: &mut Scene,
    places: &Places,
    batch: &[Sale],
    now: i64,
) -> Result<Poster, StoreError> {
    let ws = scene.workspace_id.clone();
    let ids: Vec<String> = batch.iter().map(|sale| sale.sale_id.clone()).collect();
    let evidence = evidence::of_sales(tx, &ws, &ids).await?;
    let existing = commissions::of_sales(tx, &ws, &ids).await?;
    let mut poster = Poster::new(&ws, now);
    let mut outcomes: Vec<(&str, String)> = Vec::with_capacity(batch.len());
    for ((sale, evidence), existing) in batch.iter().zip(evidence).zip(existing) {
        let rows: Vec<EvidenceRow> = evidence.into_iter().map(|(row, _)| row).collect();
        let target = target_of(tx, scene, places, sale, &rows).await?;
        let outcome = target.as_ref().map_or_else(|| sale.state.clone(), outcome_text);
        if sale.awaiting_since.is_none() && target.as_ref().is_some_and(lacks) {
            super::project::ask_again(tx, &ws, sale, now).await?;
        }
        apply(&mut poster, scene, sale, existing, target)?;
        outcomes.push((&sale.sale_id, outcome));
    }
    let outcomes: Vec<(&str, &str)> = outcomes.iter().map(|(id, outcome)| (*id, outcome.as_str())).collect();
    sales::set_settled(tx, &ws, &outcomes, now).await?;
    Ok(poster)
}

/// Must Stripe be asked before the terms can be applied?
const fn lacks(target: &Target) -> bool {
    use settlement::Outcome::{AwaitingFee, AwaitingLines, AwaitingOffStripe};
    matches!(target.outcome, AwaitingFee | AwaitingLines | AwaitingOffStripe)
}

/// The target of one sale; `None` for one that is no sale (not paid, merged).
async fn target_of(
    tx: &mut Tx<'_>,
    scene: &mut Scene,
    places: &Places,
    sale: &Sale,
    evidence: &[EvidenceRow],
) -> Result<Option<Target>, StoreError> {
    // A source may have called it paid without saying in which currency; it waits for one that does.
    let nameless = Currency::parse(&sale.currency).is_err();
    if sale.state != SaleState::Paid.as_str() || sale.merged_into.is_some() || nameless {
        return Ok(None);
    }
    let (_, input) = scene.attribute(tx, sale, evidence).await?;
    Ok(settlement::settle(&[input], &scene.versions, places.prefix(sale)).pop())
}

/// An outcome as the database keeps it.
#[must_use]
pub fn outcome_text(target: &Target) -> String {
    serde_json::to_value(target.outcome)
        .ok()
        .and_then(|value| value.as_str().map(str::to_owned))
        .unwrap_or_default()
}

/// Brings all commissions of a sale to what they must be.
fn apply(
    poster: &mut Poster,
    scene: &Scene,
    sale: &Sale,
    existing: Vec<Commission>,
    target: Option<Target>,
) -> Result<(), StoreError> {
    let wanted = target.as_ref().and_then(|target| commission_of(scene, sale, target));
    let mut found = false;
    for old in &existing {
        match &wanted {
            Some(new) if new.commission_id == old.commission_id => {
                found = true;
                let mut new = new.clone();
                (new.matured_at, new.last_seq) = (old.matured_at, old.last_seq);
                new.last_seal.clone_from(&old.last_seal);
                let reason = reason_of(old, &new, sale);
                poster.change(Some(old), new, &reason)?;
            }
            _ => match &sale.merged_into {
                Some(_) => {
                    poster.withdraw(old, "merged", "the sale turned out to be part of another purchase")
                }
                None => {
                    poster.withdraw(old, "moved", "the commission belongs to somebody else, or to nobody")
                }
            },
        }
    }
    // A commission that never earned and does not earn now needs no row.
    if let Some(new) = wanted.filter(|new| !found && (new.target > 0 || new.gross > 0)) {
        let reason = format!("earned from {}", sale.root_id);
        poster.change(None, new, &reason)?;
    }
    Ok(())
}

fn commission_of(scene: &Scene, sale: &Sale, target: &Target) -> Option<Commission> {
    let partner_id = target.partner_id.clone()?;
    let currency = target.currency.as_str().to_owned();
    let parts = [&*scene.workspace_id, &sale.sale_id, &scene.program_id, &partner_id, RULE, &currency];
    Some(Commission {
        commission_id: ids::derived("com", &parts),
        mode: sale.mode.clone(),
        program_id: scene.program_id.clone(),
        partner_id,
        customer_id: scene.customer.customer_id.clone(),
        sale_id: sale.sale_id.clone(),
        root_id: sale.root_id.clone(),
        rule: RULE.to_owned(),
        currency,
        target: target.amount,
        gross: target.gross,
        // A fixed reward may be in another currency than the sale: amounts of two are never added.
        revenue: if target.gross > 0 && target.currency.as_str() == sale.currency { sale.paid } else { 0 },
        occurred_at: sale.occurred_at,
        payable_at: target.payable_at,
        matured_at: None,
        outcome: outcome_text(target),
        last_seq: 0,
        last_seal: String::new(),
        held: sale.disputed > 0,
    })
}

fn reason_of(old: &Commission, new: &Commission, sale: &Sale) -> String {
    if new.target < old.target && sale.lost > 0 {
        let given = if sale.refunded > 0 { format!(", {} given back", sale.refunded) } else { String::new() };
        format!("{} of {} minor units were lost in a dispute{given}", sale.lost, sale.captured)
    } else if new.target < old.target && sale.refunded > 0 {
        format!("{} of {} minor units were given back", sale.refunded, sale.captured)
    } else if new.target > old.target && old.gross > old.target {
        "money that was taken back has returned".to_owned()
    } else {
        format!("corrected: {}", new.outcome)
    }
}
