//! The one transaction that erases: attribution frozen, tombstones set, rows cleared, sales read again.

use super::super::context::Context;
use super::super::decide::{self, Decision};
use super::super::link;
use super::super::project;
use super::super::rulings::ERASURE;
use super::super::settle::Scene;
use super::person::{Find, Person};
use crate::audit::{Note, note};
use std::collections::{BTreeMap, BTreeSet};
use tributary_domain::attribution::{self, is_visit_id};
use tributary_domain::fact::Fact;
use tributary_domain::ids;
use tributary_store::pages::audit::customer_subject;
use tributary_store::pipeline::decisions::{self, AS_EVIDENCE_SAYS};
use tributary_store::pipeline::{erasure, evidence, known_as, objects, people, sales};
use tributary_store::{P, StoreError, Tx, Unit, connections, connections::Connection};

/// Sales frozen at once.
const PAGE: i64 = 200;

/// Erases a person; answers how many customers and how many sales, and who it was in the end. Or that the person is not any
/// more who was found: then nothing was done.
#[derive(Clone)]
pub(super) struct Erase {
    pub(super) workspace_id: String,
    pub(super) find: Find,
    pub(super) person: Person,
    /// Does the person have to be just who was found? Else more of it is taken along, where the locks are enough for it.
    pub(super) strict: bool,
    pub(super) actor: String,
    pub(super) now: i64,
}

impl Unit for Erase {
    type Out = Result<(u64, u64, Person), Person>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let ws = &self.workspace_id;
        let connections = connections::list(tx, ws).await?;
        let mut connections: Vec<_> = connections
            .into_iter()
            .filter(|connection| self.person.objects.contains_key(&connection.connection_id))
            .collect();
        connections.sort_by(|a, b| a.connection_id.cmp(&b.connection_id));
        let ids = connections.iter().map(|connection| connection.connection_id.as_str());
        let programs = self.person.customers.iter().map(|customer| customer.program_id.as_str());
        objects::lock_each(tx, ws, &ids.collect(), &programs.collect()).await?;
        // What came in before these locks may have told more of the person, whose payloads still have to go.
        let person = self.find.run(tx).await?;
        if person != self.person && (self.strict || !self.covers(&person)) {
            return Ok(Err(person));
        }
        let work = Self { person, ..self.clone() };
        let (customers, sales) = work.all(tx, &connections).await?;
        Ok(Ok((customers, sales, work.person)))
    }
}

impl Erase {
    /// Do the locks that are held for whom was found do for this one as well?
    fn covers(&self, person: &Person) -> bool {
        let programs = |person: &Person| {
            person.customers.iter().map(|customer| customer.program_id.clone()).collect::<BTreeSet<_>>()
        };
        person.objects.keys().all(|connection| self.person.objects.contains_key(connection))
            && programs(person).is_subset(&programs(&self.person))
    }

    async fn all(&self, tx: &mut Tx<'_>, connections: &[Connection]) -> Result<(u64, u64), StoreError> {
        let ws = &self.workspace_id;
        let mut frozen = 0;
        for customer in &self.person.customers {
            frozen += self.freeze(tx, &customer.program_id, &customer.customer_id).await?;
        }
        for connection in connections {
            let (con, mode) = (&connection.connection_id, &connection.mode);
            let ctx = Context::load(tx, ws, con, mode, self.now, 0).await?;
            for (_, buyer) in self.person.buyers.iter().filter(|(of, _)| of == con) {
                frozen += self.freeze_nobodys(tx, &ctx, buyer).await?;
            }
        }
        self.set_tombstones(tx).await?;
        for hash in &self.person.hashes {
            known_as::blank(tx, ws, hash).await?;
        }
        let visits: BTreeSet<String> =
            self.person.references.iter().filter(|value| is_visit_id(value)).cloned().collect();
        erasure::clear_visits(tx, ws, &visits).await?;
        for connection in connections {
            let con = &connection.connection_id;
            let Some(ids) = self.person.objects.get(con) else { continue };
            self.redact(tx, con, ids).await?;
            // Before they are read again: who looks for a guest's sales must find none, or what was decided of them
            // would bear the guest a customer anew.
            for (_, buyer) in self.person.buyers.iter().filter(|(of, _)| of == con) {
                erasure::clear_sales(tx, ws, con, buyer).await?;
            }
            let ctx = Context::load(tx, ws, con, &connection.mode, self.now, 0).await?;
            project::read_again(tx, &ctx, ids).await?;
            // A guest is the hash of its address: nobody is that buyer any more, also where no hint of it was left.
            let guests = |(of, buyer): &&(String, String)| of == con && buyer.starts_with("guest:");
            for (_, buyer) in self.person.buyers.iter().filter(guests) {
                link::resolve(tx, &ctx, buyer, &project::People::new()).await?;
            }
        }
        Ok((self.person.customers.len() as u64, frozen))
    }

    /// Writes down who brought each sale of a customer, and clears the customer.
    async fn freeze(&self, tx: &mut Tx<'_>, program_id: &str, customer_id: &str) -> Result<u64, StoreError> {
        let ws = &self.workspace_id;
        let Some(mut scene) = Scene::read(tx, ws, program_id, customer_id).await? else { return Ok(0) };
        let (mut after, mut frozen) = (String::new(), 0);
        loop {
            let ids = erasure::sales_of(tx, ws, program_id, customer_id, &after, PAGE).await?;
            let Some(last) = ids.last() else { break };
            after.clone_from(last);
            let on_sales = evidence::of_sales(tx, ws, &ids).await?;
            let loaded = sales::load(tx, ws, &ids).await?;
            let by_id: BTreeMap<_, _> = loaded.iter().map(|sale| (sale.sale_id.as_str(), sale)).collect();
            for (id, on_sale) in ids.iter().zip(on_sales) {
                let decided = decisions::of_sale(tx, ws, program_id, id).await?;
                let Some(sale) = by_id.get(id.as_str()) else { continue };
                // One that was taken back decides nothing.
                if decided.is_some_and(|last| last.value != AS_EVIDENCE_SAYS) || sale.currency.is_empty() {
                    continue;
                }
                let rows: Vec<_> = on_sale.into_iter().map(|(row, _)| row).collect();
                let (attribution, _) = scene.attribute(tx, sale, &rows).await?;
                let decision = Decision {
                    workspace_id: ws.clone(),
                    mode: sale.mode.clone(),
                    program_id: program_id.to_owned(),
                    kind: "attribute",
                    connection_id: sale.connection_id.clone(),
                    subject: sale.root_id.clone(),
                    value: attribution.partner_id.unwrap_or_default(),
                    actor: format!("{ERASURE}{}", self.actor),
                    reason: String::new(),
                };
                decide::keep(tx, &decision, None, self.now).await?;
                frozen += 1;
            }
        }
        let Some(before) = people::find_customer(tx, ws, customer_id).await? else { return Ok(frozen) };
        let partner = match before.partner_by.as_str() {
            "erased" => before.partner_id.clone(),
            _ => attribution::fixing(scene.on_customer_now()).and_then(|piece| piece.partner_id.clone()),
        };
        let key = ids::derived("erased", &[ws, customer_id]);
        let (partner, actor) = (partner.as_deref(), &self.actor);
        erasure::clear_customer(tx, ws, &before, &key, partner, actor, self.now).await?;
        if before.partner_by != "erased" {
            let line = Note {
                workspace_id: ws.clone(),
                program_id: program_id.to_owned(),
                mode: before.mode.clone(),
                actor: actor.clone(),
                action: "erase",
                subject: customer_subject(&key),
                became: format!("erased; {frozen} sales keep their partner"),
                ..Note::default()
            };
            note(tx, line, self.now).await?;
        }
        Ok(frozen)
    }

    /// Writes down that nobody brought the sales of a buyer who is no program's customer: what is said of the buyer later
    /// changes nothing of them.
    async fn freeze_nobodys(&self, tx: &mut Tx<'_>, ctx: &Context, buyer: &str) -> Result<u64, StoreError> {
        let (ws, con) = (&self.workspace_id, &ctx.connection_id);
        let (mut after, mut frozen) = (String::new(), 0);
        loop {
            let ids = erasure::sales_of_nobody(tx, ws, (con, buyer), &after, PAGE).await?;
            let Some(last) = ids.last() else { return Ok(frozen) };
            after.clone_from(last);
            for sale in sales::load(tx, ws, &ids).await? {
                for program in &ctx.programs {
                    let decided = decisions::of_sale(tx, ws, &program.program_id, &sale.sale_id).await?;
                    if decided.is_some_and(|last| last.value != AS_EVIDENCE_SAYS) {
                        continue;
                    }
                    let decision = Decision {
                        workspace_id: ws.clone(),
                        mode: sale.mode.clone(),
                        program_id: program.program_id.clone(),
                        kind: "attribute",
                        connection_id: con.clone(),
                        subject: sale.root_id.clone(),
                        value: String::new(),
                        actor: format!("{ERASURE}{}", self.actor),
                        reason: String::new(),
                    };
                    decide::keep(tx, &decision, None, self.now).await?;
                }
                frozen += 1;
            }
        }
    }

    async fn set_tombstones(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let ws = &self.workspace_id;
        for (connection, buyer) in &self.person.buyers {
            if connection.starts_with("api:") {
                continue;
            }
            let links = people::links(tx, ws, connection, std::slice::from_ref(buyer)).await?;
            let links = links.into_iter().next().unwrap_or_default();
            if buyer.starts_with("cus_") {
                erasure::add_buyer(tx, ws, connection, buyer, &links).await?;
            } else {
                // A guest is known by the address alone; from here on by each purchase.
                for object in erasure::objects_of_buyer(tx, ws, connection, buyer).await? {
                    let buyer = format!("unknown:{object}");
                    erasure::add_buyer(tx, ws, connection, &buyer, &links).await?;
                }
            }
        }
        for (connection, ids) in self.person.objects.iter().filter(|(id, _)| !id.starts_with("api:")) {
            erasure::add_objects(tx, ws, connection, ids, self.now).await?;
        }
        Ok(())
    }

    /// Takes what is personal from the facts about objects, and from what was merged of them.
    async fn redact(&self, tx: &mut Tx<'_>, con: &str, ids: &BTreeSet<String>) -> Result<(), StoreError> {
        let ws = &self.workspace_id;
        let wrong = |e: serde_json::Error| StoreError::Inconsistent(format!("fact: {e}"));
        for id in ids {
            let mut changed = Vec::new();
            for (source, n, body) in erasure::facts_of(tx, ws, con, id).await? {
                let mut fact: Fact = serde_json::from_str(&body).map_err(wrong)?;
                if fact.redact() {
                    changed.push((source, n, serde_json::to_string(&fact).map_err(wrong)?));
                }
            }
            erasure::rewrite_facts(tx, ws, con, &changed).await?;
        }
        let ids: Vec<String> = ids.iter().cloned().collect();
        let mut aliases = objects::load_aliases(tx, ws, con, &ids).await?;
        aliases.retain(|_, alias| alias.state.as_mut().is_some_and(|state| state.redact()));
        objects::upsert_aliases(tx, ws, con, aliases.iter()).await
    }
}

/// Is an object or a buyer known in a connection?
pub(super) async fn knows(tx: &mut Tx<'_>, ws: &str, con: &str, id: &str) -> Result<bool, StoreError> {
    let params = [P::T(ws), P::T(con), P::T(id)];
    for sql in [
        "SELECT 1 FROM alias WHERE workspace_id = $1 AND connection_id = $2 AND object_id = $3",
        "SELECT 1 FROM sale WHERE workspace_id = $1 AND connection_id = $2 AND buyer_id = $3 LIMIT 1",
        "SELECT 1 FROM buyer_customer WHERE workspace_id = $1 AND connection_id = $2 AND buyer_id = $3 LIMIT 1",
    ] {
        if tx.opt(sql, &params).await?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}
