//! A full-text index of what traces say: which of their spans and messages have these words, the newest first.
//!
//! It knows documents (`document`), what a word is (`words`), what people write to look for them (`query`), and how
//! its files are kept (`folder`, `index`). It knows nothing of spans, services or the store, and keeps no text: who
//! wants to show what was found reads it from where it is. All of it can be made again, so what is damaged is thrown
//! away rather than mended.

mod config;
mod document;
mod fields;
mod folder;
mod index;
mod newest;
mod query;
mod words;

pub use self::{
    config::SearchConfig,
    document::{Document, Hit, Item, Place, Texts},
    index::{Index, SearchError},
    newest::Window,
    query::{Marks, TextQuery},
};
