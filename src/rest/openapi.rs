//! The description of this API (OpenAPI 3.1): what the handlers declare, and what holds for all of them, which is
//! said here once.

use serde_json::{Value, json};
use utoipa::OpenApi;

use super::{
    Pages, conversations, messages, plans,
    problem::{MEDIA_TYPE, Told},
    spans, traces,
};

/// What the description begins with.
#[derive(OpenApi)]
#[openapi(
    info(title = "Dendro", description = ABOUT, license(name = "Apache-2.0", identifier = "Apache-2.0")),
    servers((url = "/api/v1")),
    components(schemas(
        Told,
        conversations::ConversationOrder,
        messages::MessageOrder,
        plans::PlanOrder,
        spans::SpanOrder,
        traces::Include,
    )),
    tags(
        (name = "Conversations", description = "What is said between users and agents."),
        (name = "Messages", description = "What is said in a conversation, and agents that answer."),
        (name = "Traces", description = "Runs of agents: what went in, what came out, and everything between."),
        (name = "Spans", description = "The operations in a trace."),
        (name = "Analysis", description = "Where time and money went, what went wrong, and how conversations went."),
        (name = "Plans", description = "What agents intend to do, step by step."),
        (name = "Components", description = "The exact versions of prompts, tools and models behind spans."),
        (name = "Scores", description = "Judgements of what agents did."),
        (name = "Export", description = "All of it as tables, for others to read."),
    ),
)]
pub(super) struct Base;

const ABOUT: &str = "\
Conversations, traces with their span trees, plans, component versions and scores, as REST. GraphQL, at `/graphql`, tells \
the same and more, and follows what goes on.

**Names and values** are those of GraphQL. Moments are RFC 3339; answers are in UTC with nine digits of the second. Whole \
numbers are JSON numbers also where they have 64 bits: a reader that holds numbers as doubles loses digits beyond 2^53, \
which only `durationNanos` can reach in practice. A figure that nobody knows is null, never 0. JSON that was stored comes \
back as it was written.

**Lists** come in pages: `limit` says how long, and `next`, sent as `after`, goes on. The `Link` header has the next \
page's address.

**Caching.** Each answer to GET has an `ETag`: sent as `If-None-Match` it is answered 304 until something has changed. Sent \
as `If-Match` with PATCH and DELETE of a conversation, and with PUT and DELETE of a label, the change is only made to the \
state that was read. Where it is not taken, a change that is sent with it is refused (400).

**Problems** are told as RFC 9457 says. Decide by `code`; `field` names what is at fault.";

/// Where an answer can come from besides the handler, by the shape of the operation.
const PROBLEMS: [Possible; 9] = [
    Possible("400", "Malformed", "The path, the query or the JSON is malformed.", |shape| {
        shape.has_params || shape.has_body
    }),
    Possible("404", "NotFound", "There is nothing with this ID.", |shape| shape.has_id),
    Possible("409", "Conflict", "The ID is taken, or the state does not allow it.", |shape| shape.has_body),
    Possible("412", "Stale", "It has changed since it was read.", |shape| shape.has_condition),
    Possible("413", "TooLarge", "The body is too large.", |shape| shape.has_body),
    Possible("415", "NotJson", "The body is not JSON.", |shape| shape.has_body),
    Possible("422", "NotAllowed", "A value is not allowed.", |shape| shape.has_body || shape.has_condition),
    Possible("503", "Busy", "Too much is going on: try again after `Retry-After`.", |_| true),
    Possible("default", "Other", "Any other problem.", |_| true),
];

/// A problem that an operation may answer: its status, its name in the description, what it means, and of which
/// operations.
struct Possible(&'static str, &'static str, &'static str, fn(&Shape) -> bool);

/// What an operation has.
#[expect(clippy::struct_excessive_bools, reason = "each is a question of its own")]
struct Shape {
    has_params: bool,
    has_id: bool,
    has_body: bool,
    has_condition: bool,
    reads: bool,
}

/// The description, with the lengths of pages that hold here.
pub(super) fn complete(api: &utoipa::openapi::OpenApi, pages: &Pages) -> serde_json::Result<Value> {
    let mut api = serde_json::to_value(api)?;
    if let Some(paths) = api.get_mut("paths").and_then(Value::as_object_mut) {
        for (path, item) in paths {
            for (method, operation) in item.as_object_mut().into_iter().flatten() {
                complete_operation(path, method, operation, pages);
            }
        }
    }
    either_or_null(&mut api);
    if let Some(components) = api.get_mut("components") {
        let described = |Possible(_, name, meaning, _): Possible| (name.to_owned(), problem(meaning));
        components["responses"] = PROBLEMS.into_iter().map(described).collect();
    }
    let schemas = api.pointer_mut("/components/schemas").and_then(Value::as_object_mut);
    for (name, schema) in schemas.into_iter().flatten() {
        // Answers say everything, with null where there is nothing. Only a problem leaves out what it has not.
        if name != "Problem" {
            require_all(schema);
        }
    }
    Ok(api)
}

fn complete_operation(path: &str, method: &str, operation: &mut Value, pages: &Pages) {
    let shape = Shape {
        has_params: operation.get("parameters").is_some(),
        has_id: path.contains('{'),
        has_body: operation.get("requestBody").is_some(),
        has_condition: names(operation).any(|name| name == "If-Match"),
        reads: method == "get",
    };
    for param in operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten() {
        if param["name"] == "limit" {
            let most = if path.ends_with("/spans") { pages.most_spans } else { pages.most };
            param["schema"] = json!({ "type": "integer", "minimum": 1, "maximum": most });
        }
    }
    // What is made while it is sent is not known before.
    let streams = path.contains("/export/");
    let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) else { return };
    for (status, response) in responses.iter_mut() {
        complete_success(status, response, !streams);
    }
    if shape.reads && !streams {
        let unchanged = json!({ "description": "The client has it already (`If-None-Match`).", "headers": headers::<Value>(&["ETag"]) });
        responses.insert("304".to_owned(), unchanged);
    }
    for Possible(status, name, _, can) in PROBLEMS {
        if can(&shape) {
            let reference = json!({ "$ref": format!("#/components/responses/{name}") });
            responses.insert(status.to_owned(), reference);
        }
    }
}

pub(super) fn names(operation: &Value) -> impl Iterator<Item = &Value> {
    operation["parameters"].as_array().into_iter().flatten().map(|param| &param["name"])
}

fn complete_success(status: &str, response: &mut Value, is_tagged: bool) {
    let schema = response.pointer("/content/application~1json/schema/$ref").and_then(Value::as_str);
    let is_list = schema.is_some_and(|name| name.contains("/Listed_"));
    let mut headers: serde_json::Map<_, _> = match status {
        "201" => headers(&["ETag", "Location"]),
        _ if is_tagged => headers(&["ETag"]),
        _ => serde_json::Map::new(),
    };
    if is_list {
        headers.insert("Link".to_owned(), header("Link", false));
    }
    response["headers"] = headers.into();
}

fn headers<T: FromIterator<(String, Value)>>(which: &[&str]) -> T {
    which.iter().map(|name| ((*name).to_owned(), header(name, true))).collect()
}

fn header(name: &str, required: bool) -> Value {
    let description = match name {
        "ETag" => "Stands for this state: for `If-None-Match` and `If-Match`.",
        "Location" => "Where the new thing is.",
        _ => "The address of the next page (RFC 8288, `rel=\"next\"`), where there is one.",
    };
    json!({ "description": description, "required": required, "schema": { "type": "string" } })
}

fn problem(meaning: &str) -> Value {
    let content = json!({ MEDIA_TYPE: { "schema": { "$ref": "#/components/schemas/Problem" } } });
    json!({ "description": meaning, "content": content })
}

/// What may be null is one thing or the other or, where it may be anything, both.
fn either_or_null(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            let null = json!({ "type": "null" });
            let is_nullable =
                members.get("oneOf").and_then(Value::as_array).is_some_and(|of| of.contains(&null));
            if is_nullable && let Some(of) = members.remove("oneOf") {
                members.insert("anyOf".to_owned(), of);
            }
            members.values_mut().for_each(either_or_null);
        }
        Value::Array(items) => items.iter_mut().for_each(either_or_null),
        _ => {}
    }
}

/// Says of an answer that all its members are there.
fn require_all(schema: &mut Value) {
    for part in schema.get_mut("allOf").and_then(Value::as_array_mut).into_iter().flatten() {
        require_all(part);
    }
    // One member is there, and no other.
    for one in schema.get_mut("oneOf").and_then(Value::as_array_mut).into_iter().flatten() {
        if one.get("properties").is_some() {
            one["additionalProperties"] = Value::Bool(false);
        }
    }
    // What clients write may leave out what it likes, and is known by refusing what nobody knows.
    if schema.get("additionalProperties") == Some(&Value::Bool(false)) {
        return;
    }
    if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
        schema["required"] = properties.keys().map(String::as_str).collect();
    }
}
