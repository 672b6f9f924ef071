//! What every step of the way knows about where it works.

use tributary_domain::attribution::{PolicyVersion, policy_at};
use tributary_domain::sale::Wants;
use tributary_domain::terms::{TermsVersion, in_force};
use tributary_store::connections::feeds::{self, Spans};
use tributary_store::pipeline::{codes, objects, policies};
use tributary_store::{StoreError, Tx, workspaces};

/// A program that a connection feeds, or fed.
#[derive(Debug, Clone)]
pub struct Fed {
    /// The program.
    pub program_id: String,
    /// All versions of how it attributes.
    pub policy: Vec<PolicyVersion>,
    /// When it was fed: spans, from (inclusive) and until (ms UTC).
    pub spans: Spans,
}

impl Fed {
    /// Was it fed at an instant (ms UTC)? Sales of other times are none of its.
    #[must_use]
    pub fn fed_at(&self, at: i64) -> bool {
        self.spans.iter().any(|(from, until)| (*from..*until).contains(&at))
    }

    /// Does what was said at an instant (ms UTC) reach a sale of it? After the last span nothing does.
    #[must_use]
    pub fn hears(&self, at: i64) -> bool {
        heard(&self.spans, at)
    }

    /// Are customers found by e-mail address too, for a sale of an instant (ms UTC)?
    #[must_use]
    pub fn matches_at(&self, at: i64) -> bool {
        policy_at(&self.policy, at).match_email
    }

    /// Are they, or are they not, for sales of any time?
    #[must_use]
    pub fn ever_matches(&self, match_email: bool) -> bool {
        if self.policy.is_empty() {
            return PolicyVersion::default().match_email == match_email;
        }
        self.policy.iter().any(|version| version.match_email == match_email)
    }

    /// The spans of time, from (inclusive) and until (ms UTC), whose sales an e-mail address finds no customer for.
    #[must_use]
    pub fn unmatched(&self) -> Vec<(i64, i64)> {
        let mut starts: Vec<i64> =
            self.policy.iter().map(|version| version.from_ms.unwrap_or(i64::MIN)).collect();
        starts.sort_unstable();
        starts.dedup();
        let ends = starts.iter().skip(1).copied().chain([i64::MAX]);
        starts.iter().copied().zip(ends).filter(|(from, _)| !self.matches_at(*from)).collect()
    }
}

/// Does what was said at an instant (ms UTC) reach any of the spans?
#[must_use]
pub fn heard(spans: &Spans, at: i64) -> bool {
    spans.iter().any(|(_, until)| at < *until)
}

/// Where and when a step works.
#[derive(Debug, Clone)]
pub struct Context {
    /// The workspace.
    pub workspace_id: String,
    /// The connection, or `api:{program}:{mode}` for sales that only our API knows.
    pub connection_id: String,
    /// `test` or `live`.
    pub mode: String,
    /// ms UTC.
    pub now: i64,
    /// The programs that the connection ever fed, by id.
    pub programs: Vec<Fed>,
    /// Has a partner of any of them a promotion code?
    pub has_codes: bool,
    /// How long a look-up at Stripe waits for its answer to come by itself, ms.
    pub link_delay_ms: i64,
    /// All versions of each program's terms.
    pub terms: Vec<Vec<TermsVersion>>,
}

/// The pseudo connection of sales that only our API knows.
#[must_use]
pub fn api_connection(program_id: &str, mode: &str) -> String {
    format!("api:{program_id}:{mode}")
}

impl Context {
    /// The same as [`Self::load`] for who is going to write: what programs set, and who has a code, does not change from
    /// here on. One who loads first and waits for the lock then would write by what was set before.
    ///
    /// # Errors
    /// The database's.
    pub async fn locked(
        tx: &mut Tx<'_>,
        workspace_id: &str,
        connection_id: &str,
        mode: &str,
        now: i64,
        link_delay_ms: i64,
    ) -> Result<Self, StoreError> {
        objects::lock_connection(tx, workspace_id, connection_id).await?;
        Self::load(tx, workspace_id, connection_id, mode, now, link_delay_ms).await
    }

    /// Loads the programs of a connection.
    ///
    /// # Errors
    /// The database's.
    pub async fn load(
        tx: &mut Tx<'_>,
        workspace_id: &str,
        connection_id: &str,
        mode: &str,
        now: i64,
        link_delay_ms: i64,
    ) -> Result<Self, StoreError> {
        let fed = if let Some(program_id) = objects::api_program(connection_id) {
            let found = workspaces::find_program(tx, workspace_id, program_id).await?;
            found.map(|program| (program.program_id, vec![(i64::MIN, i64::MAX)])).into_iter().collect()
        } else {
            feeds::of_connection(tx, workspace_id, connection_id).await?
        };
        let mut programs = Vec::with_capacity(fed.len());
        for (program_id, spans) in fed {
            let policy = policies::list(tx, workspace_id, &program_id).await?;
            programs.push(Fed { program_id, policy, spans });
        }
        let mut has_codes = false;
        let mut terms = Vec::with_capacity(programs.len());
        for Fed { program_id, .. } in &programs {
            has_codes = has_codes || codes::any(tx, workspace_id, program_id).await?;
            terms.push(workspaces::list_terms(tx, workspace_id, program_id).await?);
        }
        Ok(Self {
            has_codes,
            workspace_id: workspace_id.to_owned(),
            connection_id: connection_id.to_owned(),
            mode: mode.to_owned(),
            now,
            programs,
            link_delay_ms,
            terms,
        })
    }

    /// What the terms look at that any of the programs had at an instant (ms UTC).
    #[must_use]
    pub fn wants_at(&self, at: i64) -> Wants {
        let fed = self.programs.iter().zip(&self.terms).filter(|(program, _)| program.fed_at(at));
        let then = fed.filter_map(|(_, versions)| in_force(versions, at));
        then.fold(Wants::default(), |wants, version| wants.or(version.terms.wants()))
    }

    /// Does Stripe stand behind this connection?
    #[must_use]
    pub fn is_stripe(&self) -> bool {
        !self.connection_id.starts_with("api:")
    }
}
