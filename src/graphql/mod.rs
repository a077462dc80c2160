//! The GraphQL schema and what stands before it. This layer calls services and nothing below them.

mod agent;
mod analysis;
mod component;
mod conversation;
mod enums;
mod error;
mod evaluation;
pub mod guard;
mod ids;
mod inputs;
mod loader;
mod message;
mod node;
pub mod page;
mod payload;
mod plan;
mod refusal;
pub mod request;
mod scalar;
mod score;
mod search;
mod series;
mod span;
pub mod text;
mod trace;

use async_graphql::{MergedObject, MergedSubscription, SDLExportOptions, Schema, SchemaBuilder};

use self::{
    agent::{
        AgentMutation, AgentQuery, AgentSubscription, ExecutionMutation, ReplayMutation, TracingMutation,
        TracingQuery,
    },
    component::{ComponentMutation, ComponentQuery},
    conversation::{ConversationMutation, ConversationQuery},
    evaluation::EvaluationQuery,
    guard::FieldWeight,
    message::{MessageMutation, MessageSubscription},
    node::NodeQuery,
    plan::{PlanMutation, PlanQuery, PlanSubscription},
    score::ScoreMutation,
    search::SearchQuery,
    series::SeriesQuery,
    span::SpanMutation,
    trace::{TraceMutation, TraceQuery, TraceSubscription},
};

/// What can be read.
#[derive(Default, MergedObject)]
pub struct Query(
    NodeQuery,
    ConversationQuery,
    PlanQuery,
    TraceQuery,
    ComponentQuery,
    SearchQuery,
    AgentQuery,
    TracingQuery,
    SeriesQuery,
    EvaluationQuery,
);

/// What can be done.
#[derive(Default, MergedObject)]
pub struct Mutation(
    ConversationMutation,
    MessageMutation,
    PlanMutation,
    TraceMutation,
    SpanMutation,
    ComponentMutation,
    ScoreMutation,
    AgentMutation,
    ExecutionMutation,
    ReplayMutation,
    TracingMutation,
);

/// What can be followed live. Every stream starts with a snapshot.
#[derive(Default, MergedSubscription)]
pub struct Subscription(TraceSubscription, MessageSubscription, PlanSubscription, AgentSubscription);

/// The schema with its roots.
pub type DendroSchema = Schema<Query, Mutation, Subscription>;

/// The schema. A request must have been [prepared](request::prepare) before it is executed.
#[must_use]
pub fn schema() -> DendroSchema {
    builder().finish()
}

/// What linters of the schema are told: where its rules and theirs differ, and why.
const FOR_LINTERS: &str = r#"# Written by `make schema` from the program's types; a test fails where the two differ.
# eslint @graphql-eslint/relay-edge-types: ["error", {"listTypeCanWrapOnlyEdgeType": false, "shouldImplementNode": false}] -- short lists need no pages, and hits of a search are no things of their own
# eslint @graphql-eslint/relay-arguments: ["error", {"includeBoth": false}] -- lists are walked forward
# eslint-disable @graphql-eslint/no-typename-prefix -- `traceId` is the plain UUID beside the global `id`
"#;

/// The schema's text, as `schema.graphql` holds it.
#[must_use]
pub fn sdl() -> String {
    let options = SDLExportOptions::new().include_specified_by().use_space_ident();
    format!("{FOR_LINTERS}\n{}", schema().sdl_with_options(options))
}

/// What the guard is told of fields whose cost the schema's text does not show: the views of a
/// trace's tree read the heads of all its spans, and two of them give all of them whatever is asked.
#[must_use]
pub fn weights() -> Vec<FieldWeight> {
    let weight = |field: &str, items, cost| FieldWeight { field: field.to_owned(), items, cost: Some(cost) };
    vec![
        weight("Trace.spans", None, READ_A_TREE),
        weight("Trace.rootSpans", Some(SPANS_OF_A_TRACE), READ_A_TREE),
        // A hit's text is read from where it is: the heads of its trace, then a body.
        weight("SearchHit.excerpt", None, READ_A_TREE),
        // A value in a column costs about a fifth of a field.
        weight("Trace.skeleton", None, READ_A_TREE + SPANS_OF_A_TRACE),
        weight("Conversation.evaluation", None, READ_A_TREE + SPANS_OF_A_TRACE),
        weight("Query.evaluateConversations", None, READ_MANY_TRACES),
        weight("Query.compareConversations", None, 2 * READ_MANY_TRACES),
        weight("Trace.analysis", None, READ_A_TREE + SPANS_OF_A_TRACE),
    ]
}

/// Spans that a trace is taken to have where a query asks for its whole tree: a long run of an agent. Larger
/// ones are met when they are walked, by `pages.most_tree_spans`.
const SPANS_OF_A_TRACE: u64 = 200;

/// What reading the rows of the traces of many conversations is taken to cost, in fields.
const READ_MANY_TRACES: u64 = 20_000;

/// What reading and placing the spans of a trace is taken to cost, in fields.
const READ_A_TREE: u64 = 100;

fn builder() -> SchemaBuilder<Query, Mutation, Subscription> {
    // Depth is the guard's to judge, which counts before anything walks the document.
    Schema::build(Query::default(), Mutation::default(), Subscription::default())
        .limit_recursive_depth(usize::MAX)
}
