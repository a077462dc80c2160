//! Component versions that spans show: registered once, and known by their source from then on.
//!
//! A prompt that is another one at every call (it holds the date, or what was found) would make a version
//! a call. So a component gets so many versions in this way and no more; spans then name none.

use std::{collections::HashSet, num::NonZeroUsize};

use lru::LruCache;
use parking_lot::Mutex;

use super::report::NamedVersion;
use crate::{
    model::{
        component::{ComponentRef, NewComponentVersion, VersionHash},
        limits::RecordLimits,
    },
    semconv::VersionSource,
    service::{ServiceError, ServiceResult, components::Components},
};

/// Who registers the versions.
const REGISTRAR: &str = "opentelemetry";

/// Sources that are remembered with their versions: some 150 bytes each.
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(16_384).unwrap();

/// Versions that spans show.
pub(super) struct Versions {
    components: Components,
    most: u64,
    known: Mutex<LruCache<u128, Vec<ComponentRef>>>,
    full: Mutex<HashSet<String>>,
}

impl Versions {
    pub(super) fn new(components: Components, most: u64) -> Self {
        Self { components, most, known: Mutex::new(LruCache::new(REMEMBERED)), full: Mutex::default() }
    }

    /// Whether versions of a component are still kept, as far as is known.
    pub(super) fn keeps(&self, component_id: &str) -> bool {
        !self.full.lock().contains(component_id)
    }

    /// The versions of a source, as spans name them. Those that may not be registered yet are added to
    /// `new`.
    pub(super) fn of(&self, source: &VersionSource, new: &mut Vec<NamedVersion>) -> Vec<ComponentRef> {
        let key = source.key();
        if let Some(known) = self.known.lock().get(&key) {
            return known.clone();
        }
        let named = source.versions().into_iter().filter_map(|version| {
            let version_hash = VersionHash::of(&version.definition).ok()?;
            let reference = ComponentRef { component_id: version.component_id.clone(), version_hash };
            Some(NamedVersion { reference, version, source: key })
        });
        let named: Vec<_> = named.collect();
        let references = named.iter().map(|named| named.reference.clone()).collect();
        new.extend(named);
        references
    }

    /// Registers versions. Answers those that are not kept: what is no version, and what is one too many.
    pub(super) async fn register(&self, named: Vec<NamedVersion>) -> ServiceResult<HashSet<ComponentRef>> {
        let mut refused = HashSet::new();
        let mut sources: Vec<(u128, Vec<ComponentRef>)> = Vec::new();
        let mut seen = HashSet::new();
        for NamedVersion { reference, version, source } in named {
            if !seen.insert(reference.clone()) {
                continue;
            }
            if self.is_full(&reference.component_id).await? {
                refused.insert(reference);
                continue;
            }
            let new = NewComponentVersion {
                component_id: version.component_id,
                component_type: version.component_type,
                version_name: version.version_name,
                definition: version.definition,
                created_by: Some(REGISTRAR.to_owned()),
                description: None,
                tags: Vec::new(),
                state: None,
            };
            match self.components.register(new).await {
                Ok(_) => match sources.last_mut() {
                    Some((known, references)) if *known == source => references.push(reference),
                    _ => sources.push((source, vec![reference])),
                },
                Err(ServiceError::Refused(refusal)) => {
                    tracing::debug!(component = %reference.component_id, %refusal, "no version of a span");
                    refused.insert(reference);
                }
                Err(error) => return Err(error),
            }
        }
        let mut known = self.known.lock();
        for (source, references) in sources {
            known.put(source, references);
        }
        Ok(refused)
    }

    /// Whether a component has as many versions as it gets in this way.
    async fn is_full(&self, component_id: &String) -> ServiceResult<bool> {
        if self.full.lock().contains(component_id) {
            return Ok(true);
        }
        let found = self.components.components(std::slice::from_ref(component_id)).await?.pop().flatten();
        let full = found.is_some_and(|component| component.version_count >= self.most);
        if full && self.full.lock().insert(component_id.clone()) {
            tracing::warn!(
                component = %component_id, versions = self.most,
                "the component changes with every call; its further versions are not kept"
            );
        }
        Ok(full)
    }
}

/// Removes names that no component may have, so that a span is not refused for them.
pub(super) fn keep_registrable(references: &mut Vec<ComponentRef>, limits: &RecordLimits) {
    references.retain(|reference| limits.name("componentId", &reference.component_id).is_ok());
    references.truncate(limits.list_items);
}
