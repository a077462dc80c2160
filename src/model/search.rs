//! Which texts of traces can be searched.

use super::words::words;

words! {
    /// Kinds of texts that are searched.
    TextKind {
        /// What went in: what a user asked, what is new to a model, what a tool was called with.
        Input = 1 "INPUT",
        /// What came out: an answer, what a tool found.
        Output = 2 "OUTPUT",
        /// What is said in a conversation, as its messages have it.
        Message = 3 "MESSAGE",
        /// What went wrong.
        Error = 4 "ERROR",
        /// What a trace, a span, its tool or its agent is called.
        Name = 5 "NAME",
    }
}
