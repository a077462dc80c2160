//! Component versions that spans show: registered once, and known by their source from then on.
//!
//! A prompt that is another one at every call (it holds the date, or what was found) would make a version
//! a call. So a component gets so many versions in this way and no more; spans then name none. And a sender
//! whose agents or prompts have another name in every span would make a component a span: once there are so
//! many components, spans make no more of them.

use std::{
    collections::HashSet,
    num::NonZeroUsize,
    sync::{Arc, Once},
};

use lru::LruCache;
use parking_lot::Mutex;
use tokio::sync::OnceCell;

use super::{IngestConfig, report::NamedVersion};
use crate::{
    model::{
        component::{ComponentRef, NewComponentVersion, VersionHash},
        limits::RecordLimits,
    },
    semconv::VersionSource,
    service::{
        ServiceError, ServiceResult,
        components::{Components, RegisteredVersion},
    },
};

/// Who registers the versions.
const REGISTRAR: &str = "opentelemetry";

/// Sources that are remembered with their versions: some 150 bytes each.
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(16_384).unwrap();

/// Components with all their versions that are remembered: some 100 bytes each.
const FULL_REMEMBERED: NonZeroUsize = NonZeroUsize::new(4_096).unwrap();

/// Versions that spans show.
pub(super) struct Versions {
    components: Components,
    config: Arc<IngestConfig>,
    known: Mutex<LruCache<u128, Vec<ComponentRef>>>,
    /// Components that have as many versions as they get in this way.
    full: Mutex<LruCache<String, ()>>,
    /// How many components there are: counted before the first is made, then kept.
    count: OnceCell<Mutex<u64>>,
    told: Once,
}

/// What a component has room for.
enum Room {
    /// Nothing: its versions are not kept.
    None,
    /// A version of it.
    Version,
    /// Itself, with its first version.
    Component,
}

impl Versions {
    pub(super) fn new(components: Components, config: Arc<IngestConfig>) -> Self {
        Self {
            components,
            config,
            known: Mutex::new(LruCache::new(REMEMBERED)),
            full: Mutex::new(LruCache::new(FULL_REMEMBERED)),
            count: OnceCell::new(),
            told: Once::new(),
        }
    }

    /// Whether versions of a component are still kept, as far as is known.
    pub(super) fn keeps(&self, component_id: &str) -> bool {
        self.full.lock().get(component_id).is_none()
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
            let room = self.room_for(&reference.component_id).await?;
            if matches!(room, Room::None) {
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
            let registered = self.components.register(new).await;
            if matches!(room, Room::Component) && !registered.as_ref().is_ok_and(is_first) {
                self.give_back();
            }
            match registered {
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

    /// What there is room for of a component. For one that is not there a place is taken.
    async fn room_for(&self, component_id: &String) -> ServiceResult<Room> {
        if !self.keeps(component_id) {
            return Ok(Room::None);
        }
        let found = self.components.components(std::slice::from_ref(component_id)).await?.pop().flatten();
        match found {
            Some(component) if component.version_count < self.config.versions_per_component => {
                return Ok(Room::Version);
            }
            Some(_) => {
                if self.full.lock().put(component_id.clone(), ()).is_none() {
                    tracing::warn!(
                        component = %component_id, versions = self.config.versions_per_component,
                        "the component changes with every call; its further versions are not kept"
                    );
                }
            }
            None if self.take_place().await? => return Ok(Room::Component),
            // It is looked up again when it comes again: others may have made it by then.
            None => self.told.call_once(|| {
                tracing::warn!(
                    component = %component_id, components = self.config.components,
                    "there are as many components as spans may make; versions of others are not kept"
                );
            }),
        }
        Ok(Room::None)
    }

    /// Takes a place for one more component, if there is one. A place stays taken when whoever took it goes
    /// away before the component is there: then there are too few rather than too many, until the next
    /// start, at which those that are made through the API count too.
    async fn take_place(&self) -> ServiceResult<bool> {
        let counted = self.count.get_or_try_init(|| async {
            Ok::<_, ServiceError>(Mutex::new(self.components.count_up_to(self.config.components).await?))
        });
        let mut count = counted.await?.lock();
        let is_free = *count < self.config.components;
        *count += u64::from(is_free);
        Ok(is_free)
    }

    /// Gives a place back that was taken for nothing.
    fn give_back(&self) {
        if let Some(count) = self.count.get() {
            let mut count = count.lock();
            *count = count.saturating_sub(1);
        }
    }
}

/// Whether the component was made with the version.
fn is_first(registered: &RegisteredVersion) -> bool {
    registered.created && registered.component.version_count == 1
}

/// Removes names that no component may have, so that a span is not refused for them.
pub(super) fn keep_registrable(references: &mut Vec<ComponentRef>, limits: &RecordLimits) {
    references.retain(|reference| limits.name("componentId", &reference.component_id).is_ok());
    references.truncate(limits.list_items);
}
