//! Settings → Profile: name and e-mail, and the password. Both ask for the current password where it matters.

use super::{Around, Asked, Load, back};
use crate::App;
use crate::admin::error::PageError;
use crate::admin::forms::Posted;
use crate::admin::visit::Visit;
use crate::audit::user as actor_of;
use crate::auth::door::{Door, Knock, Shut};
use crate::auth::new_password::NewPassword;
use crate::auth::session;
use crate::password;
use crate::setup::{checks, make};
use crate::ui::controls::Field;
use crate::ui::frame::Frame;
use crate::ui::page::page;
use crate::ui::text::{encode, sentence_case};
use askama::Template;
use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use std::sync::Arc;
use tributary_store::pages::frame as stored;
use tributary_store::users::{self, User};
use tributary_store::{StoreError, Tx, Unit};

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "settings/profile.html")]
pub struct ProfilePage {
    frame: Frame,
    around: Around,
    person: Vec<Field>,
    password: Vec<Field>,
}

/// Name and e-mail as they are sent.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    form_token: String,
    name: String,
    email: String,
    #[serde(default)]
    confirm: String,
}

/// The passwords as they are sent.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Passwords {
    form_token: String,
    current: String,
    new: SecretString,
}

type Wrong = (&'static str, String);

/// `GET /p/{program}/settings/profile`
pub async fn get(
    State(app): State<App>,
    visit: Visit,
    Path(public_id): Path<String>,
    Query(asked): Query<Asked>,
) -> Response {
    let shown = show(&app, &visit, &public_id, None, None, &asked.notice, StatusCode::OK).await;
    visit.answer(shown)
}

async fn show(
    app: &App,
    visit: &Visit,
    public_id: &str,
    typed: Option<&Person>,
    wrong: Option<Wrong>,
    notice: &str,
    status: StatusCode,
) -> Result<Response, PageError> {
    let (loaded, user) =
        app.db.read(LoadUser(Load::new(visit, public_id), visit.session.user_id.clone())).await?;
    let around = Around::new(visit, &loaded, "settings/profile", notice);
    let error = |name: &str| {
        wrong
            .as_ref()
            .filter(|(field, _)| *field == name)
            .map_or_else(String::new, |(_, words)| words.clone())
    };
    let field = |name: &'static str, label, kind, value: &str, help, autocomplete| Field {
        name,
        label,
        kind,
        value: value.to_owned(),
        help,
        error: error(name),
        autocomplete,
        required: name != "name" && name != "confirm",
        ..Field::default()
    };
    let (name, email) = typed.map_or((&user.name, &user.email), |typed| (&typed.name, &typed.email));
    let confirm = "Needed to change the e-mail address, which is your log-in.";
    let rules = "At least 8 characters. Every other session ends when it changes.";
    let shown = ProfilePage {
        person: vec![
            field("name", "Name", "text", name, "", "name"),
            field("email", "E-mail", "email", email, "", "email"),
            field("confirm", "Your password", "password", "", confirm, "current-password"),
        ],
        password: vec![
            field("current", "Current password", "password", "", "", "current-password"),
            field("new", "New password", "password", "", rules, "new-password"),
        ],
        frame: around.frame.clone(),
        around,
    };
    Ok(page(status, &shown))
}

/// `POST /p/{program}/settings/profile`
pub async fn post(
    State(app): State<App>,
    visit: Visit,
    Extension(door): Extension<Arc<Door>>,
    Path(public_id): Path<String>,
    Posted(sent): Posted<Person>,
) -> Response {
    let result = save(&app, &visit, &door, &public_id, &sent).await;
    visit.answer(result)
}

async fn save(
    app: &App,
    visit: &Visit,
    door: &Arc<Door>,
    public_id: &str,
    sent: &Person,
) -> Result<Response, PageError> {
    session::check_form(&visit.session, &sent.form_token)?;
    app.db.read(Load::new(visit, public_id)).await?;
    let refuse = async |wrong: Wrong| {
        show(app, visit, public_id, Some(sent), Some(wrong), "", StatusCode::UNPROCESSABLE_ENTITY).await
    };
    let name = match sent.name.trim() {
        "" => String::new(),
        some => match checks::name(some) {
            Ok(name) => name,
            Err(words) => return refuse(("name", words)).await,
        },
    };
    let email = match checks::email(&sent.email) {
        Ok(email) => email,
        Err(words) => return refuse(("email", words)).await,
    };
    if email != visit.session.email
        && let Err(words) = confirmed(app, visit, door, &sent.confirm).await?
    {
        return refuse(("confirm", words)).await;
    }
    let (workspace_id, user_id) = (visit.session.workspace_id.clone(), visit.session.user_id.clone());
    match app.db.write(Rename { workspace_id, user_id, name, email }).await {
        Ok(()) => Ok(back(public_id, "settings/profile", "saved")),
        Err(StoreError::Conflict(_)) => {
            refuse(("email", "This e-mail address is another user's.".to_owned())).await
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /p/{program}/settings/password`: a new password, a new session, and the end of all others.
pub async fn password(
    State(app): State<App>,
    visit: Visit,
    Extension(door): Extension<Arc<Door>>,
    headers: HeaderMap,
    Path(public_id): Path<String>,
    Posted(sent): Posted<Passwords>,
) -> Response {
    let result = change(&app, &visit, &door, &headers, &public_id, sent).await;
    visit.answer(result)
}

async fn change(
    app: &App,
    visit: &Visit,
    door: &Arc<Door>,
    headers: &HeaderMap,
    public_id: &str,
    sent: Passwords,
) -> Result<Response, PageError> {
    session::check_form(&visit.session, &sent.form_token)?;
    app.db.read(Load::new(visit, public_id)).await?;
    let refuse = async |wrong: Wrong| {
        show(app, visit, public_id, None, Some(wrong), "", StatusCode::UNPROCESSABLE_ENTITY).await
    };
    let who = &visit.session;
    let context = [who.email.as_str(), who.workspace_name.as_str()];
    if let Err(error) = password::check_new(sent.new.expose_secret(), &context) {
        return refuse(("new", sentence_case(&format!("{error}.")))).await;
    }
    let login = match confirmed(app, visit, door, &sent.current).await? {
        Ok(login) => login,
        Err(words) => return refuse(("current", words)).await,
    };
    let password_hash = make::hash(sent.new).await?;
    // This session ends, too: the page that follows comes with one of its own.
    let (workspace_id, user_id) = (who.workspace_id.clone(), who.user_id.clone());
    let (actor, now) = (actor_of(&who.email), visit.now);
    app.db.write(NewPassword { workspace_id, user_id, password_hash, actor, now }).await?;
    let next = format!("/p/{}/settings/profile?notice=password", encode(public_id));
    session::start(app, headers, login, &who.email, &next).await
}

/// Is it the password of who is logged in? Counts as a log-in, with its limits.
async fn confirmed(
    app: &App,
    visit: &Visit,
    door: &Arc<Door>,
    password: &str,
) -> Result<Result<tributary_store::setup::Login, String>, PageError> {
    let email = visit.session.email.clone();
    let knock = Knock { email, password: password.to_owned(), known_device: true, ip: None };
    match door.open(app, knock).await {
        Ok(login) => Ok(Ok(login)),
        Err(Shut::Wrong) => Ok(Err("This is not your current password. Nothing was changed.".to_owned())),
        Err(Shut::Wait(seconds)) => Ok(Err(format!(
            "Too many tries. Wait {} minutes and try again.",
            seconds.saturating_add(59) / 60
        ))),
        Err(Shut::Failed(error)) => Err(error),
    }
}

struct LoadUser(Load, String);

impl Unit for LoadUser {
    type Out = (stored::Frame, User);
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let loaded = self.0.run(tx).await?;
        let user = users::find(tx, &self.0.workspace_id, &self.1).await?;
        Ok((loaded, user.ok_or_else(|| StoreError::NotFound(format!("user {}", self.1)))?))
    }
}

struct Rename {
    workspace_id: String,
    user_id: String,
    name: String,
    email: String,
}

impl Unit for Rename {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        users::rename(tx, &self.workspace_id, &self.user_id, &self.name, &self.email).await
    }
}
