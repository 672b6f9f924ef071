//! What speaks for a customer and for a sale: filed evidence with its values looked up among partners, visits and codes.

use super::clicks;
use super::codes;
use super::context::heard;
use super::settle::Scene;
use tributary_domain::attribution::{
    Evidence, Rank, Reach, Turn, click_on_sale, fixing, policy_at, second_of,
};
use tributary_domain::sale::EvidenceKind;
use tributary_store::connections::feeds;
use tributary_store::pipeline::evidence::{self, EvidenceRow};
use tributary_store::pipeline::people;
use tributary_store::pipeline::sales::Sale;
use tributary_store::{StoreError, Tx};

/// Kinds of hints that speak for the customer.
const SPEAKS: [EvidenceKind; 7] = [
    EvidenceKind::ClientReference,
    EvidenceKind::PartnerMetadata,
    EvidenceKind::CustomerPartnerMetadata,
    EvidenceKind::SubscriptionMetadata,
    EvidenceKind::CustomerMetadata,
    EvidenceKind::PromotionCode,
    EvidenceKind::StandingCode,
];

/// Kinds that speak for the sale that carries them.
const ON_SALE: [EvidenceKind; 3] =
    [EvidenceKind::PartnerMetadata, EvidenceKind::ClientReference, EvidenceKind::PromotionCode];

fn kind_among(kinds: &[EvidenceKind], text: &str) -> Option<EvidenceKind> {
    kinds.iter().copied().find(|kind| kind.as_str() == text)
}

impl Scene {
    /// Everything that speaks for the customer, in order; and what is left without the buyers that only their address makes
    /// this customer, where a version of the policy asks for that.
    pub(super) async fn customer_evidence(
        &mut self,
        tx: &mut Tx<'_>,
    ) -> Result<(Vec<Evidence>, Option<Vec<Evidence>>), StoreError> {
        let mut found = Vec::new();
        found.extend(clicks::sign_up(tx, &self.workspace_id, &self.customer).await?);
        let customer_id = self.customer.customer_id.clone();
        let mut buyers = people::known_buyers(tx, &self.workspace_id, &customer_id).await?;
        buyers.sort_by_key(|(_, _, by_email)| *by_email);
        let asked = self.policy.iter().any(|version| !version.match_email);
        let fed = feeds::of_program(tx, &self.workspace_id, &self.program_id).await?;
        let mut rest: Option<Vec<Evidence>> = None;
        for (connection, buyer, by_email) in buyers {
            if by_email && asked && rest.is_none() {
                rest = Some(found.clone());
            }
            let spans = fed.get(&connection);
            let whose = (connection.as_str(), buyer.as_str());
            let mut codes = Vec::new();
            let of_buyer = found.len();
            for hint in evidence::hints(tx, &self.workspace_id, &connection, &buyer).await? {
                let Some(kind) = kind_among(&SPEAKS, &hint.kind) else { continue };
                // What a connection says after it fed the program speaks for nobody of it.
                if spans.is_some_and(|spans| !heard(spans, hint.effective_at)) {
                    continue;
                }
                // The customer's own key says who it is, not who brought it.
                if hint.value == self.customer.key && kind != EvidenceKind::PartnerMetadata {
                    continue;
                }
                match kind {
                    EvidenceKind::PromotionCode | EvidenceKind::StandingCode => {
                        codes.extend(self.code(tx, &connection, kind, hint).await?);
                    }
                    EvidenceKind::ClientReference => {
                        let (ws, policy) = (&self.workspace_id, &self.policy);
                        let click = clicks::click(tx, ws, &self.customer, whose, &hint, policy).await?;
                        found.push(match click {
                            Some(click) => click,
                            None => self.evidence(tx, kind, hint).await?,
                        });
                    }
                    _ => found.push(self.evidence(tx, kind, hint).await?),
                }
            }
            for mut code in codes {
                if code.kind == EvidenceKind::PromotionCode {
                    self.take_turn(tx, whose, &found[of_buyer..], &mut code).await?;
                }
                let from = code.turn.map_or(code.effective_at, |turn| turn.at);
                // A code says nothing of what was bought before it was used.
                code.reach = Reach::From { at: second_of(from) };
                found.push(code);
            }
        }
        found.sort();
        if let Some(rest) = &mut rest {
            rest.sort();
        }
        Ok((found, rest))
    }

    /// Of a code and the links that came with the same purchase, the policy at that purchase says which goes first.
    async fn take_turn(
        &self,
        tx: &mut Tx<'_>,
        (connection, buyer): (&str, &str),
        others: &[Evidence],
        code: &mut Evidence,
    ) -> Result<(), StoreError> {
        let (ws, kind) = (&self.workspace_id, code.kind.as_str());
        let sale = evidence::first_sale_with(tx, ws, (connection, buyer), kind, &code.value).await?;
        let Some(sale_id) = sale else { return Ok(()) };
        let link = EvidenceKind::ClientReference.as_str();
        let (values, occurred_at) = evidence::values_on_sale(tx, ws, &sale_id, link).await?;
        let rivals = others.iter().filter(|other| {
            matches!(other.kind, EvidenceKind::ClientReference | EvidenceKind::Visit)
                && other.stands()
                && values.contains(&other.value)
        });
        let times: Vec<i64> = rivals.map(|rival| rival.effective_at).chain([code.effective_at]).collect();
        let policy = policy_at(&self.policy, occurred_at.unwrap_or(code.effective_at));
        code.turn = if policy.code_first {
            times.iter().min().map(|at| Turn { at: *at, side: -1 })
        } else {
            times.iter().max().map(|at| Turn { at: *at, side: 1 })
        };
        Ok(())
    }

    /// What the sale itself carries, in order.
    pub(super) async fn sale_evidence(
        &mut self,
        tx: &mut Tx<'_>,
        sale: &Sale,
        rows: &[EvidenceRow],
    ) -> Result<Vec<Evidence>, StoreError> {
        let policy = policy_at(&self.policy, sale.occurred_at);
        let mut pieces = Vec::new();
        for row in rows {
            if policy.per_sale && row.kind == EvidenceKind::Api.as_str() {
                pieces.extend(self.of_api(self.on_customer_at(sale.occurred_at), row));
            }
            let Some(kind) = kind_among(&ON_SALE, &row.kind) else { continue };
            match kind {
                EvidenceKind::PartnerMetadata => pieces.push(self.evidence(tx, kind, row.clone()).await?),
                EvidenceKind::PromotionCode => {
                    let code = self.code(tx, &sale.connection_id, kind, row.clone()).await?;
                    let Some(mut code) = code else { continue };
                    if !policy.per_sale && !self.brought_first(tx, sale, row).await? {
                        code.reach = Reach::Repeated;
                    }
                    pieces.push(code);
                }
                _ if row.value == self.customer.key => {}
                _ => {
                    let days = policy.window_days;
                    let (ws, customer) = (&self.workspace_id, &self.customer);
                    let click = clicks::click_of(tx, ws, customer, row, |at| {
                        click_on_sale(at, sale.occurred_at, days)
                    });
                    let click = click.await?;
                    pieces.push(match click {
                        Some(click) => click,
                        None => self.evidence(tx, kind, row.clone()).await?,
                    });
                }
            }
        }
        pieces.sort();
        Ok(pieces)
    }

    /// The API named the customer of this very sale: it speaks for the customer's partner.
    fn of_api(&self, on_customer: &[Evidence], row: &EvidenceRow) -> Option<Evidence> {
        let partner_id = fixing(on_customer)?.partner_id.clone();
        Some(Evidence {
            rank: Rank::CameAlong,
            effective_at: row.effective_at,
            source_id: row.object_id.clone(),
            kind: EvidenceKind::Api,
            value: self.customer.key.clone(),
            partner_id,
            reach: Reach::Always,
            detail: String::new(),
            turn: None,
        })
    }

    /// Is this the purchase that brought the code along first?
    async fn brought_first(
        &self,
        tx: &mut Tx<'_>,
        sale: &Sale,
        row: &EvidenceRow,
    ) -> Result<bool, StoreError> {
        let whose = (sale.connection_id.as_str(), sale.buyer_id.as_str());
        let first = evidence::first_sale_with(tx, &self.workspace_id, whose, &row.kind, &row.value).await?;
        Ok(first.is_none_or(|first| first == sale.sale_id))
    }

    /// A promotion code, with its owner at the time of its use; nothing where the program has no codes.
    async fn code(
        &mut self,
        tx: &mut Tx<'_>,
        connection_id: &str,
        kind: EvidenceKind,
        row: EvidenceRow,
    ) -> Result<Option<Evidence>, StoreError> {
        let (ws, program) = (&self.workspace_id, &self.program_id);
        let place = (ws.as_str(), program.as_str(), connection_id);
        let Some(found) = codes::look_up(tx, place, &row.value, row.effective_at).await? else {
            return Ok(None);
        };
        let detail = match &found.owner {
            Some((_, key)) => format!("“{}” of “{key}”", found.shown),
            None => format!("“{}”", found.shown),
        };
        Ok(Some(Evidence {
            rank: Rank::CameAlong,
            effective_at: row.effective_at,
            source_id: row.object_id,
            kind,
            value: row.value,
            partner_id: found.owner.map(|(partner_id, _)| partner_id),
            reach: Reach::Always,
            detail,
            turn: None,
        }))
    }

    async fn evidence(
        &mut self,
        tx: &mut Tx<'_>,
        kind: EvidenceKind,
        row: EvidenceRow,
    ) -> Result<Evidence, StoreError> {
        let partner_id = self.partner(tx, &row.value).await?;
        let EvidenceRow { effective_at, object_id, value, .. } = row;
        let long = kind == EvidenceKind::ClientReference && partner_id.is_none() && value.ends_with('…');
        let detail = if long {
            format!("“{value}”, longer than the 200 characters of Stripe")
        } else {
            String::new()
        };
        Ok(Evidence {
            rank: Rank::CameAlong,
            effective_at,
            source_id: object_id,
            kind,
            value,
            partner_id,
            reach: Reach::Always,
            detail,
            turn: None,
        })
    }

    async fn partner(&mut self, tx: &mut Tx<'_>, key: &str) -> Result<Option<String>, StoreError> {
        if let Some(known) = self.partners.get(key) {
            return Ok(known.clone());
        }
        let found = people::find_partner_by_key(tx, &self.workspace_id, &self.program_id, key).await?;
        self.partners.insert(key.to_owned(), found.clone());
        Ok(found)
    }
}
