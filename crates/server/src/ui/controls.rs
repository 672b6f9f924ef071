//! What a person types into, picks from, presses or copies.

use askama::Template;

/// A labelled input with help and error, joined by ids so that both are read out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Template)]
#[template(path = "components/field.html")]
pub struct Field {
    /// The name in the form, and the id on the page.
    pub name: &'static str,
    /// What it asks for.
    pub label: &'static str,
    /// `text`, `email`, `password`, `search`, `url`, `date`.
    pub kind: &'static str,
    /// What stands in it.
    pub value: String,
    /// One sentence of help; empty for none.
    pub help: &'static str,
    /// What is wrong with the value; empty if nothing is.
    pub error: String,
    /// The browser's hint for filling it in.
    pub autocomplete: &'static str,
    /// Must it be filled in?
    pub required: bool,
    /// Does it take the focus when the page opens?
    pub focus: bool,
}
impl askama::filters::HtmlSafe for Field {}

impl Field {
    /// The ids of help and error, as `aria-describedby` wants them.
    #[must_use]
    pub fn described_by(&self) -> String {
        let mut ids = Vec::new();
        if !self.error.is_empty() {
            ids.push(format!("{}-error", self.name));
        }
        if !self.help.is_empty() {
            ids.push(format!("{}-help", self.name));
        }
        ids.join(" ")
    }
}

/// One thing to pick from several: (value, words).
#[derive(Debug, Clone, Default, PartialEq, Eq, Template)]
#[template(path = "components/select.html")]
pub struct Select {
    /// The name in the form, and the id on the page.
    pub name: &'static str,
    /// What it asks for.
    pub label: &'static str,
    /// Value and words of each choice.
    pub options: Vec<(String, String)>,
    /// The value that is picked.
    pub value: String,
    /// One sentence of help; empty for none.
    pub help: &'static str,
}
impl askama::filters::HtmlSafe for Select {}

/// A box to tick.
#[derive(Debug, Clone, Default, PartialEq, Eq, Template)]
#[template(path = "components/checkbox.html")]
pub struct Checkbox {
    /// The name in the form, and the id on the page.
    pub name: &'static str,
    /// What ticking it means.
    pub label: &'static str,
    /// Is it ticked?
    pub checked: bool,
}
impl askama::filters::HtmlSafe for Checkbox {}

/// A day from and a day to, in a form that is sent with GET.
#[derive(Debug, Clone, Default, PartialEq, Eq, Template)]
#[template(path = "components/date_range.html")]
pub struct DateRange {
    /// Where the form goes.
    pub action: String,
    /// First day, `2026-11-01`, or empty.
    pub from: String,
    /// Last day, or empty.
    pub to: String,
}
impl askama::filters::HtmlSafe for DateRange {}

/// A button, or a link that looks like one where `href` is set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Template)]
#[template(path = "components/button.html")]
pub struct Button {
    /// The verb on it.
    pub label: &'static str,
    /// An icon before the verb; empty for none.
    pub icon: &'static str,
    /// `primary`, `danger`, `quiet`, `small`, in any combination; empty for the usual look.
    pub look: &'static str,
    /// Where it leads; empty for a button that sends its form.
    pub href: String,
}
impl askama::filters::HtmlSafe for Button {}

/// Links of which one is chosen.
#[derive(Debug, Clone, Default, PartialEq, Eq, Template)]
#[template(path = "components/segmented.html")]
pub struct Segmented {
    /// What is chosen between.
    pub label: &'static str,
    /// Words, address, chosen.
    pub choices: Vec<(String, String, bool)>,
}
impl askama::filters::HtmlSafe for Segmented {}

/// Tabs: links of which one is the page that is seen.
#[derive(Debug, Clone, Default, PartialEq, Eq, Template)]
#[template(path = "components/tabs.html")]
pub struct Tabs {
    /// What the tabs divide.
    pub label: &'static str,
    /// Words, address, chosen.
    pub tabs: Vec<(String, String, bool)>,
}
impl askama::filters::HtmlSafe for Tabs {}

/// A value to take away, with a copy button.
#[derive(Debug, Clone, Default, PartialEq, Eq, Template)]
#[template(path = "components/copy_field.html")]
pub struct CopyField {
    /// What it is, for the button's label.
    pub what: &'static str,
    /// The value.
    pub value: String,
}
impl askama::filters::HtmlSafe for CopyField {}

/// A snippet in one language out of several, with a copy button.
#[derive(Debug, Clone, Default, PartialEq, Eq, Template)]
#[template(path = "components/code.html")]
pub struct Code {
    /// The id on the page.
    pub id: &'static str,
    /// What the snippet is, or its file name.
    pub title: String,
    /// Languages to switch between: words, address, chosen. Empty for one language.
    pub languages: Vec<(String, String, bool)>,
    /// The text itself.
    pub text: String,
}
impl askama::filters::HtmlSafe for Code {}

/// Words that explain other words, seen on hover, focus and tap.
#[derive(Debug, Clone, Default, PartialEq, Eq, Template)]
#[template(path = "components/tip.html")]
pub struct Tip {
    /// The words on the page.
    pub text: String,
    /// The words that explain them.
    pub explained: String,
}
impl askama::filters::HtmlSafe for Tip {}
