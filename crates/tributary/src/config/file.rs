//! `tributary.toml`: flat keys, the same as the settings.

use super::settings::{Origin, Raw, SETTINGS};
use crate::failure::Failure;
use std::path::Path;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The largest file, bytes.
const MAX: u64 = 64 * 1024;

/// Reads the file. What is unknown or of another kind is refused with its line; no line is repeated, for it may
/// hold a secret.
pub(super) fn read(path: &Path, raw: &mut Raw) -> Result<(), Failure> {
    let name = path.display().to_string();
    let cannot = |e: &dyn std::fmt::Display| Failure::usage(format!("{name} cannot be read: {e}."));
    let size = std::fs::metadata(path).map_err(|e| cannot(&e))?.len();
    if size > MAX {
        return Err(Failure::usage(format!("{name} is larger than {MAX} bytes.")));
    }
    let text = std::fs::read_to_string(path).map_err(|e| cannot(&e))?;
    parse(&name, &text, raw)
}

fn parse(name: &str, text: &str, raw: &mut Raw) -> Result<(), Failure> {
    let table = DeTable::parse(text).map_err(|error| {
        let line = error.span().map_or(1, |span| line_of(text, span.start));
        Failure::usage(format!("{name}, line {line}: {}.", error.message().trim_end_matches('.')))
    })?;
    for (key, value) in table.get_ref() {
        let line = line_of(text, key.span().start);
        let setting = SETTINGS.iter().find(|setting| setting.key == key.get_ref().as_ref());
        let Some(setting) = setting else {
            let known: Vec<_> = SETTINGS.iter().map(|setting| setting.key).collect();
            let key = key.get_ref();
            return Err(Failure::usage(format!(
                "{name}, line {line}: there is no setting “{key}”. The settings are {}.",
                known.join(", ")
            )));
        };
        let value = plain(value).ok_or_else(|| {
            Failure::usage(format!(
                "{name}, line {line}: {} is a text in quotes or a whole number.",
                setting.key
            ))
        })?;
        raw.set(setting, &value, Origin::File(name.to_owned(), line));
    }
    Ok(())
}

fn plain(value: &Spanned<DeValue<'_>>) -> Option<String> {
    match value.get_ref() {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) if number.radix() == 10 => Some(number.as_str().to_owned()),
        _ => None,
    }
}

fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_keys_and_kinds_are_refused_with_their_line() {
        for (text, line) in [
            ("listen = \"127.0.0.1:1\"\nlisten_to = \"x\"\n", "line 2"),
            ("\n\npoll_seconds = 1.5", "line 3"),
            ("listen = [1]", "line 1"),
            ("[stripe]\napi_base = \"x\"", "line 1"),
            ("listen = \"a\"\nlisten = \"b\"", "line 2"),
            ("master_key = hush", "line 1"),
        ] {
            let failure = parse("t.toml", text, &mut Raw::default()).unwrap_err();
            assert!(failure.message.contains(line), "{text}: {}", failure.message);
            assert!(!failure.message.contains("hush"), "{}", failure.message);
        }
    }

    #[test]
    fn numbers_and_texts_are_taken() {
        let mut raw = Raw::default();
        parse("t.toml", "poll_seconds = 30 # half a minute\nlisten = '127.0.0.1:9'", &mut raw).unwrap();
        assert_eq!(raw.read("poll_seconds", |text| Ok(text.to_owned())).unwrap(), "30");
        let failure = raw.read("listen", |_| Err::<(), _>("no".into())).unwrap_err();
        assert!(failure.message.contains("t.toml, line 2"), "{}", failure.message);
    }
}
