//! Writing conditions. What was read is written as it was read: as deep, and each part by the name that it had.

use std::fmt::Display;

use serde_json::{Map, Value, json};

use super::{span, trace};
use crate::model::{
    Json,
    component::VersionHash,
    query::{
        AttributeTest, Bounds, ScoreCondition, ScoreTest, SpanCondition, TextCondition, TextMatch,
        TraceCondition,
    },
};

/// A condition as it is kept and shown: what [`TraceWhere`](super::TraceWhere) reads.
pub(crate) fn written(condition: &TraceCondition) -> Json {
    Json::of(&of_trace(condition))
}

/// The members of a condition.
#[derive(Default)]
struct Members {
    named: Map<String, Value>,
    /// What must hold too, and has no name of its own, or one that is taken.
    and: Vec<Value>,
}

impl Members {
    fn put(&mut self, name: &str, value: Value) {
        if self.named.contains_key(name) {
            self.and.push(json!({ name: value }));
        } else {
            self.named.insert(name.to_owned(), value);
        }
    }

    /// Puts a list of which one must be the case. An empty list would say nothing, and is not the case of anything.
    fn one_of<T: Display>(&mut self, name: &str, list: impl IntoIterator<Item = T>) {
        let list: Vec<Value> = list.into_iter().map(|one| one.to_string().into()).collect();
        if list.is_empty() { self.put("or", json!([])) } else { self.put(name, list.into()) }
    }

    /// Puts bounds of a figure. Between ends that are in the wrong order lies nothing.
    fn figure(&mut self, (name, units): (&str, f64), bounds: &Bounds<u64>) {
        if bounds.are_empty() {
            return self.put("or", json!([]));
        }
        let mut range = ends(bounds, |value| whole(*value, units));
        if range.is_empty() {
            range.insert("min".to_owned(), 0.into());
        }
        self.put(name, range.into());
    }

    fn finish(mut self) -> Value {
        if !self.and.is_empty() {
            self.named.insert("and".to_owned(), self.and.into());
        }
        self.named.into()
    }
}

fn of_trace(condition: &TraceCondition) -> Value {
    let mut members = Members::default();
    match condition {
        TraceCondition::All(all) => all.iter().for_each(|one| add_trace(&mut members, one)),
        one => add_trace(&mut members, one),
    }
    members.finish()
}

fn add_trace(members: &mut Members, condition: &TraceCondition) {
    type C = TraceCondition;
    match condition {
        C::All(all) => members.and.extend(all.iter().map(of_trace)),
        C::Any(any) => members.put("or", any.iter().map(of_trace).collect()),
        C::Not(not) => members.put("not", of_trace(not)),
        C::Among(ids) => members.one_of("traceIds", ids.iter()),
        C::Status(statuses) => members.one_of("statuses", statuses),
        C::Name(text) => members.put("name", of_text(text)),
        C::Conversation(ids) => members.one_of("conversationIds", ids),
        C::Session(sessions) => members.one_of("sessionIds", sessions),
        C::User(users) => members.one_of("userIds", users),
        C::Tag(tags) => members.one_of("tags", tags),
        C::Started { from, before } => {
            let moments = [("from", from), ("to", before)].into_iter();
            let given =
                moments.filter_map(|(name, moment)| Some((name.to_owned(), (*moment)?.to_string().into())));
            members.put("startTime", Value::Object(given.collect()));
        }
        C::Figure(figure, bounds) => members.figure(trace::told(*figure), bounds),
        C::Model(models) => members.one_of("models", models),
        C::Component(id, hash) => members.put("component", component(id, hash.as_ref())),
        C::ReplayOf(id) => members.put("replayOf", id.to_string().into()),
        C::Span(span) => members.put("span", of_span(span)),
        C::Score(score) => members.put("score", of_score(score)),
        C::Text(TextCondition { query, kinds }) => {
            let mut text = Map::from_iter([("query".to_owned(), query.as_str().into())]);
            if !kinds.is_empty() {
                text.insert("in".to_owned(), kinds.iter().map(|kind| kind.text()).collect());
            }
            members.put("text", text.into());
        }
    }
}

fn of_span(condition: &SpanCondition) -> Value {
    let mut members = Members::default();
    match condition {
        SpanCondition::All(all) => all.iter().for_each(|one| add_span(&mut members, one)),
        one => add_span(&mut members, one),
    }
    members.finish()
}

fn add_span(members: &mut Members, condition: &SpanCondition) {
    type C = SpanCondition;
    match condition {
        C::All(all) => members.and.extend(all.iter().map(of_span)),
        C::Any(any) => members.put("or", any.iter().map(of_span).collect()),
        C::Not(not) => members.put("not", of_span(not)),
        C::Type(types) => members.one_of("operationTypes", types),
        C::Status(statuses) => members.one_of("statuses", statuses),
        C::Name(text) => members.put("name", of_text(text)),
        C::StatusMessage(text) => members.put("statusMessage", of_text(text)),
        C::Model(models) => members.one_of("models", models),
        C::Provider(providers) => members.one_of("providers", providers),
        C::Tool(tools) => members.one_of("tools", tools),
        C::Agent(agents) => members.one_of("agents", agents),
        C::FinishReason(reasons) => members.one_of("finishReasons", reasons),
        C::Placement(placements) => members.one_of("placements", placements),
        C::Figure(figure, bounds) => members.figure(span::told(*figure), bounds),
        C::Component(id, hash) => members.put("component", component(id, hash.as_ref())),
        C::Attribute(key, test) => members.put("attribute", attribute(key, test)),
        C::Score(score) => members.put("score", of_score(score)),
    }
}

fn of_text(text: &TextMatch) -> Value {
    match text {
        TextMatch::Is(text) => json!({ "is": text }),
        TextMatch::Contains(text) => json!({ "contains": text }),
        TextMatch::StartsWith(text) => json!({ "startsWith": text }),
    }
}

fn component(id: &str, hash: Option<&VersionHash>) -> Value {
    match hash {
        Some(hash) => json!({ "componentId": id, "versionHash": hash.to_string() }),
        None => json!({ "componentId": id }),
    }
}

fn attribute(key: &str, test: &AttributeTest) -> Value {
    match test {
        AttributeTest::Exists => json!({ "key": key }),
        AttributeTest::Is(value) => json!({ "key": key, "is": value }),
        AttributeTest::Contains(part) => json!({ "key": key, "contains": part }),
        AttributeTest::Within(bounds) => json!({ "key": key, "number": numbers(bounds) }),
    }
}

fn of_score(score: &ScoreCondition) -> Value {
    let mut written = Map::from_iter([("name".to_owned(), Value::from(score.name.as_str()))]);
    if !score.sources.is_empty() {
        written.insert("sources".to_owned(), score.sources.iter().map(|source| source.text()).collect());
    }
    let test = score.test.as_ref().map(|test| match test {
        ScoreTest::Number(bounds) => ("number", numbers(bounds)),
        ScoreTest::Category(words) => ("categories", json!(words)),
        ScoreTest::Boolean(wanted) => ("boolean", json!(wanted)),
    });
    written.extend(test.map(|(name, value)| (name.to_owned(), value)));
    written.into()
}

fn numbers(bounds: &Bounds<f64>) -> Value {
    ends(bounds, |number| plain(*number)).into()
}

fn ends<T>(bounds: &Bounds<T>, write: impl Fn(&T) -> Value) -> Map<String, Value> {
    let ends = [("min", &bounds.least), ("max", &bounds.most)].into_iter();
    ends.filter_map(|(name, end)| Some((name.to_owned(), write(end.as_ref()?)))).collect()
}

/// A figure in larger units, as a number that is read as the same figure.
#[expect(clippy::cast_precision_loss, reason = "of the numbers around it, the one is taken that is read so")]
#[expect(clippy::float_cmp, reason = "they are constants")]
fn whole(figure: u64, units: f64) -> Value {
    if units == 1.0 {
        return figure.into();
    }
    let near = figure as f64 / units;
    let is_it = |number: &f64| {
        let bounds = Bounds { least: Some(*number), most: Some(*number) };
        bounds.whole("", units) == Ok(Bounds { least: Some(figure), most: Some(figure) })
    };
    let (above, below) = (near.next_up(), near.next_down());
    let around = [near, above, below, above.next_up(), below.next_down()];
    plain(around.into_iter().find(is_it).unwrap_or(near))
}

/// A number, without a point where it needs none.
#[expect(clippy::cast_possible_truncation, reason = "it is checked to be a whole number of 53 bits")]
fn plain(number: f64) -> Value {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if number.fract() == 0.0 && number.abs() < EXACT { (number as i64).into() } else { number.into() }
}
