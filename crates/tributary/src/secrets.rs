//! Secrets come by the standard input, one a line, in the order of their flags: never as arguments, which other
//! users of the machine can read.

use crate::failure::Failure;
use secrecy::SecretString;
use std::io::{BufRead, IsTerminal, Read};

/// The longest line, bytes.
const LINE_MAX: u64 = 8 * 1024;

/// Reads one line for each flag that was given, in the order in which they stand on the command line; answers in
/// the order asked.
pub(crate) fn read<const N: usize>(flags: [(&str, bool); N]) -> Result<[Option<SecretString>; N], Failure> {
    let words: Vec<String> = std::env::args().collect();
    let place = |flag: &str| words.iter().position(|word| word == flag).unwrap_or(usize::MAX);
    let mut order: Vec<usize> = (0..N).filter(|at| flags[*at].1).collect();
    order.sort_by_key(|at| place(flags[*at].0));
    read_from(&mut std::io::stdin().lock(), std::io::stdin().is_terminal(), &flags, &order)
}

fn read_from<const N: usize>(
    input: &mut impl BufRead,
    terminal: bool,
    flags: &[(&str, bool); N],
    order: &[usize],
) -> Result<[Option<SecretString>; N], Failure> {
    let mut secrets = [const { None }; N];
    for (line, at) in order.iter().enumerate() {
        let flag = flags[*at].0;
        if terminal {
            eprintln!("{flag}: type one line (it will be seen)");
        }
        let mut text = String::new();
        let read = input.take(LINE_MAX).read_line(&mut text);
        read.map_err(|_| Failure::usage(format!("{flag}: the standard input is not text in UTF-8.")))?;
        let text = text.trim_end_matches(['\n', '\r']);
        if text.is_empty() {
            let line = line + 1;
            return Err(Failure::usage(format!(
                "{flag} reads line {line} of the standard input, and it is empty."
            )));
        }
        secrets[*at] = Some(SecretString::from(text));
    }
    Ok(secrets)
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    #[test]
    fn lines_go_to_flags_in_the_order_given() {
        let flags = [("--a-stdin", true), ("--b-stdin", true), ("--c-stdin", false)];
        let mut input = "second\r\nfirst\nrest".as_bytes();
        let [a, b, c] = read_from(&mut input, false, &flags, &[1, 0]).unwrap();
        assert_eq!(a.unwrap().expose_secret(), "first");
        assert_eq!(b.unwrap().expose_secret(), "second");
        assert!(c.is_none());
    }

    #[test]
    fn a_missing_line_names_the_flag() {
        let flags = [("--a-stdin", true), ("--b-stdin", true)];
        let failure = read_from(&mut "one\n".as_bytes(), false, &flags, &[0, 1]).unwrap_err();
        assert!(failure.message.contains("--b-stdin") && failure.message.contains("line 2"), "{failure:?}");
        assert!(!failure.message.contains("one\n"));
    }
}
