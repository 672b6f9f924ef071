//! What stands around a list: filters, order, pages, and the words when it is empty.

use super::{Icon, Tone};
use askama::Template;

/// One filter that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chip {
    /// The word on it.
    pub label: String,
    /// The list with this filter.
    pub href: String,
    /// Is it the one in force?
    pub chosen: bool,
    /// How many rows it would show, where that is known.
    pub count: Option<i64>,
}

impl Chip {
    /// The count with grouped thousands.
    #[must_use]
    pub fn count_words(&self) -> Option<String> {
        self.count.map(|count| super::money::grouped(&count.to_string()))
    }
}

/// The filters of a list, one chosen.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "components/chips.html")]
pub struct Chips {
    /// What is filtered by.
    pub label: &'static str,
    /// The filters.
    pub chips: Vec<Chip>,
}
impl askama::filters::HtmlSafe for Chips {}

/// The order a column stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// Not sorted by this column.
    #[default]
    None,
    /// Smallest or oldest first.
    Ascending,
    /// Largest or newest first.
    Descending,
}

/// A column's head that sorts by it.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "components/sort_head.html")]
pub struct SortHead {
    /// The column's name.
    pub label: &'static str,
    /// The list in the other order.
    pub href: String,
    /// The order now.
    pub order: Order,
    /// Are the column's cells figures?
    pub figures: bool,
}
impl askama::filters::HtmlSafe for SortHead {}

/// The pages before and after; keyset pages know no total.
#[derive(Debug, Clone, Default, PartialEq, Eq, Template)]
#[template(path = "components/pager.html")]
pub struct Pager {
    /// What is shown, in words: "50 transactions".
    pub shown: String,
    /// The newer page, if there is one.
    pub newer: Option<String>,
    /// The older page, if there is one.
    pub older: Option<String>,
}
impl askama::filters::HtmlSafe for Pager {}

/// The pages before and after of a list that is counted from its start.
#[derive(Debug, Clone, Default, PartialEq, Eq, Template)]
#[template(path = "components/pages.html")]
pub struct Pages {
    /// What is shown, in words: "51 – 100".
    pub shown: String,
    /// The page before, if there is one.
    pub previous: Option<String>,
    /// The page after, if there is one.
    pub next: Option<String>,
}
impl askama::filters::HtmlSafe for Pages {}

impl Pages {
    /// The pages around page `number` (from 0) of `size` rows, of which `rows` are shown. `query` is what the address
    /// keeps: `state=active&`. A list of one page says how many there are: `what` is the word for one and for several.
    #[must_use]
    pub fn around(
        (path, query): (&str, &str),
        what: (&str, &str),
        (number, size): (i64, i64),
        rows: usize,
        more: bool,
    ) -> Self {
        use super::money::grouped;
        let rows = i64::try_from(rows).unwrap_or(0);
        let first = number * size + 1;
        let shown = match rows {
            0 => "None".to_owned(),
            1 if number == 0 && !more => format!("1 {}", what.0),
            _ if number == 0 && !more => format!("{} {}", grouped(&rows.to_string()), what.1),
            1 => grouped(&first.to_string()),
            _ => format!("{} – {}", grouped(&first.to_string()), grouped(&(first + rows - 1).to_string())),
        };
        let to = |number: i64| match number {
            0 => format!("{path}?{query}").trim_end_matches(['?', '&']).to_owned(),
            _ => format!("{path}?{query}page={}", number + 1),
        };
        Self { shown, previous: (number > 0).then(|| to(number - 1)), next: more.then(|| to(number + 1)) }
    }
}

/// A field that searches in one list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Template)]
#[template(path = "components/list_search.html")]
pub struct Search {
    /// Where the form goes.
    pub action: String,
    /// What stands in the field.
    pub value: String,
    /// What it searches by.
    pub label: &'static str,
    /// What the address keeps beside it.
    pub kept: Vec<(&'static str, String)>,
}
impl askama::filters::HtmlSafe for Search {}

/// An empty list: one line of truth and one action.
#[derive(Debug, Clone, Default, PartialEq, Eq, Template)]
#[template(path = "components/empty.html")]
pub struct Empty {
    /// A Lucide icon.
    pub icon: &'static str,
    /// What is so.
    pub title: String,
    /// What will change it.
    pub text: String,
    /// Words and address of the one action, if there is one.
    pub action: Option<(String, String)>,
}
impl askama::filters::HtmlSafe for Empty {}

impl Empty {
    fn mark(&self) -> Icon {
        super::icon(self.icon)
    }
}

/// A line over the page about something that needs the owner.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "components/bar.html")]
pub struct Bar {
    /// How grave it is; `Plain` for a mere note.
    pub tone: Tone,
    /// What is so, and what to do.
    pub text: String,
    /// Words and address of what to do, if it is on a page.
    pub action: Option<(String, String)>,
}
impl askama::filters::HtmlSafe for Bar {}

impl Bar {
    /// The class that carries the colour.
    #[must_use]
    pub const fn class(&self) -> &'static str {
        match self.tone {
            Tone::Plain | Tone::Accent => "info",
            Tone::Good => "good",
            Tone::Warn => "",
            Tone::Bad => "bad",
        }
    }
    fn mark(&self) -> Icon {
        super::icon(match self.tone {
            Tone::Plain | Tone::Accent => "info",
            Tone::Good => "circle-check",
            Tone::Warn => "triangle-alert",
            Tone::Bad => "circle-alert",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Pages;

    #[test]
    fn a_list_of_one_page_says_how_many_and_of_several_which() {
        let shown =
            |number, rows, more| Pages::around(("/p", ""), ("link", "links"), (number, 50), rows, more).shown;
        assert_eq!(shown(0, 0, false), "None");
        assert_eq!(shown(0, 1, false), "1 link");
        assert_eq!(shown(0, 50, false), "50 links");
        assert_eq!(shown(0, 50, true), "1 – 50");
        assert_eq!(shown(1, 1, false), "51");
        assert_eq!(shown(20, 50, true), "1,001 – 1,050");
    }
}
