//! Log-in, sessions, and the belts around every page and form.

pub mod cookies;
pub mod door;
pub mod headers;
pub mod host;
pub mod limit;
pub mod login;
pub mod new_password;
pub mod origin;
pub mod session;
pub mod theme;
