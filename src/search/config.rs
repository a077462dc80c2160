//! How much the index takes in and what may be asked of it.

use serde::{Deserialize, Serialize};

/// Settings of the index of texts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SearchConfig {
    /// Whether there is an index. Without one nothing can be searched, and writing takes less; a database that
    /// gets one later is indexed from its first trace.
    pub enabled: bool,
    /// Bytes of text of one kind that are indexed of one span, trace or message: its beginning. What an agent
    /// read from a file or a page may be megabytes, and nobody looks for its end.
    pub text_bytes: usize,
    /// Spans that each search looks through by itself, of traces that go on and so are in no index yet: those of the
    /// newest ones. Their bodies are read for it each time. 0: none.
    pub running_spans: usize,
    /// Bytes that the index gathers in memory before they go to the disk. Less makes smaller files, which take more
    /// work, and more memory, to be merged; 15 MB is the least that works. They are given back when nothing has been
    /// written for a while.
    pub writer_bytes: usize,
    /// Bytes of a query at most.
    pub query_bytes: usize,
    /// Words and phrases of a query at most: each is looked up by itself.
    pub query_words: usize,
}

impl Default for SearchConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            text_bytes: 32 << 10,
            running_spans: 5_000,
            writer_bytes: 60_000_000,
            query_bytes: 1_000,
            query_words: 32,
        }
    }
}
