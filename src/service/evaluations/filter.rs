//! Filters of traces as evaluations and rules keep them: JSON, in which only what is asked for is written.
//!
//! This is the one place that knows both forms.

use serde::{Deserialize, Serialize};

use crate::{
    model::{Json, Refusal, Timestamp, component::VersionHash, trace::TraceStatus},
    service::tracing::{ComponentFilter, TraceFilter},
};

#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct Written {
    #[serde(skip_serializing_if = "Option::is_none")]
    conversation_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    statuses: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    component_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version_hash: Option<String>,
    /// Nanoseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    started_from: Option<i64>,
    /// Nanoseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    started_before: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    has_errors: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    replay_of: Option<String>,
}

/// A filter as it is kept.
pub(super) fn written(filter: &TraceFilter) -> Result<Json, Refusal> {
    // Taken apart without `..`, so that a new condition cannot be forgotten here.
    let TraceFilter {
        conversation_id,
        session_id,
        user_id,
        statuses,
        component,
        started_from,
        started_before,
        name_contains,
        has_errors,
        replay_of,
    } = filter;
    let hash = component.as_ref().and_then(|component| component.version_hash);
    let written = Written {
        conversation_id: conversation_id.map(|id| id.to_string()),
        session_id: session_id.clone(),
        user_id: user_id.clone(),
        statuses: statuses.iter().map(ToString::to_string).collect(),
        component_id: component.as_ref().map(|component| component.component_id.clone()),
        version_hash: hash.map(|hash| hash.to_string()),
        started_from: started_from.map(Timestamp::nanos),
        started_before: started_before.map(Timestamp::nanos),
        name: name_contains.clone(),
        has_errors: *has_errors,
        replay_of: replay_of.map(|id| id.to_string()),
    };
    Json::from_value(&written).map_err(|error| Refusal::invalid("filter", error.to_string()))
}

/// The filter that was kept.
///
/// # Errors
/// When it has a condition that this program does not know.
pub(super) fn read(json: &Json) -> Result<TraceFilter, Refusal> {
    fn unknown(error: &impl ToString) -> Refusal {
        Refusal::invalid("filter", error.to_string())
    }
    fn parsed<T: std::str::FromStr>(text: Option<String>) -> Result<Option<T>, Refusal>
    where
        T::Err: ToString,
    {
        text.map(|text| text.parse().map_err(|error| unknown(&error))).transpose()
    }
    let written: Written = json.read().map_err(|error| unknown(&error))?;
    let statuses =
        written.statuses.iter().map(|status| status.parse::<TraceStatus>().map_err(|error| unknown(&error)));
    let hash = |text: String| VersionHash::parse("filter.component.versionHash", &text);
    let version_hash = written.version_hash.map(hash).transpose()?;
    Ok(TraceFilter {
        conversation_id: parsed(written.conversation_id)?,
        session_id: written.session_id,
        user_id: written.user_id,
        statuses: statuses.collect::<Result<_, _>>()?,
        component: written.component_id.map(|component_id| ComponentFilter { component_id, version_hash }),
        started_from: written.started_from.map(Timestamp::from_nanos),
        started_before: written.started_before.map(Timestamp::from_nanos),
        name_contains: written.name,
        has_errors: written.has_errors,
        replay_of: parsed(written.replay_of)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ConversationId, TraceId};

    #[test]
    fn what_is_kept_is_read_again() {
        let full = TraceFilter {
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
        };
        for filter in [full, TraceFilter::default()] {
            assert_eq!(read(&written(&filter).unwrap()), Ok(filter));
        }
        assert_eq!(written(&TraceFilter::default()).unwrap().text(), "{}");
        assert!(read(&Json::parse(r#"{"sometime": 1}"#).unwrap()).is_err());
    }
}
