//! Where the set-up stands: read from what is there.

use super::Typed;
use super::program::ProgramFields;
use crate::App;
use crate::admin::visit::Visit;
use crate::connect::checks::Progress;
use crate::connect::kept_permissions;
use crate::tracking::{link_url, script_tag};
use crate::ui::badge::Badge;
use crate::ui::controls::{Code, CopyField, Field};
use crate::ui::frame::ProgramCard;
use crate::ui::proof::{Proof, place};
use crate::ui::stripe::{Permissions, StripeConnect, connection_badge};
use crate::ui::when::Ago;
use tributary_store::connections::{self, Connection};
use tributary_store::pages::frame::{Shown, programs};
use tributary_store::pages::onboarding::{self, FirstPartner, Sighting};
use tributary_store::{StoreError, Tx, Unit, workspaces};

/// What is there of one program.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The program.
    pub shown: Shown,
    /// Its first terms in words.
    pub terms: String,
    /// Its connections, disconnected ones left out.
    pub connections: Vec<Connection>,
    /// What was seen of it.
    pub sightings: Vec<Sighting>,
    /// Its first partner.
    pub partner: Option<FirstPartner>,
}

/// Loads the facts of a program: the one asked for by its public id, else the first that is unfinished, else the first.
pub struct Load {
    /// The workspace.
    pub workspace_id: String,
    /// A public id, or empty.
    pub wanted: String,
}

impl Unit for Load {
    type Out = Option<Facts>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Option<Facts>, StoreError> {
        let all = programs(tx, &self.workspace_id).await?;
        let found = if self.wanted.is_empty() {
            let unfinished = all.iter().find(|shown| shown.program.setup_done_at.is_none());
            unfinished.or_else(|| all.first())
        } else {
            all.iter().find(|shown| shown.program.public_id == self.wanted)
        };
        let Some(shown) = found.cloned() else { return Ok(None) };
        let (ws, id) = (&shown.program.workspace_id, &shown.program.program_id);
        let versions = workspaces::list_terms(tx, ws, id).await?;
        let terms = versions.last().map(|version| crate::setup::reward::sentences(&version.terms));
        let mut connections = connections::list_of_program(tx, ws, id).await?;
        connections.retain(|one| one.status != "disconnected");
        Ok(Some(Facts {
            terms: terms.unwrap_or_default(),
            connections,
            sightings: onboarding::sightings(tx, ws, id).await?,
            partner: onboarding::first_partner(tx, ws, id).await?,
            shown,
        }))
    }
}

/// A connection in a few words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectedLine {
    /// The account's name, or its id.
    pub account: String,
    /// How it stands.
    pub badge: Badge,
    /// Live data?
    pub live: bool,
    /// How events arrive.
    pub way: String,
    /// The checklist.
    pub permissions: Permissions,
}

/// The first partner with its link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartnerLine {
    /// Name or e-mail.
    pub who: String,
    /// The link.
    pub link: CopyField,
}

/// The five steps as the page shows them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Steps {
    /// Step 1 before there is an account; empty after.
    pub account: Vec<Field>,
    /// Step 2, as long as there is no program.
    pub program_form: Option<ProgramFields>,
    /// Step 2, done.
    pub program: Option<ProgramCard>,
    /// What it says of the program's terms.
    pub terms: String,
    /// The program's site.
    pub website: String,
    /// Step 3: the form, or the progress.
    pub stripe: Option<StripeConnect>,
    /// Step 3: what is connected.
    pub connected: Vec<ConnectedLine>,
    /// Step 4: the snippet.
    pub script: Option<Code>,
    /// Step 4: was it seen?
    pub script_proof: Option<Proof>,
    /// Step 5: the form.
    pub partner_form: Vec<Field>,
    /// Step 5, done.
    pub partner: Option<PartnerLine>,
    /// Step 5: did somebody come by the link?
    pub visit_proof: Option<Proof>,
    /// This page again.
    pub here: String,
    /// Who is logged in; empty before the account exists.
    pub user: String,
}

impl Steps {
    /// Nothing is there yet.
    #[must_use]
    pub fn before_account(account: Vec<Field>) -> Self {
        Self { account, here: "/setup".to_owned(), ..Self::default() }
    }

    /// What the facts say.
    #[must_use]
    pub fn of(app: &App, visit: &Visit, facts: Option<&Facts>, typed: &Typed) -> Self {
        let Some(facts) = facts else {
            let form = typed.program.clone().unwrap_or_default();
            let (here, user) = ("/setup".to_owned(), visit.session.email.clone());
            return Self { program_form: Some(form.fields()), here, user, ..Self::default() };
        };
        let program = &facts.shown.program;
        let public = &app.settings.public_url;
        let here = super::address(&program.public_id, "", "");
        let seen = |kind: &str| facts.sightings.iter().find(|one| one.kind == kind);
        let running = matches!(typed.check, Some(Progress::Running(_) | Progress::Failed(_)));
        let stripe = (facts.connections.is_empty() || running).then(|| {
            let hidden = vec![("program", program.public_id.clone())];
            let form =
                StripeConnect::new("/setup/stripe".to_owned(), &visit.form_token, typed.check.as_ref());
            StripeConnect { hidden, ..form }
        });
        Self {
            account: Vec::new(),
            program_form: None,
            program: Some(crate::admin::visit::card(&facts.shown)),
            terms: facts.terms.clone(),
            website: place(&program.website),
            stripe,
            connected: facts.connections.iter().map(connected).collect(),
            script: Some(Code {
                id: "script-tag",
                title: "HTML".to_owned(),
                languages: Vec::new(),
                text: script_tag(public, &program.public_id),
            }),
            script_proof: Some(script_proof(seen("script"), visit.now)),
            partner_form: match facts.partner {
                Some(_) => Vec::new(),
                None => typed.partner.clone().unwrap_or_default().fields(),
            },
            partner: facts.partner.as_ref().map(|partner| PartnerLine {
                who: if partner.name.is_empty() { partner.email.clone() } else { partner.name.clone() },
                link: CopyField {
                    what: "the link",
                    value: link_url(&partner.destination, &program.parameter, &partner.key),
                },
            }),
            visit_proof: facts.partner.as_ref().map(|_| visit_proof(seen("visit"), visit.now)),
            here: here.trim_end_matches('#').to_owned(),
            user: visit.session.email.clone(),
        }
    }

    /// Which steps are done, in order.
    #[must_use]
    pub fn done(&self) -> [bool; 5] {
        let account = self.account.is_empty();
        let script = self.script_proof.as_ref().is_some_and(Proof::is_proven);
        [account, self.program.is_some(), !self.connected.is_empty(), script, self.partner.is_some()]
    }

    /// What stands under a step's name.
    #[must_use]
    pub fn line(&self, at: usize) -> &str {
        let done = self.done();
        match at {
            0 if done[0] => &self.user,
            0 => "Who logs in, and what your company is called.",
            1 => "Its name, your site, and what partners earn.",
            2 if done[2] => "Payments and refunds arrive.",
            2 if done[0] && !done[1] => "A key reports to a program, so the program comes first.",
            2 => "Connect with a restricted key, so that payments arrive by themselves.",
            3 if done[3] => "Seen on your site.",
            3 if done[0] && !done[1] => "The line carries the program's id, so the program comes first.",
            3 => "One line on every page of your site.",
            _ if done[0] && !done[1] => "A partner belongs to a program, so the program comes first.",
            _ => "Try a referral link yourself, as a partner would share it.",
        }
    }

    /// "2 of 5 done".
    #[must_use]
    pub fn words(&self) -> String {
        let done = self.done().iter().filter(|done| **done).count();
        if done == 5 { "All five are done.".to_owned() } else { format!("{done} of 5 done.") }
    }

    /// Is a step open when the page comes: the first that is not done, a check under way, or the link to try?
    #[must_use]
    pub fn is_open(&self, at: usize) -> bool {
        let done = self.done();
        let first = done.iter().position(|done| !done).unwrap_or(4);
        let busy = at == 2
            && self.stripe.as_ref().is_some_and(|form| form.running.is_some() || !form.error.is_empty());
        at == first || busy || (at == 4 && self.partner.is_some() && done[3])
    }

    /// Is a check under way, so that the page asks again by itself?
    #[must_use]
    pub fn is_checking(&self) -> bool {
        self.stripe.as_ref().is_some_and(|form| form.running.is_some())
    }
}

fn connected(one: &Connection) -> ConnectedLine {
    let way = if one.endpoint_id.is_some() {
        "Events arrive by webhook."
    } else if one.polling {
        "Events are read every few seconds."
    } else {
        "Events arrive by your own webhook endpoint."
    };
    let found = kept_permissions(&one.permissions);
    let complete = found.iter().all(|one| one.ok);
    ConnectedLine {
        account: if one.account_name.is_empty() { one.account_id.clone() } else { one.account_name.clone() },
        badge: connection_badge(&one.status),
        live: one.mode == "live",
        way: way.to_owned(),
        permissions: Permissions::new(&found, !complete),
    }
}

/// Was the script seen?
#[must_use]
pub fn script_proof(seen: Option<&Sighting>, now: i64) -> Proof {
    match seen {
        Some(seen) => Proof {
            title: "The script runs".to_owned(),
            detail: format!("seen on {}", place(&seen.url)),
            seen: Some(Ago { at: seen.at, now }),
            action: None,
        },
        None => Proof {
            title: "Not seen yet".to_owned(),
            detail: "Open a page of your site that has the script. This turns green by itself.".to_owned(),
            seen: None,
            action: None,
        },
    }
}

/// Did somebody come by a link?
#[must_use]
pub fn visit_proof(seen: Option<&Sighting>, now: i64) -> Proof {
    match seen {
        Some(seen) => Proof {
            title: "A visit arrived".to_owned(),
            detail: format!("on {}", place(&seen.url)),
            seen: Some(Ago { at: seen.at, now }),
            action: None,
        },
        None => Proof {
            title: "No visit yet".to_owned(),
            detail: "Open the link. The visit shows here once the script has told of it.".to_owned(),
            seen: None,
            action: None,
        },
    }
}
