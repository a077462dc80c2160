//! Which traces an evaluation or a rule means, as it is kept: JSON with a condition in `where`, as REST takes it. Before
//! there were conditions it was a filter, in which only what was asked for is written; those are read too.
//!
//! This is the one place that knows both forms.

use serde::Deserialize;

use crate::{
    model::{Json, Refusal, Timestamp, component::VersionHash, query::TraceCondition, trace::TraceStatus},
    service::tracing::{ComponentFilter, TraceFilter},
    written::condition::{TraceWhere, written as as_json},
};

/// The member that holds the condition.
const CONDITION: &str = "where";

/// A condition as it is kept.
pub(super) fn written(condition: &TraceCondition) -> Json {
    let condition = as_json(condition);
    Json::trusted(format!("{{\"{CONDITION}\":{}}}", condition.text()))
}

/// The condition that was kept.
///
/// # Errors
/// When it has something that this program does not know.
pub(super) fn read(json: &Json) -> Result<TraceCondition, Refusal> {
    match json.member(CONDITION) {
        Some(condition) => TraceWhere::kept(CONDITION, condition),
        None => read_filter(json).map(Into::into),
    }
}

/// The condition that was kept, as it is shown: as REST takes it.
///
/// # Errors
/// As [`read`].
pub fn shown(kept: &Json) -> Result<Json, Refusal> {
    read(kept).map(|condition| as_json(&condition))
}

/// A filter as it was kept.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct Filter {
    conversation_id: Option<String>,
    session_id: Option<String>,
    user_id: Option<String>,
    statuses: Vec<String>,
    component_id: Option<String>,
    version_hash: Option<String>,
    /// Nanoseconds since 1970.
    started_from: Option<i64>,
    /// Nanoseconds since 1970.
    started_before: Option<i64>,
    name: Option<String>,
    has_errors: Option<bool>,
    replay_of: Option<String>,
}

fn read_filter(json: &Json) -> Result<TraceFilter, Refusal> {
    fn unknown(error: &impl ToString) -> Refusal {
        Refusal::invalid("filter", error.to_string())
    }
    fn parsed<T: std::str::FromStr>(text: Option<String>) -> Result<Option<T>, Refusal>
    where
        T::Err: ToString,
    {
        text.map(|text| text.parse().map_err(|error| unknown(&error))).transpose()
    }
    let filter: Filter = json.read().map_err(|error| unknown(&error))?;
    let statuses =
        filter.statuses.iter().map(|status| status.parse::<TraceStatus>().map_err(|error| unknown(&error)));
    let hash = |text: String| VersionHash::parse("filter.component.versionHash", &text);
    let version_hash = filter.version_hash.map(hash).transpose()?;
    Ok(TraceFilter {
        conversation_id: parsed(filter.conversation_id)?,
        session_id: filter.session_id,
        user_id: filter.user_id,
        statuses: statuses.collect::<Result<_, _>>()?,
        component: filter.component_id.map(|component_id| ComponentFilter { component_id, version_hash }),
        started_from: filter.started_from.map(Timestamp::from_nanos),
        started_before: filter.started_before.map(Timestamp::from_nanos),
        name_contains: filter.name,
        has_errors: filter.has_errors,
        replay_of: parsed(filter.replay_of)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ConversationId, TraceId};

    fn full() -> TraceFilter {
        TraceFilter {
            conversation_id: Some(ConversationId::from_bytes([1; 16])),
            session_id: Some("s".to_owned()),
            user_id: Some("ada".to_owned()),
            statuses: vec![TraceStatus::Failed, TraceStatus::Cancelled],
            component: Some(ComponentFilter {
                component_id: "agents/a".to_owned(),
                version_hash: Some(VersionHash::from_bytes([2; 32])),
            }),
            started_from: Some(Timestamp::from_nanos(-1)),
            started_before: Some(Timestamp::from_nanos(i64::MAX)),
            name_contains: Some("run".to_owned()),
            has_errors: Some(false),
            replay_of: Some(TraceId::from_bytes([3; 16])),
        }
    }

    #[test]
    fn what_is_kept_is_read_again() {
        for filter in [full(), TraceFilter::default()] {
            let condition = TraceCondition::from(filter);
            assert_eq!(read(&written(&condition)), Ok(condition));
        }
        assert_eq!(written(&TraceCondition::any()).text(), r#"{"where":{}}"#);
        assert!(read(&Json::parse(r#"{"where": {"sometime": 1}}"#).unwrap()).is_err());
    }

    /// What programs wrote that knew filters only.
    #[test]
    fn filters_that_were_kept_are_read() {
        let kept = concat!(
            r#"{"conversationId":"01010101-0101-0101-0101-010101010101","sessionId":"s","userId":"ada","#,
            r#""statuses":["FAILED","CANCELLED"],"componentId":"agents/a","#,
            r#""versionHash":"0202020202020202020202020202020202020202020202020202020202020202","#,
            r#""startedFrom":-1,"startedBefore":9223372036854775807,"name":"run","hasErrors":false,"#,
            r#""replayOf":"03030303-0303-0303-0303-030303030303"}"#,
        );
        assert_eq!(read(&Json::parse(kept).unwrap()), Ok(full().into()));
        assert_eq!(read(&Json::parse("{}").unwrap()), Ok(TraceCondition::any()));
        assert!(read(&Json::parse(r#"{"sometime": 1}"#).unwrap()).is_err());
    }
}
