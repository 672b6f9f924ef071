//! What a caller may say about a partner.

use crate::api::fields::Fields;
use serde::Deserialize;
use utoipa::ToSchema;

/// Fields of the contract that are accepted and have no effect yet.
const WITHOUT_EFFECT: [&str; 5] = ["password", "tos", "marketing_consent", "custom_fields", "locale"];

/// What a caller says about a partner. `email` is required to create one.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
pub struct PartnerInput {
    /// E-mail address, unique in the program.
    pub email: Option<String>,
    /// First name, at most 100 characters.
    pub name: Option<String>,
    /// Last name, at most 100 characters.
    pub surname: Option<String>,
    /// The merchant's own id, at most 255 characters. Only to create.
    pub id: Option<String>,
    /// The public key in links: letters, digits, `-` and `_`, at most 64.
    pub key: Option<String>,
    /// Tags: texts, or objects `{"value": …}`.
    pub tags: Option<Vec<String>>,
    /// `active`, `pending` or `suspended`.
    pub status: Option<String>,
    /// true for `active`, false for `pending`.
    pub approved: Option<bool>,
}

impl PartnerInput {
    /// Reads the fields; mistakes stay with `fields`.
    pub fn read(fields: &Fields<'_>) -> Self {
        fields.ignore(&WITHOUT_EFFECT);
        if fields.object("referring_partner").is_some() {
            fields.wrong("referring_partner", "Partners who recruit partners are not supported yet.");
        }
        let status = fields.text("status", 20).filter(|status| {
            let known = ["active", "pending", "suspended"].contains(&status.as_str());
            if !known {
                fields.wrong("status", "The status is “active”, “pending” or “suspended”.");
            }
            known
        });
        Self {
            email: fields.email("email").filter(|email| !email.is_empty()),
            name: fields.text("name", 100),
            surname: fields.text("surname", 100),
            id: fields.text("id", 255).filter(|id| !id.is_empty()),
            key: fields.key("key"),
            tags: fields.list("tags", 255),
            status,
            approved: fields.flag("approved"),
        }
    }

    /// The status that is asked for.
    pub fn wanted_status(&self) -> Option<&str> {
        let by_flag = self.approved.map(|approved| if approved { "active" } else { "pending" });
        self.status.as_deref().or(by_flag)
    }
}
