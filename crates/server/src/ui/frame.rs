//! The frame around every page: program switcher, navigation, search, theme, who is logged in.

use super::badge::Avatar;
use super::lists::Bar;
use super::text::encode;

/// Light, dark, or as the system says; kept in the cookie `tributary_theme`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Theme {
    /// As the system says.
    #[default]
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

impl Theme {
    /// The word in the cookie and in the form.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// Reads the word; anything else follows the system.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        match text {
            "light" => Self::Light,
            "dark" => Self::Dark,
            _ => Self::System,
        }
    }

    /// The buttons of the switch: value, icon, words.
    #[must_use]
    pub const fn choices() -> [(Self, &'static str, &'static str); 3] {
        [
            (Self::System, "monitor", "Theme: as the system"),
            (Self::Light, "sun", "Theme: light"),
            (Self::Dark, "moon", "Theme: dark"),
        ]
    }
}

/// What a page without a log-in needs to know.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Head {
    /// The page's name, before "· Tributary".
    pub title: String,
    /// The theme to paint in.
    pub theme: Theme,
    /// Where the theme switch comes back to: path and query.
    pub here: String,
}

/// A program as the switcher shows it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProgramCard {
    /// Its 8 capital letters and digits.
    pub public_id: String,
    /// Its name.
    pub name: String,
    /// `affiliate` or `refer_a_friend`.
    pub kind: String,
    /// Its currency, lower case.
    pub currency: String,
    /// Does it show live data?
    pub live: bool,
}

impl ProgramCard {
    /// "Affiliate · USD".
    #[must_use]
    pub fn line(&self) -> String {
        let kind = if self.kind == "refer_a_friend" { "Refer-a-friend" } else { "Affiliate" };
        format!("{kind} · {}", self.currency.to_ascii_uppercase())
    }
    /// "Test" or "Live".
    #[must_use]
    pub const fn mode(&self) -> &'static str {
        if self.live { "Live" } else { "Test" }
    }
    /// The first letter of the name.
    #[must_use]
    pub fn letter(&self) -> String {
        self.name
            .chars()
            .find(|letter| letter.is_alphanumeric())
            .map(|c| c.to_uppercase().collect())
            .unwrap_or_default()
    }
    /// The program's first page: `/p/ABCD2345`.
    #[must_use]
    pub fn home(&self) -> String {
        format!("/p/{}", encode(&self.public_id))
    }
    /// The page of this program under a path: `/p/ABCD2345/events`.
    #[must_use]
    pub fn href(&self, path: &str) -> String {
        format!("/p/{}/{path}", encode(&self.public_id))
    }
}

/// Which entry of the navigation a page belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Section {
    /// The first page.
    #[default]
    Overview,
    /// Who refers.
    Partners,
    /// Who was referred.
    Customers,
    /// Transactions and their explanation.
    Transactions,
    /// Referral links.
    Links,
    /// The search, which has no entry.
    Search,
    /// The inbox.
    Events,
    /// Script, guides, Stripe, API.
    Integration,
    /// Settings.
    Settings,
}

/// One entry of the navigation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NavItem {
    /// Its word.
    pub label: &'static str,
    /// Its icon.
    pub icon: &'static str,
    /// Where it leads.
    pub href: String,
    /// Is it the page that is seen?
    pub current: bool,
    /// A number behind the word, where somebody should look.
    pub count: Option<i64>,
}

/// Everything around a page of one program.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frame {
    /// Title, theme and address.
    pub head: Head,
    /// The navigation entry of the page.
    pub section: Section,
    /// The program that is seen.
    pub program: ProgramCard,
    /// All programs of the workspace, this one too.
    pub programs: Vec<ProgramCard>,
    /// The workspace's name.
    pub workspace: String,
    /// The e-mail address of who is logged in.
    pub user: String,
    /// Token that every form sends back.
    pub form_token: String,
    /// What needs the owner.
    pub bars: Vec<Bar>,
    /// Events that are parked, beside "Events" in the navigation.
    pub parked: i64,
    /// What stands in the search field.
    pub search: String,
}

impl Frame {
    /// The entries whose pages exist.
    #[must_use]
    pub fn nav(&self) -> Vec<NavItem> {
        let item = |label, icon, path: &str, section| NavItem {
            label,
            icon,
            href: self.program.href(path),
            current: self.section == section,
            count: None,
        };
        vec![
            NavItem {
                label: "Overview",
                icon: "layout-dashboard",
                href: self.program.home(),
                current: self.section == Section::Overview,
                count: None,
            },
            item(
                if self.program.kind == "refer_a_friend" { "Referrals" } else { "Partners" },
                "users",
                "partners",
                Section::Partners,
            ),
            item("Customers", "user", "customers", Section::Customers),
            item("Transactions", "arrow-left-right", "transactions", Section::Transactions),
            item("Links", "link", "links", Section::Links),
            NavItem {
                label: "Integration",
                icon: "plug",
                href: self.program.href("integration"),
                current: self.section == Section::Integration,
                count: None,
            },
            NavItem {
                label: "Events",
                icon: "zap",
                href: self.program.href("events"),
                current: self.section == Section::Events,
                count: (self.parked > 0).then_some(self.parked),
            },
            NavItem {
                label: "Settings",
                icon: "settings",
                href: self.program.href("settings"),
                current: self.section == Section::Settings,
                count: None,
            },
        ]
    }

    /// The circle of who is logged in.
    #[must_use]
    pub fn avatar(&self) -> Avatar {
        Avatar { name: self.user.clone(), large: true }
    }
}
