//! Setting up, by command line and by browser alike: what may be typed, and what is made of it.

pub mod base;
pub mod checks;
pub mod first_run;
pub mod gate;
pub mod make;
pub mod reveal;
pub mod reward;
