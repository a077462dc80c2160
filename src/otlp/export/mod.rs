//! OpenTelemetry out: traces as OTLP requests, the mirror of what reads them.
//!
//! A span that came by OTLP goes out as it came: its attributes with their types, its events and links, its
//! resource and scope, from what is kept of it and from its origin. A span that was recorded here goes out
//! with OpenTelemetry's attributes for generative AI ([`recorded`]). What would not come back by itself
//! when an export is imported is said in Dendro's own words (see `otlp::own`): it is found by reading each
//! span as an import would, so nothing is said twice.
//!
//! What is read from where is the service's; where the bytes go is the caller's.

mod back;
mod chat;
mod json;
mod recorded;
mod request;
mod sent;
mod span;

use std::{collections::HashMap, sync::Arc};

use self::{
    back::Import,
    request::Requests,
    sent::{Sent, Source},
};
use super::{own::OwnTrace, wire::Encoding};
use crate::{
    model::trace::{Rank, Trace},
    service::tracing::{TracePiece, WholeSpan},
};

/// Writes traces as requests, each of one trace or of a part of it.
///
/// As JSON each request is a line. As protobuf each stands behind its length: four bytes, the most
/// significant first.
pub struct Exporter {
    requests: Requests,
    import: Import,
    /// Resources and scopes that were met, by how they are kept.
    sources: HashMap<String, Arc<Source>>,
}

/// Resources and scopes that are remembered.
const SOURCES: usize = 1_000;

impl Exporter {
    /// Writes in this encoding.
    #[must_use]
    pub fn new(encoding: Encoding) -> Self {
        Self { requests: Requests::new(encoding), import: Import::default(), sources: HashMap::new() }
    }

    /// How many requests were written.
    #[must_use]
    pub const fn requests(&self) -> u64 {
        self.requests.written()
    }

    /// Takes a piece of a trace; answers what is to be written by now.
    pub fn write(&mut self, piece: &TracePiece) -> Vec<u8> {
        let mut out = Vec::new();
        for whole in &piece.spans {
            let of_trace = (whole.head.id == piece.top).then(|| said_of(piece)).flatten();
            self.span(&piece.trace, whole, of_trace.as_ref(), &mut out);
        }
        if piece.is_last {
            self.requests.end(&mut out);
        }
        out
    }

    fn span(&mut self, trace: &Trace, whole: &WholeSpan, of_trace: Option<&OwnTrace>, out: &mut Vec<u8>) {
        let sent = Sent::of(whole);
        let key = sent.key();
        if self.sources.len() >= SOURCES && !self.sources.contains_key(&key) {
            self.sources.clear();
        }
        let source = Arc::clone(self.sources.entry(key).or_insert_with(|| Arc::new(Source::of(&sent))));
        let mut span = span::build(trace.id, whole, &sent, of_trace);
        self.import.complete(&mut span, &source.origin, whole);
        self.requests.add(&source, &span, out);
    }
}

/// What was said of a trace itself, and not told by its spans.
fn said_of(piece: &TracePiece) -> Option<OwnTrace> {
    let (trace, body) = (&*piece.trace, &*piece.body);
    let claims = &trace.claims;
    let is_said = |claim: &Option<Rank>| claim.as_ref().is_none_or(Rank::is_given);
    let text = |text: &Option<String>, claim| text.clone().filter(|_| is_said(claim));
    let said = OwnTrace {
        name: text(&trace.name, &claims.name),
        conversation: text(&trace.conversation_id.map(|id| id.to_string()), &claims.conversation),
        session: text(&trace.session_id, &claims.session),
        user: text(&trace.user_id, &claims.user),
        input: text(&body.user_input, &claims.input),
        output: text(&body.final_output, &claims.output),
    };
    (said != OwnTrace::default()).then_some(said)
}
