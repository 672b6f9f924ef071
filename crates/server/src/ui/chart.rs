//! A chart of two figures by time, drawn by the server: bars, a line for the time before, and the same as a table.
//! Text keeps its size whatever the width: positions across are per cent, heights are pixels, and both are whole
//! numbers here.

use askama::Template;

/// Height of the drawn part, px.
const TALL: i64 = 184;
/// Room above the highest line, px.
const HEAD: i64 = 8;
/// Lines across, beside the ground.
const LINES: i64 = 4;

/// What a bar stands for, its short name, its height, the height of its lower part, and the line's.
type Row = (String, String, [i64; 3]);

/// What is drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Series {
    /// What the bars, their lower part, and the line mean.
    pub names: [String; 3],
    /// What a bar stands for, its short name, its height, the height of its lower part, and the line's.
    pub rows: Vec<Row>,
    /// The least that a line across may be apart, so that its words stay whole.
    pub unit: i64,
}

/// One bar: all positions are ready for the markup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bar {
    /// What it says when it is pointed at.
    pub title: String,
    /// Left edge of its place, per cent.
    pub slot: String,
    /// Left edge, per cent.
    pub x: String,
    /// Top and height of the bar, px.
    pub whole: (i64, i64),
    /// Top and height of its lower part, px.
    pub part: (i64, i64),
    /// The line from the bar before to this one: x1, y1, x2, y2.
    pub line: Option<(String, i64, String, i64)>,
}

/// A name under the chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// Its middle, per cent.
    pub x: String,
    /// `start`, `middle` or `end`.
    pub anchor: &'static str,
    /// Its words.
    pub text: String,
    /// Is it seen where there is little room?
    pub narrow: bool,
}

/// The chart.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "components/chart.html")]
pub struct Chart {
    /// What it shows, in a sentence.
    pub title: String,
    /// What the bars, their lower part, and the line mean.
    pub names: [String; 3],
    /// The head of the table's first column.
    pub step: &'static str,
    /// Height and words of each line across.
    pub lines: Vec<(i64, String)>,
    /// Width of a bar's place and of the bar, per cent.
    pub widths: (String, String),
    /// The bars.
    pub bars: Vec<Bar>,
    /// The names under it.
    pub marks: Vec<Mark>,
    /// The same as a table, newest last.
    pub table: Vec<(String, [String; 3])>,
    /// Is there anything to be seen?
    pub any: bool,
}
impl askama::filters::HtmlSafe for Chart {}

impl Chart {
    /// Draws. `full` writes a figure in the table, `short` on a line across.
    #[must_use]
    pub fn draw(
        title: String,
        step: &'static str,
        series: &Series,
        full: impl Fn(i64) -> String,
        short: impl Fn(i64) -> String,
    ) -> Self {
        let count = i64::try_from(series.rows.len()).unwrap_or(1).max(1);
        let most = series.rows.iter().flat_map(|(_, _, figures)| figures).copied().max().unwrap_or(0);
        let apart = nice(most, series.unit);
        let top = apart.saturating_mul(LINES);
        let y = |figure: i64| HEAD + TALL - tall(figure, top);
        let slot = 100_000 / count;
        let gap = slot * if count > 40 { 12 } else { 18 } / 100;
        let middle = |at: i64| at * slot + slot / 2;
        let mut bars = Vec::new();
        let mut last: Option<i64> = None;
        // A line that is nothing but the ground says nothing.
        let compared = series.rows.iter().any(|(_, _, figures)| figures[2] != 0);
        for (at, (name, _, [whole, part, before])) in (0_i64..).zip(&series.rows) {
            let line = last
                .filter(|_| compared)
                .map(|last| (per_cent(middle(at - 1)), y(last), per_cent(middle(at)), y(*before)));
            last = Some(*before);
            let words = [&series.names[0], &series.names[1], &series.names[2]];
            let figures = [full(*whole), full(*part), full(*before)];
            let said: Vec<_> =
                words.iter().zip(&figures).map(|(word, figure)| format!("{word}: {figure}")).collect();
            bars.push(Bar {
                title: format!("{name}\n{}", said.join("\n")),
                slot: per_cent(at * slot),
                x: per_cent(at * slot + gap),
                whole: (y(*whole), tall(*whole, top)),
                part: (y(*part), tall(*part, top)),
                line,
            });
        }
        Self {
            title,
            names: series.names.clone(),
            step,
            lines: (0..=LINES).map(|line| (y(apart * line), short(apart * line))).collect(),
            widths: (per_cent(slot), per_cent(slot - 2 * gap)),
            bars,
            marks: marks(series, slot),
            table: series.rows.iter().map(|(name, _, figures)| (name.clone(), figures.map(&full))).collect(),
            any: most > 0,
        }
    }
}

/// Pixels of a figure; below zero counts as nothing, and what is more than nothing can be seen.
fn tall(figure: i64, top: i64) -> i64 {
    let exact = i128::from(figure.max(0)) * i128::from(TALL) / i128::from(top.max(1));
    i64::try_from(exact).unwrap_or(TALL).max(i64::from(figure > 0))
}

/// Thousandths of a per cent as the markup wants them: `12.345%`.
fn per_cent(thousandths: i64) -> String {
    format!("{}.{:03}%", thousandths / 1_000, thousandths % 1_000)
}

/// How far apart the lines across are: 1, 2, 2.5 or 5 times a power of ten units, so that four of them reach `most`.
fn nice(most: i64, unit: i64) -> i64 {
    let unit = unit.max(1);
    let mut power = unit;
    loop {
        for (times, of) in [(1, 1), (2, 1), (5, 2), (5, 1)] {
            // Half a unit would need another digit.
            if of == 2 && power == unit {
                continue;
            }
            let apart = power.saturating_mul(times) / of;
            if apart.saturating_mul(LINES) >= most || apart >= i64::MAX / (LINES * 10) {
                return apart;
            }
        }
        power = power.saturating_mul(10);
    }
}

/// Up to seven names, evenly apart; every second one stays where there is little room.
fn marks(series: &Series, slot: i64) -> Vec<Mark> {
    let count = series.rows.len();
    let every = count.div_ceil(7).max(1);
    let shown = series.rows.iter().enumerate().step_by(every);
    let mark = |(n, (at, (_, name, _))): (usize, (usize, &Row))| {
        let x = i64::try_from(at).unwrap_or(0) * slot + slot / 2;
        Mark {
            x: per_cent(x),
            anchor: if x > 96_000 { "end" } else { "middle" },
            text: name.clone(),
            narrow: n % 2 == 0 || count <= 4,
        }
    };
    shown.enumerate().map(mark).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(figures: &[[i64; 3]]) -> Series {
        let rows = figures.iter().map(|figures| ("<b>day</b>".to_owned(), "1 Nov".to_owned(), *figures));
        Series {
            names: ["Revenue".into(), "Commissions".into(), "Before".into()],
            rows: rows.collect(),
            unit: 100,
        }
    }

    fn chart(figures: &[[i64; 3]]) -> Chart {
        Chart::draw(
            "Revenue".into(),
            "Day",
            &series(figures),
            |figure| figure.to_string(),
            |figure| figure.to_string(),
        )
    }

    #[test]
    fn lines_across_are_round_and_reach_the_highest_bar() {
        for (most, apart) in [
            (0, 100),
            (1, 100),
            (400, 100),
            (401, 200),
            (801, 500),
            (2_001, 1_000),
            (8_001, 2_500),
            (10_001, 5_000),
        ] {
            assert_eq!(nice(most, 100), apart, "{most}");
        }
        assert!(nice(i64::MAX, 1) > 0);
    }

    #[test]
    fn what_is_more_than_nothing_is_seen_and_nothing_is_not() {
        let drawn = chart(&[[1_000_000, 1, 0], [0, 0, 500_000], [-5, 0, 0]]);
        assert_eq!(drawn.bars[0].whole.1, TALL);
        assert_eq!(drawn.bars[0].part.1, 1);
        assert_eq!((drawn.bars[1].whole.1, drawn.bars[2].whole.1), (0, 0));
        assert!(drawn.bars[0].line.is_none() && drawn.bars[1].line.is_some());
        assert!(drawn.any && !chart(&[[0, 0, 0]]).any && !chart(&[]).any);
    }

    #[test]
    fn the_chart_carries_its_table_and_escapes_its_words() {
        let html = chart(&[[5, 2, 1], [7, 3, 1]]).to_string();
        assert!(
            html.contains("<table") && html.contains("<title>") && html.contains("role=\"img\""),
            "{html}"
        );
        assert!(!html.contains("<b>day") && !html.contains("style="), "{html}");
    }

    #[test]
    fn names_below_stay_few() {
        for count in [1_usize, 7, 12, 30, 92] {
            let drawn = chart(&vec![[1, 0, 0]; count]);
            assert!((1..=7).contains(&drawn.marks.len()), "{count}");
            assert!(drawn.marks.iter().filter(|mark| mark.narrow).count() <= 4, "{count}");
        }
    }
}
