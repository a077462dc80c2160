//! Components, their versions and their labels.

use super::Check;
use crate::{
    model::component::{Component, ComponentVersion, VersionHash, VersionState},
    store::{StoreResult, keyspace},
};

impl Check<'_> {
    /// Versions are what their hashes say and are counted; labels lead to versions that may be used.
    pub(super) async fn components(&mut self) -> StoreResult<()> {
        self.indexed::<Component>().await?;
        self.indexed::<ComponentVersion>().await?;
        let mut from = None;
        while let Some(versions) = self.page(keyspace::COMPONENT_VERSION, &mut from).await? {
            for (raw, _, version) in &versions {
                self.component_version(raw, version).await?;
            }
        }
        let mut from = None;
        while let Some(events) = self.page(keyspace::COMPONENT_EVENT, &mut from).await? {
            let keys: Vec<_> =
                events.iter().map(|(_, (id, ..), event)| (id.clone(), event.version_hash)).collect();
            let versions = self.readable(keyspace::COMPONENT_VERSION, &keys).await?;
            for ((raw, ..), _) in events.iter().zip(versions).filter(|(_, version)| version.is_none()) {
                self.report.note("component_event", raw, "its version does not exist");
            }
        }
        let mut from = None;
        while let Some(components) = self.page(keyspace::COMPONENT, &mut from).await? {
            for (raw, _, component) in &components {
                self.component(raw, component).await?;
            }
        }
        Ok(())
    }

    async fn component_version(&mut self, raw: &[u8], version: &ComponentVersion) -> StoreResult<()> {
        if VersionHash::of(&version.definition) != Ok(version.version_hash) {
            self.report.note("component_version", raw, "its hash is not that of its definition");
        }
        let component = self.readable_at(keyspace::COMPONENT, &version.component_id).await?;
        let counted = component.is_some_and(|component| {
            (1..=component.version_count).contains(&version.sequence)
                && component.component_type == version.component_type
        });
        if !counted {
            self.report.note(
                "component_version",
                raw,
                "its component does not count it, or is of another type",
            );
        }
        Ok(())
    }

    async fn component(&mut self, raw: &[u8], component: &Component) -> StoreResult<()> {
        let targets = component.labels.iter().map(|(_, hash)| *hash).chain([component.newest]);
        let keys: Vec<_> = targets.map(|hash| (component.id.clone(), hash)).collect();
        let found = self.readable(keyspace::COMPONENT_VERSION, &keys).await?;
        if found.iter().any(Option::is_none) {
            self.report.note("component", raw, "a label, or the newest version, leads nowhere");
        }
        let mut labelled = found.iter().take(component.labels.len()).flatten();
        if labelled.any(|version| version.state == VersionState::Retired) {
            self.report.note("component", raw, "a label leads to a retired version");
        }
        let newest = found.last().and_then(Option::as_ref);
        if newest.is_some_and(|newest| newest.sequence != component.version_count) {
            self.report.note("component", raw, "the version registered last is another");
        }
        Ok(())
    }
}
