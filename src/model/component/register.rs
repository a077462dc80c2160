//! Registering versions: what is asked for, and what it makes of a component.

use super::{Component, ComponentType, ComponentVersion, VersionHash, VersionState};
use crate::model::{Json, Refusal, Timestamp, limits::RecordLimits};

/// What is asked of a new version. Fields as in [`ComponentVersion`].
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the fields are those of ComponentVersion")]
pub struct NewComponentVersion {
    pub component_id: String,
    pub component_type: ComponentType,
    pub version_name: Option<String>,
    pub definition: Json,
    pub created_by: Option<String>,
    pub description: Option<String>,
    pub tags: Vec<String>,
    /// `DRAFT` or `ACTIVE`; `None`: `ACTIVE`, for what is registered is mostly in use.
    pub state: Option<VersionState>,
}

impl NewComponentVersion {
    /// Checks every field.
    pub fn check(&self, limits: &RecordLimits) -> Result<(), Refusal> {
        limits.name("componentId", &self.component_id)?;
        limits.short_text("versionName", self.version_name.as_deref())?;
        limits.document("definition", Some(&self.definition))?;
        self.check_content()?;
        limits.optional_name("createdBy", self.created_by.as_deref())?;
        limits.text("description", self.description.as_deref())?;
        limits.names("tags", &self.tags)?;
        match self.state {
            None | Some(VersionState::Draft | VersionState::Active) => Ok(()),
            Some(state) => {
                Err(Refusal::invalid("state", format!("a new version is DRAFT or ACTIVE, not {state}")))
            }
        }
    }

    /// A version is named by its content: without any, all would be the same one.
    fn check_content(&self) -> Result<(), Refusal> {
        // The first few characters tell: what has more of them has content.
        let text = self.definition.text().chars().filter(|character| !character.is_ascii_whitespace());
        match text.take(5).collect::<String>().as_str() {
            "null" | "\"\"" | "{}" | "[]" => {
                let message =
                    "a version needs content: the text of the prompt, the tool's schema, the settings";
                Err(Refusal::invalid("definition", message))
            }
            _ => Ok(()),
        }
    }

    /// The component and the version that this makes, the next after `known`'s.
    pub fn register(
        self,
        known: Option<&Component>,
        version_hash: VersionHash,
        now: Timestamp,
    ) -> Result<(Component, ComponentVersion), Refusal> {
        let mut component = match known {
            Some(known) => known.clone(),
            None => Component {
                id: self.component_id.clone(),
                component_type: self.component_type,
                created_at: now,
                updated_at: now,
                version_count: 0,
                newest: version_hash,
                labels: Vec::new(),
            },
        };
        self.check_type(&component)?;
        component.updated_at = now;
        component.version_count += 1;
        component.newest = version_hash;
        let version = ComponentVersion {
            component_id: self.component_id,
            version_hash,
            sequence: component.version_count,
            component_type: self.component_type,
            version_name: self.version_name,
            definition: self.definition,
            created_at: now,
            created_by: self.created_by,
            description: self.description,
            tags: self.tags,
            state: self.state.unwrap_or(VersionState::Active),
        };
        Ok((component, version))
    }

    /// A component keeps its type: what is compared over its versions must be of one kind.
    pub fn check_type(&self, component: &Component) -> Result<(), Refusal> {
        if component.component_type == self.component_type {
            return Ok(());
        }
        let message = format!("the component `{}` is a {}", component.id, component.component_type);
        Err(Refusal::invalid("componentType", message))
    }
}
