//! Conditions on traces and spans as JSON has them: the same words as in GraphQL. What REST and the command line take is
//! what evaluations and rules keep, and what is shown of them.

mod leaves;
mod span;
mod trace;
mod write;

use serde_path_to_error::{Deserializer, Track};

pub(crate) use self::{
    leaves::{AttributeWhere, ComponentWhere, Range, ScoreWhere, TextMatch, TextWhere, TimeRange},
    span::SpanWhere,
    trace::TraceWhere,
    write::written,
};
use super::{object::object, path::named};
use crate::model::{
    Json, Refusal,
    query::{MAX_DEPTH, Reading, SpanCondition, TraceCondition},
};

/// Brackets in each other that a condition in a text may have: those of all levels, as `{"and": [` has two, and of what
/// stands in the last. Each takes the stack of whoever reads it, which does not know yet what it will be.
const MOST_BRACKETS: usize = 2 * MAX_DEPTH + 12;

impl TraceWhere {
    /// The condition; `field` is what it is called where it stands.
    ///
    /// # Errors
    /// Where it says what nobody can mean, or is too large.
    pub(crate) fn read(self, field: &str) -> Result<TraceCondition, Refusal> {
        Reading::all(field, |reading| self.into_model(reading))
    }

    /// The condition that a text has; `field` is what the text is called.
    ///
    /// # Errors
    /// Where it is no JSON, has what no condition has, or as [`TraceWhere::read`].
    pub(crate) fn parse(field: &str, text: &str) -> Result<TraceCondition, Refusal> {
        let json = Json::parse(text).map_err(|error| Refusal::invalid(field, error.to_string()))?;
        if json.depth() > MOST_BRACKETS {
            let message = format!("conditions stand more than {MAX_DEPTH} levels deep; say it in fewer");
            return Err(Refusal::limit(field, message));
        }
        Self::of_text(field, json.text())?.read(field)
    }

    /// The condition that [`written`] wrote, with whatever was added to one that somebody asked for.
    ///
    /// # Errors
    /// Where another version of the program wrote what this one does not know.
    pub(crate) fn kept(field: &str, text: &str) -> Result<TraceCondition, Refusal> {
        let given = Self::of_text(field, text)?;
        Reading::kept(field, |reading| given.into_model(reading))
    }

    fn of_text(field: &str, text: &str) -> Result<Self, Refusal> {
        let (mut reader, mut track) = (serde_json::Deserializer::from_str(text), Track::new());
        let read = object::<_, Self>(Deserializer::new(&mut reader, &mut track));
        read.map(Option::unwrap_or_default).map_err(|error| {
            let place = named(&track.path());
            let field = if place.is_empty() { field.to_owned() } else { format!("{field}.{place}") };
            Refusal::invalid(field, error.to_string())
        })
    }
}

impl SpanWhere {
    /// The condition; `field` is what it is called where it stands.
    ///
    /// # Errors
    /// Where it says what nobody can mean, or is too large.
    pub(crate) fn read(self, field: &str) -> Result<SpanCondition, Refusal> {
        Reading::all(field, |reading| self.into_model(reading))
    }
}

#[cfg(test)]
mod tests {
    use proptest::{prelude::*, sample::subsequence};
    use serde_json::{Value, json};

    use super::*;

    const ID: &str = "0192f7c4-6e1a-7b3e-9a55-2f0c5d1e8a44";

    /// What is kept stays readable: the names and forms of every part, as they are in databases.
    #[test]
    fn every_part_is_written_by_its_name() {
        let hash = "ab".repeat(32);
        let range = json!({ "min": 1.5, "max": 20 });
        let count = json!({ "min": 1, "max": 20 });
        let score = json!({ "name": "q", "sources": ["HUMAN", "RULE"], "number": { "min": 0.25 } });
        let component = json!({ "componentId": "agents/a", "versionHash": hash });
        let span = json!({
            "operationTypes": ["LLM_CALL", "TOOL_CALL"], "statuses": ["ERROR"], "name": { "is": "a" },
            "statusMessage": { "contains": "b" }, "models": ["m"], "providers": ["p"], "tools": ["t"],
            "agents": ["g"], "finishReasons": ["stop"], "placements": ["ROOT"], "durationMs": range,
            "costUsd": { "max": 0.05 }, "totalTokens": count, "inputTokens": count, "outputTokens": count,
            "depth": count, "timeToFirstTokenMs": range, "component": { "componentId": "agents/a" },
            "attribute": { "key": "a.b", "is": { "c": [1, 2.5, null, "d"] } }, "score": { "name": "q", "boolean": true },
            "and": [{ "attribute": { "key": "a" } }, { "attribute": { "key": "a", "contains": "b" } }],
            "or": [{ "attribute": { "key": "a", "number": { "max": 3 } } }],
            "not": { "score": { "name": "q", "categories": ["good"] } },
        });
        let whole = json!({
            "traceIds": [ID], "statuses": ["FAILED"], "name": { "startsWith": "a" }, "conversationIds": [ID],
            "sessionIds": ["s"], "userIds": ["u"], "tags": ["t"],
            "startTime": { "from": "1677-09-21T00:12:43.145224193Z", "to": "2262-04-11T23:47:16.854775807Z" },
            "durationMs": range, "costUsd": range, "totalTokens": count, "inputTokens": count,
            "outputTokens": count, "spanCount": count, "errorCount": count, "llmCallCount": count,
            "toolCallCount": count, "depth": count, "models": ["m"], "component": component, "replayOf": ID,
            "span": span, "score": score, "text": { "query": "refund", "in": ["INPUT"] },
            "and": [{}, { "not": { "statuses": ["RUNNING"] } }], "or": [], "not": { "or": [{}] },
        });
        let condition = TraceWhere::parse("where", &whole.to_string()).unwrap();
        let written = written(&condition);
        assert_eq!(written.text(), Json::of(&whole).text());
        assert_eq!(TraceWhere::kept("where", written.text()), Ok(condition));
    }

    #[test]
    fn what_stands_beside_a_condition_is_kept_with_it() {
        let parse = |text: &str| TraceWhere::parse("where", text).unwrap();
        let deepest = (1..MAX_DEPTH).fold(json!({ "userIds": ["a"] }), |inner, _| json!({ "not": inner }));
        for (asked, beside, kept) in [
            (
                json!({ "userIds": ["a"] }),
                json!({ "userIds": ["b"] }),
                json!({ "userIds": ["a"], "and": [{ "userIds": ["b"] }] }),
            ),
            (json!({ "or": [{}] }), json!({ "tags": ["b"] }), json!({ "or": [{}], "tags": ["b"] })),
            (deepest.clone(), deepest.clone(), json!({ "not": deepest["not"], "and": [deepest] })),
        ] {
            let both = parse(&asked.to_string()).and(parse(&beside.to_string()));
            let written = written(&both);
            assert_eq!(written.text(), Json::of(&kept).text());
            assert!(TraceWhere::kept("where", written.text()).is_ok(), "{kept}");
        }
        // What no words of a condition say is said in others.
        for (condition, kept) in [
            (TraceCondition::User(Vec::new()), r#"{"or":[]}"#),
            (TraceCondition::Not(Box::new(TraceCondition::any())), r#"{"not":{}}"#),
        ] {
            assert_eq!(written(&condition).text(), kept);
        }
    }

    #[test]
    fn what_is_wrong_is_named_by_its_place() {
        let deep = |levels| (0..levels).fold(json!({}), |inner, _| json!({ "not": inner })).to_string();
        for (text, field) in [
            (r#"{"modles": []}"#.to_owned(), "where.modles".to_owned()),
            (r#"{"or": [{}, {"span": {"tools": "a"}}]}"#.to_owned(), "where.or.1.span.tools".to_owned()),
            (r#"{"and": [{"costUsd": {"min": -1}}]}"#.to_owned(), "where.and.0.costUsd.min".to_owned()),
            ("[]".to_owned(), "where".to_owned()),
            ("{".to_owned(), "where".to_owned()),
            (deep(11), format!("where{}", ".not".repeat(10))),
            (deep(50), "where".to_owned()),
            ("[".repeat(1_000_000), "where".to_owned()),
        ] {
            let refused = TraceWhere::parse("where", &text).unwrap_err();
            assert_eq!(refused.field(), Some(field.as_str()), "{refused}");
        }
    }

    /// A member with a value, of conditions on spans or on traces.
    fn member(of_span: bool) -> BoxedStrategy<(String, Value)> {
        let text = prop_oneof![
            "[a-c\"\\\\ü]{0,3}".prop_map(|text| json!({ "is": text })),
            "[a-c]{0,3}".prop_map(|text| json!({ "contains": text })),
            "[a-c]{0,3}".prop_map(|text| json!({ "startsWith": text })),
        ];
        let range = (0.0..1e9_f64, 0.0..1e3_f64, 0..3).prop_map(|(min, more, ends)| match ends {
            0 => json!({ "min": min }),
            1 => json!({ "max": min }),
            _ => json!({ "min": min, "max": min + 1.0 + more }),
        });
        let count =
            (0..1_u64 << 60, 0..9_u64).prop_map(|(min, more)| json!({ "min": min, "max": min + more }));
        let attribute = prop_oneof![
            Just(json!({ "key": "k" })),
            any::<i64>().prop_map(|value| json!({ "key": "k", "is": value })),
            any::<bool>().prop_map(|value| json!({ "key": "k", "is": [value] })),
            (-1e9..1e9_f64).prop_map(|value| json!({ "key": "k", "number": { "min": value } })),
        ];
        let named = |name: &'static str| move |value: Value| (name.to_owned(), value);
        let words = |name: &'static str, all: &'static [&'static str]| {
            subsequence(all, 1..=all.len()).prop_map(move |words| (name.to_owned(), json!(words)))
        };
        let score = prop_oneof![
            Just(json!({ "name": "n" })),
            (-1e9..1e9_f64).prop_map(|value| json!({ "name": "n", "number": { "max": value } })),
            Just(json!({ "name": "n", "categories": [] })),
        ];
        let both = prop_oneof![
            text.prop_map(named("name")),
            range.clone().prop_map(named("durationMs")),
            range.prop_map(named("costUsd")),
            count.prop_map(named("totalTokens")),
            words("models", &["a", "b"]),
            score.prop_map(named("score")),
        ];
        if of_span {
            prop_oneof![
                both,
                attribute.prop_map(named("attribute")),
                words("placements", &["ROOT", "ORPHAN"])
            ]
            .boxed()
        } else {
            let moment = (0..i64::MAX)
                .prop_map(|nanos| json!({ "from": crate::model::Timestamp::from_nanos(nanos).to_string() }));
            prop_oneof![
                both,
                words("statuses", &["RUNNING", "FAILED"]),
                moment.prop_map(named("startTime")),
                condition(true, 2).prop_map(named("span")),
            ]
            .boxed()
        }
    }

    /// A condition with so many levels.
    fn condition(of_span: bool, levels: u32) -> BoxedStrategy<Value> {
        let flat = prop::collection::vec(member(of_span), 0..4);
        let flat = flat.prop_map(|members| members.into_iter().collect::<serde_json::Map<_, _>>());
        if levels == 0 {
            return flat.prop_map(Value::Object).boxed();
        }
        let inner = || condition(of_span, levels - 1);
        let list = |least| prop::option::of(prop::collection::vec(inner(), least..3));
        let all = (flat, list(1), list(0), prop::option::of(inner()));
        all.prop_map(|(mut members, and, or, not)| {
            members.extend(and.map(|and| ("and".to_owned(), json!(and))));
            members.extend(or.map(|or| ("or".to_owned(), json!(or))));
            members.extend(not.map(|not| ("not".to_owned(), not)));
            members.into()
        })
        .boxed()
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// What was written is read as the same condition, to the last digit.
        #[test]
        fn what_was_read_is_written_so_that_it_is_read_again(given in condition(false, 3)) {
            let given = TraceWhere::of_text("where", &given.to_string()).unwrap();
            let condition = Reading::kept("where", |reading| given.into_model(reading));
            prop_assume!(condition.is_ok());
            let condition = condition.unwrap();
            let text = written(&condition);
            prop_assert_eq!(TraceWhere::kept("where", text.text()), Ok(condition), "{:?}", text);
        }
    }
}
