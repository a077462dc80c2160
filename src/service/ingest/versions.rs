//! Component versions that spans show: registered once, and known by their source from then on.
//!
//! A prompt that is another one at every call (it holds the date, or what was found) would make a version
//! a call. So a component gets so many versions in this way and no more; spans then name none. And a sender
//! whose agents or prompts have another name in every span would make a component a span: once there are so
//! many components, spans make no more of them.

use std::{
    collections::{HashMap, HashSet},
    num::NonZeroUsize,
    sync::{Arc, Once},
};

use lru::LruCache;
use parking_lot::Mutex;
use tokio::sync::{OnceCell, OwnedMutexGuard};

use super::{IngestConfig, report::NamedVersion};
use crate::{
    model::{
        Refusal,
        component::{Component, ComponentRef, NewComponentVersion, VersionHash},
        limits::RecordLimits,
    },
    semconv::VersionSource,
    service::{
        ServiceError, ServiceResult,
        components::{Components, RegisteredVersion},
    },
    store::{Queued, StoreError},
};

/// Who registers the versions.
const REGISTRAR: &str = "opentelemetry";

/// Sources that are remembered with their versions: some 150 bytes each.
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(16_384).unwrap();

/// Versions that are registered in one commit.
const AT_ONCE: usize = 256;

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
    turn: Arc<tokio::sync::Mutex<()>>,
}

/// What there is room for.
struct Places {
    /// How many versions each component has; `None`: there is no such component yet.
    versions: HashMap<String, Option<u64>>,
    /// Components that a place was taken for, as long as they are not made.
    taken: HashSet<String>,
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
            turn: Arc::default(),
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

    /// Puts versions into the queue of commits.
    pub(super) async fn register(
        self: &Arc<Self>,
        named: Vec<NamedVersion>,
    ) -> ServiceResult<Option<Registering>> {
        if named.is_empty() {
            return Ok(None);
        }
        // Reports that come at the same time mostly show the same components.
        let turn = Arc::clone(&self.turn).lock_owned().await;
        let mut seen = HashSet::new();
        let new: Vec<_> = named.into_iter().filter(|named| seen.insert(named.reference.clone())).collect();
        let mut places = self.places_for(&new).await?;
        let (new, refused): (Vec<_>, Vec<_>) =
            new.into_iter().partition(|named| self.take(&mut places, &named.reference.component_id));
        let not_kept = refused.into_iter().map(|named| named.reference).collect();
        let of = Arc::clone(self);
        let mut registering =
            Registering { of, not_kept, places, queued: None, sources: Vec::new(), _turn: turn };
        let mut new = new.into_iter().peekable();
        while new.peek().is_some() {
            registering.queue(new.by_ref().take(AT_ONCE).collect()).await?;
        }
        Ok(Some(registering))
    }

    /// What there is room for of these versions' components: one call to the engine.
    async fn places_for(&self, new: &[NamedVersion]) -> ServiceResult<Places> {
        let mut ids: Vec<_> = new.iter().map(|named| named.reference.component_id.clone()).collect();
        ids.sort_unstable();
        ids.dedup();
        ids.retain(|id| self.keeps(id));
        let found = self.components.components(&ids).await?;
        if found.iter().any(Option::is_none) {
            let most = self.config.components;
            let counted =
                async { Ok::<_, ServiceError>(Mutex::new(self.components.count_up_to(most).await?)) };
            self.count.get_or_try_init(|| counted).await?;
        }
        let count = |component: Component| component.version_count;
        let versions = ids.into_iter().zip(found).map(|(id, found)| (id, found.map(count))).collect();
        Ok(Places { versions, taken: HashSet::new() })
    }

    /// Takes a place for a version, and for its component where there is none. Whether there was room.
    fn take(&self, places: &mut Places, component_id: &String) -> bool {
        let Some(versions) = places.versions.get_mut(component_id) else { return false };
        match versions {
            Some(count) if *count < self.config.versions_per_component => *count += 1,
            Some(count) => {
                if self.full.lock().put(component_id.clone(), ()).is_none() {
                    tracing::warn!(
                        component = %component_id, versions = *count,
                        "the component changes with every call; its further versions are not kept"
                    );
                }
                return false;
            }
            None if self.take_place() => {
                *versions = Some(1);
                places.taken.insert(component_id.clone());
            }
            None => {
                // It is looked up again when it comes again: others may have made it by then.
                self.told.call_once(|| {
                    tracing::warn!(
                        component = %component_id, components = self.config.components,
                        "there are as many components as spans may make; versions of others are not kept"
                    );
                });
                return false;
            }
        }
        true
    }

    /// Takes a place for one more component, if there is one. Components that are made through the API count from
    /// the next start on.
    fn take_place(&self) -> bool {
        let Some(count) = self.count.get() else { return false };
        let mut count = count.lock();
        let is_free = *count < self.config.components;
        *count += u64::from(is_free);
        is_free
    }

    /// Gives places back that were taken for components which were not made.
    fn give_back(&self, places: &Places) {
        if let Some(count) = self.count.get() {
            let mut count = count.lock();
            *count = count.saturating_sub(places.taken.len() as u64);
        }
    }
}

/// What became of versions, each in its place.
type Registered = Vec<Result<RegisteredVersion, Refusal>>;

/// Versions on their way to the disk.
pub(super) struct Registering {
    of: Arc<Versions>,
    not_kept: HashSet<ComponentRef>,
    places: Places,
    /// The last of them, the only ones that may not be durable.
    queued: Option<(Vec<NamedVersion>, Queued<Registered>)>,
    sources: Vec<(u128, Vec<ComponentRef>)>,
    _turn: OwnedMutexGuard<()>,
}

impl Registering {
    /// Those that are not kept: what is no version, and what is one too many.
    pub(super) fn not_kept(&self) -> &HashSet<ComponentRef> {
        &self.not_kept
    }

    /// Waits until all of them are durable.
    pub(super) async fn durable(mut self) -> ServiceResult<()> {
        self.settle().await?;
        self.of.give_back(&self.places);
        let mut known = self.of.known.lock();
        for (source, references) in self.sources {
            known.put(source, references);
        }
        Ok(())
    }

    async fn queue(&mut self, some: Vec<NamedVersion>) -> ServiceResult<()> {
        self.settle().await?;
        let queued = self.of.components.queue_all(some.iter().map(to_register).collect()).await;
        let queued = queued.inspect_err(|_| self.of.give_back(&self.places))?;
        for (NamedVersion { reference, source, .. }, registered) in some.iter().zip(queued.outcome()) {
            match registered {
                Ok(_) => match self.sources.last_mut() {
                    Some((known, references)) if known == source => references.push(reference.clone()),
                    _ => self.sources.push((*source, vec![reference.clone()])),
                },
                Err(refusal) => {
                    tracing::debug!(component = %reference.component_id, %refusal, "no version of a span");
                    self.not_kept.insert(reference.clone());
                }
            }
        }
        self.queued = Some((some, queued));
        Ok(())
    }

    async fn settle(&mut self) -> ServiceResult<()> {
        let Some((some, queued)) = self.queued.take() else { return Ok(()) };
        let registered = match queued.durable().await {
            // Somebody changed one of the components meanwhile.
            Err(StoreError::Conflict) => {
                self.of.components.register_all(some.iter().map(to_register).collect()).await
            }
            done => done.map_err(ServiceError::from),
        };
        let registered = registered.inspect_err(|_| self.of.give_back(&self.places))?;
        for registered in registered.into_iter().flatten().filter(|registered| registered.created) {
            self.places.taken.remove(&registered.component.id);
        }
        Ok(())
    }
}

fn to_register(NamedVersion { version, .. }: &NamedVersion) -> NewComponentVersion {
    NewComponentVersion {
        component_id: version.component_id.clone(),
        component_type: version.component_type,
        version_name: version.version_name.clone(),
        definition: version.definition.clone(),
        created_by: Some(REGISTRAR.to_owned()),
        description: None,
        tags: Vec::new(),
        state: None,
    }
}

/// Removes names that no component may have, so that a span is not refused for them.
pub(super) fn keep_registrable(references: &mut Vec<ComponentRef>, limits: &RecordLimits) {
    references.retain(|reference| limits.name("componentId", &reference.component_id).is_ok());
    references.truncate(limits.list_items);
}
