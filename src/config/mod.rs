//! What can be set: one struct a section, each with its defaults and why. This module knows no part
//! of the program that it configures.

pub mod limits;

pub use self::limits::Limits;
