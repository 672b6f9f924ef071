//! Log-in, sessions, and the belts around every page and form.

pub mod login;
