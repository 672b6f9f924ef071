//! The objects that a batch touches, merged, and the purchases that they form.

use std::collections::{BTreeMap, BTreeSet};
use tributary_domain::fact::{Fact, Kind};
use tributary_domain::merge::ObjectState;
use tributary_domain::sale::Members;
use tributary_store::pipeline::objects::{self, Alias};
use tributary_store::{StoreError, Tx};

use super::context::Context;

/// What one source said.
#[derive(Debug, Clone)]
pub struct Source {
    /// The event's or observation's id.
    pub source_id: String,
    /// What was understood of it.
    pub facts: Vec<Fact>,
}

/// Objects by id, with what the batch changed.
#[derive(Debug, Default)]
pub struct World {
    /// Every object that the batch names or that belongs to the same purchase.
    pub aliases: BTreeMap<String, Alias>,
    /// Rows to be written.
    dirty: BTreeSet<String>,
    /// Objects whose values changed, or that are new.
    pub touched: BTreeSet<String>,
    /// Links that the batch's facts name. A link joins for good, also when a later reading names another object.
    named: BTreeMap<String, BTreeSet<String>>,
}

/// One purchase: its objects, and the sales that they were filed under.
#[derive(Debug, Default)]
pub struct Group {
    /// Its objects' ids.
    pub ids: BTreeSet<String>,
    /// The sales that they belonged to.
    pub sale_ids: BTreeSet<String>,
}

impl World {
    /// Loads what is known of the objects that the sources name, and merges what they say.
    ///
    /// # Errors
    /// The database's.
    pub async fn build(tx: &mut Tx<'_>, ctx: &Context, sources: &[Source]) -> Result<Self, StoreError> {
        let states: Vec<ObjectState> = sources
            .iter()
            .flat_map(|source| {
                source.facts.iter().map(|fact| ObjectState::from_fact(fact, &source.source_id))
            })
            .collect();
        let mut ids: BTreeSet<String> = states.iter().map(|state| state.id.clone()).collect();
        ids.extend(states.iter().flat_map(|state| state.links()).map(str::to_owned));
        let ids: Vec<String> = ids.into_iter().collect();
        let aliases = objects::load_aliases(tx, &ctx.workspace_id, &ctx.connection_id, &ids).await?;
        let mut world = Self { aliases, ..Self::default() };
        for id in ids {
            if !world.aliases.contains_key(&id) {
                world.aliases.insert(id.clone(), Alias { sale_id: None, state: None });
                world.dirty.insert(id.clone());
                world.touched.insert(id);
            }
        }
        for state in states {
            let links: Vec<String> = state.links().map(str::to_owned).collect();
            if let Some(first) = links.first().filter(|_| world.is_new_link(&state.id, &links)) {
                world.touched.insert(first.clone());
                world.touched.insert(state.id.clone());
            }
            world.named.entry(state.id.clone()).or_default().extend(links);
            world.merge(state);
        }
        Ok(world)
    }

    /// Loads what is known of objects, as if all of it had just been said.
    ///
    /// # Errors
    /// The database's.
    pub async fn of(tx: &mut Tx<'_>, ctx: &Context, ids: &BTreeSet<String>) -> Result<Self, StoreError> {
        let list: Vec<String> = ids.iter().cloned().collect();
        let aliases = objects::load_aliases(tx, &ctx.workspace_id, &ctx.connection_id, &list).await?;
        let touched = aliases.keys().cloned().collect();
        Ok(Self { aliases, touched, ..Self::default() })
    }

    /// Does a fact name an object that is not filed under the same sale yet?
    fn is_new_link(&self, id: &str, links: &[String]) -> bool {
        let sale = |id: &str| self.aliases.get(id).and_then(|alias| alias.sale_id.as_ref());
        links.iter().any(|link| sale(link).is_none() || sale(link) != sale(id))
    }

    fn merge(&mut self, state: ObjectState) {
        let id = state.id.clone();
        let Some(alias) = self.aliases.get_mut(&id) else { return };
        match &mut alias.state {
            None => {
                alias.state = Some(state);
                self.touched.insert(id.clone());
                self.dirty.insert(id);
            }
            Some(known) => {
                let before = known.clone();
                if known.merge(state) {
                    self.touched.insert(id.clone());
                }
                // A later reading of the same value must be kept too: it decides merges to come.
                if *known != before {
                    self.dirty.insert(id);
                }
            }
        }
    }

    /// The purchases that the touched objects form, each with all its objects.
    ///
    /// # Errors
    /// The database's.
    pub async fn groups(&mut self, tx: &mut Tx<'_>, ctx: &Context) -> Result<Vec<Group>, StoreError> {
        let mut groups = self.connected();
        groups.retain(|group| group.ids.iter().any(|id| self.touched.contains(id)));
        let sale_ids: Vec<String> = groups.iter().flat_map(|group| group.sale_ids.iter().cloned()).collect();
        let members = objects::load_members(tx, &ctx.workspace_id, &sale_ids).await?;
        for (id, alias) in members {
            if let Some(group) = groups
                .iter_mut()
                .find(|group| alias.sale_id.as_ref().is_some_and(|sale| group.sale_ids.contains(sale)))
            {
                group.ids.insert(id.clone());
            }
            // What the batch has merged is newer than what was stored.
            self.aliases.entry(id).or_insert(alias);
        }
        Ok(groups)
    }

    /// Groups the loaded ids by links and by the sale that they are filed under.
    fn connected(&self) -> Vec<Group> {
        let mut groups: Vec<Group> = Vec::new();
        let mut of_id: BTreeMap<&str, usize> = BTreeMap::new();
        let mut of_sale: BTreeMap<&str, usize> = BTreeMap::new();
        for (id, alias) in &self.aliases {
            if stands_apart(id, alias) {
                continue;
            }
            let mut near: BTreeSet<usize> = BTreeSet::new();
            let mut links: Vec<&str> = alias.state.iter().flat_map(ObjectState::links).collect();
            links.extend(self.named.get(id).into_iter().flatten().map(String::as_str));
            near.extend(links.iter().chain([&id.as_str()]).filter_map(|id| of_id.get(id).copied()));
            near.extend(alias.sale_id.as_deref().and_then(|sale| of_sale.get(sale).copied()));
            let at = near.pop_first().unwrap_or_else(|| {
                groups.push(Group::default());
                groups.len() - 1
            });
            for other in near {
                let taken = std::mem::take(&mut groups[other]);
                groups[at].ids.extend(taken.ids);
                groups[at].sale_ids.extend(taken.sale_ids);
                of_id.values_mut().chain(of_sale.values_mut()).filter(|g| **g == other).for_each(|g| *g = at);
            }
            groups[at].ids.insert(id.clone());
            of_id.insert(id, at);
            for link in links {
                of_id.insert(link, at);
            }
            if let Some(sale) = &alias.sale_id {
                groups[at].sale_ids.insert(sale.clone());
                of_sale.insert(sale, at);
            }
        }
        groups.retain(|group| !group.ids.is_empty());
        groups
    }

    /// The objects of a purchase as the domain reads them.
    #[must_use]
    pub fn members(&self, group: &Group) -> Members {
        group
            .ids
            .iter()
            .map(|id| (id.clone(), self.aliases.get(id).and_then(|alias| alias.state.clone())))
            .collect()
    }

    /// The objects of the purchase that an id belongs to, as they are stored.
    ///
    /// # Errors
    /// The database's.
    pub async fn members_of(tx: &mut Tx<'_>, ctx: &Context, id: &str) -> Result<Members, StoreError> {
        let (ws, con) = (&ctx.workspace_id, &ctx.connection_id);
        let found = objects::load_aliases(tx, ws, con, &[id.to_owned()]).await?;
        let Some(sale_id) = found.into_values().find_map(|alias| alias.sale_id) else {
            return Ok(Members::new());
        };
        let members = objects::load_members(tx, ws, &[sale_id]).await?;
        Ok(members.into_iter().map(|(id, alias)| (id, alias.state)).collect())
    }

    /// Files an object under a sale.
    pub fn file(&mut self, id: &str, sale_id: &str) {
        if let Some(alias) = self.aliases.get_mut(id)
            && alias.sale_id.as_deref() != Some(sale_id)
        {
            alias.sale_id = Some(sale_id.to_owned());
            self.dirty.insert(id.to_owned());
        }
    }

    /// Objects that stand apart from sales and that the batch changed: customers, subscriptions, promotion codes.
    pub fn touched_apart(&self) -> impl Iterator<Item = &ObjectState> {
        self.touched
            .iter()
            .filter_map(|id| self.aliases.get(id)?.state.as_ref())
            .filter(|state| state.kind.stands_apart())
    }

    /// Writes the changed rows.
    ///
    /// # Errors
    /// The database's.
    pub async fn save(&self, tx: &mut Tx<'_>, ctx: &Context) -> Result<(), StoreError> {
        let rows = self.aliases.iter().filter(|(id, _)| self.dirty.contains(*id));
        objects::upsert_aliases(tx, &ctx.workspace_id, &ctx.connection_id, rows).await
    }
}

fn stands_apart(id: &str, alias: &Alias) -> bool {
    let kind = alias.state.as_ref().map_or_else(|| Kind::of_stripe_id(id), |state| Some(state.kind));
    kind.is_some_and(Kind::stands_apart)
}
