//! Statistics: what figures can be said to show. Pure functions of numbers.

pub mod paired;
