//! Values as JSON has them: objects, words, moments, documents, and conditions on traces. Requests are read so, and what
//! is kept of a condition is written so. Uses only the model.

pub(crate) mod condition;
pub(crate) mod object;
pub(crate) mod path;
mod private;
pub(crate) mod scalar;
pub(crate) mod words;
