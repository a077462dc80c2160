//! Components and their versions: registering, finding, labelling, comparing.

mod diff;
mod history;
mod registration;

pub use self::diff::{DefinitionDiff, DiffLine, ValueChange};
use super::{
    Context, ServiceError, ServiceResult,
    listing::{self, Listing},
};
use crate::{
    model::{
        Refusal,
        component::{
            Component, ComponentRef, ComponentType, ComponentVersion, NewComponentVersion, VersionHash,
            VersionSelector, VersionState,
        },
        page::{ListId, Page, PageRequest},
        refusal::Entity,
    },
    store::{Direction, Queued, Tx, key::Key, keyspace, prefix},
};

/// Entries of an index that are counted in one call to the engine.
const COUNTED_AT_ONCE: usize = 1_000;

/// Use cases of components. Cheap to clone.
#[derive(Clone)]
pub struct Components {
    context: Context,
}

/// A version that was registered.
#[derive(Debug, Clone)]
pub struct RegisteredVersion {
    /// The component after it.
    pub component: Component,
    /// The version: the one that had this content before, if there was one.
    pub version: ComponentVersion,
    /// Whether the content is new to the component.
    pub created: bool,
}

/// Which components. Everything that is given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct ComponentFilter {
    /// Of this type.
    pub component_type: Option<ComponentType>,
    /// With this text in the id, whatever the case of its letters.
    pub id_contains: Option<String>,
    /// With this label.
    pub label: Option<String>,
}

/// Two versions of a component and what differs between them.
#[derive(Debug, Clone)]
pub struct VersionDiff {
    /// The first.
    pub before: ComponentVersion,
    /// The second.
    pub after: ComponentVersion,
    /// What differs.
    pub definition: DefinitionDiff,
}

/// Whether the version that a label points at, if any, is as somebody expects it.
pub type IsExpected<'a> = dyn Fn(Option<&ComponentVersion>) -> bool + Sync + 'a;

/// What came of a label.
#[derive(Debug, Clone)]
pub struct Labelled {
    /// The component as it stands.
    pub component: Component,
    /// The version that the label points at; `None`: it was removed.
    pub version: Option<ComponentVersion>,
}

impl ComponentFilter {
    /// Whether a component is meant.
    #[must_use]
    pub fn matches(&self, component: &Component) -> bool {
        let Self { component_type, id_contains, label } = self;
        component_type.is_none_or(|wanted| component.component_type == wanted)
            && id_contains
                .as_ref()
                .is_none_or(|text| component.id.to_lowercase().contains(&text.to_lowercase()))
            && label.as_ref().is_none_or(|label| component.labelled(label).is_some())
    }

    fn listing(&self) -> Listing {
        let of_type = self.component_type.map_or(keyspace::ANY_TYPE, ComponentType::code);
        Listing {
            index: keyspace::COMPONENT_BY_TYPE.name,
            range: prefix(&of_type),
            direction: Direction::Forward,
            list: ListId::of(&format!("components {self:?}")),
        }
    }
}

impl Components {
    /// The use cases over one context.
    #[must_use]
    pub fn new(context: Context) -> Self {
        Self { context }
    }

    /// Registers a version. Content that the component has already is not registered again: its version
    /// is answered as it is.
    pub async fn register(&self, new: NewComponentVersion) -> ServiceResult<RegisteredVersion> {
        let _turn = self.context.store.turn(new.component_id.as_bytes()).await;
        let registered = self.register_all(vec![new]).await?.pop();
        let nothing = || Refusal::invalid("componentId", "nothing was registered");
        Ok(registered.unwrap_or_else(|| Err(nothing()))?)
    }

    /// Registers versions, of whatever components, in one commit. Answers each in its place; those that break a
    /// rule are left out of it.
    pub(in crate::service) async fn register_all(
        &self,
        new: Vec<NewComponentVersion>,
    ) -> ServiceResult<Vec<Result<RegisteredVersion, Refusal>>> {
        let new = &registration::checked(new, &self.context.limits);
        let registered = self.context.store.transact::<_, ServiceError, _>(|tx| {
            Box::pin(registration::register(tx, new, self.context.now()))
        });
        registered.await
    }

    /// As [`Components::register_all`], and no longer than until the commit is queued. Where that meets a
    /// conflict, nothing is registered.
    pub(in crate::service) async fn queue_all(
        &self,
        new: Vec<NewComponentVersion>,
    ) -> ServiceResult<Queued<Vec<Result<RegisteredVersion, Refusal>>>> {
        let new = &registration::checked(new, &self.context.limits);
        let queued = self
            .context
            .store
            .queue::<_, ServiceError, _>(|tx| Box::pin(registration::register(tx, new, self.context.now())));
        queued.await
    }

    /// Makes a label point at a version, or removes it. A label never points at a retired version.
    pub async fn set_label(
        &self,
        component_id: &str,
        label: &str,
        version: Option<VersionHash>,
    ) -> ServiceResult<Component> {
        let labelled = self.set_label_if(component_id, label, version, None).await?;
        Ok(labelled.ok_or_else(|| no_component(component_id))?.component)
    }

    /// As [`Components::set_label`], where the version that the label points at now, if any, is as `expected`; `None`: it
    /// is not.
    pub async fn set_label_if(
        &self,
        component_id: &str,
        label: &str,
        version: Option<VersionHash>,
        expected: Option<&IsExpected<'_>>,
    ) -> ServiceResult<Option<Labelled>> {
        let limits = &self.context.limits;
        limits.name("label", label)?;
        let _turn = self.context.store.turn(component_id.as_bytes()).await;
        let event = history::Event::new(&self.context, component_id);
        let event = &event;
        let labelled = self.context.store.transact::<_, ServiceError, _>(|tx| {
            Box::pin(async move {
                let old = component(tx, component_id).await?;
                if let Some(expected) = expected {
                    let before = match old.labelled(label) {
                        Some(hash) => Some(self::version(tx, component_id, hash).await?),
                        None => None,
                    };
                    if !expected(before.as_ref()) {
                        return Ok(None);
                    }
                }
                let after = match version {
                    Some(hash) => Some(self::version(tx, component_id, hash).await?),
                    None => None,
                };
                if after.as_ref().is_some_and(|version| version.state == VersionState::Retired) {
                    return Err(Refusal::invalid("versionHash", "the version is RETIRED").into());
                }
                let mut new = old.clone();
                if new.set_label(label, version) {
                    limits.count("label", new.labels.len(), limits.list_items)?;
                    new.updated_at = self.context.now();
                    tx.put_indexed(Some(&old), &new)?;
                    event.label_moved(tx, label, old.labelled(label), version)?;
                }
                Ok(Some(Labelled { component: new, version: after }))
            })
        });
        labelled.await
    }

    /// Moves a version to a state of its life. One that a label points at cannot be retired.
    pub async fn set_state(
        &self,
        component_id: &str,
        hash: VersionHash,
        state: VersionState,
    ) -> ServiceResult<ComponentVersion> {
        let _turn = self.context.store.turn(component_id.as_bytes()).await;
        let event = history::Event::new(&self.context, component_id);
        let event = &event;
        let moved = self.context.store.transact::<_, ServiceError, _>(|tx| {
            Box::pin(async move {
                let component = component(tx, component_id).await?;
                let old = version(tx, component_id, hash).await?;
                let mut new = old.clone();
                new.move_to(state)?;
                let labels: Vec<_> = component.labels_of(hash).collect();
                if state == VersionState::Retired && !labels.is_empty() {
                    let message =
                        format!("labels point at this version, move them first: {}", labels.join(", "));
                    return Err(Refusal::invalid("state", message).into());
                }
                if new != old {
                    tx.put_indexed(Some(&old), &new)?;
                    event.state_changed(tx, hash, old.state, new.state)?;
                }
                Ok(new)
            })
        });
        moved.await
    }

    /// The components with these ids, in their order: one call to the engine.
    pub async fn components(&self, ids: &[String]) -> ServiceResult<Vec<Option<Component>>> {
        Ok(self.context.store.get_many(keyspace::COMPONENT, ids).await?)
    }

    /// These versions, in their order: one call to the engine.
    pub async fn versions(&self, refs: &[ComponentRef]) -> ServiceResult<Vec<Option<ComponentVersion>>> {
        let key = |version: &ComponentRef| (version.component_id.clone(), version.version_hash);
        let keys: Vec<_> = refs.iter().map(key).collect();
        Ok(self.context.store.get_many(keyspace::COMPONENT_VERSION, &keys).await?)
    }

    /// A page of the components that the filter means, by id.
    pub async fn list(&self, filter: &ComponentFilter, page: &PageRequest) -> ServiceResult<Page<Component>> {
        let (store, limits) = (&self.context.store, &self.context.lists);
        listing::filtered(store, &filter.listing(), page, limits, |found: &Component| filter.matches(found))
            .await
    }

    /// How many components the filter means; `None` where counting takes more work than one page may cost.
    pub async fn count(&self, filter: &ComponentFilter) -> ServiceResult<Option<u64>> {
        let (store, limits) = (&self.context.store, &self.context.lists);
        listing::count(store, &filter.listing(), limits, |found: &Component| filter.matches(found)).await
    }

    /// How many components there are, counted no further than `most`.
    pub(in crate::service) async fn count_up_to(&self, most: u64) -> ServiceResult<u64> {
        let (mut range, mut count) = (prefix(&keyspace::ANY_TYPE), 0);
        loop {
            let chunk =
                self.context.store.chunk_keys(keyspace::COMPONENT_BY_TYPE, range.clone(), COUNTED_AT_ONCE);
            let chunk = chunk.await?;
            count += chunk.items.len() as u64;
            let last = chunk.items.last().filter(|_| chunk.more && count < most);
            let Some(last) = last else { return Ok(count.min(most)) };
            range = range.after(&last.encode());
        }
    }

    /// A page of the versions of each component, the one registered last first: two calls to the engine.
    pub async fn versions_of(
        &self,
        ids: &[String],
        page: &PageRequest,
    ) -> ServiceResult<Vec<Page<ComponentVersion>>> {
        let listing = |id: &String| Listing {
            index: keyspace::COMPONENT_VERSION_BY_SEQUENCE.name,
            range: prefix(id),
            direction: Direction::Backward,
            list: ListId::of(&format!("versions of {id}")),
        };
        let listings: Vec<_> = ids.iter().map(listing).collect();
        listing::first_pages(&self.context.store, &listings, page).await
    }

    /// The version that is meant.
    pub async fn resolve(
        &self,
        component_id: &str,
        selector: &VersionSelector,
    ) -> ServiceResult<ComponentVersion> {
        let id = component_id.to_owned();
        let found = self.context.store.get(keyspace::COMPONENT, &id).await?;
        let component = found.ok_or_else(|| no_component(component_id))?;
        let hash = match selector {
            VersionSelector::Hash(hash) => *hash,
            VersionSelector::Newest => return self.newest(&component).await,
            VersionSelector::Label(label) => component.labelled(label).ok_or_else(|| {
                let missing = format!("{component_id} with the label {label}");
                Refusal::not_found("label", Entity::ComponentVersion, missing)
            })?,
        };
        let found = self.context.store.get(keyspace::COMPONENT_VERSION, &(id, hash)).await?;
        Ok(found.ok_or_else(|| no_version(hash))?)
    }

    /// What differs between two versions of a component.
    pub async fn diff(
        &self,
        component_id: &str,
        before: VersionHash,
        after: VersionHash,
    ) -> ServiceResult<VersionDiff> {
        let version = |version_hash| ComponentRef { component_id: component_id.to_owned(), version_hash };
        let unknown = |field, hash| Refusal::not_found(field, Entity::ComponentVersion, hash);
        let mut found = self.versions(&[version(before), version(after)]).await?.into_iter();
        let before = found.next().flatten().ok_or_else(|| unknown("before", before))?;
        let after = found.next().flatten().ok_or_else(|| unknown("after", after))?;
        let definitions = (before.definition.clone(), after.definition.clone());
        // Long definitions take long to compare, and nobody else should wait for that.
        let compare = move || diff::diff(&definitions.0, &definitions.1);
        let definition = tokio::task::spawn_blocking(compare).await;
        let definition = definition.map_err(|_| crate::store::StoreError::Closed)??;
        Ok(VersionDiff { before, after, definition })
    }

    async fn newest(&self, component: &Component) -> ServiceResult<ComponentVersion> {
        // Mostly it is the first that is looked at.
        let (mut page, mut at_once) = (PageRequest { first: 1, after: None }, 1);
        loop {
            let found = self.versions_of(std::slice::from_ref(&component.id), &page).await?.pop();
            let Some(found) = found else { break };
            let next = found.end.map(|cursor| cursor.encode());
            let mut versions = found.items.into_iter().map(|(_, version)| version);
            if let Some(version) = versions.find(|version| version.state != VersionState::Retired) {
                return Ok(version);
            }
            if !found.has_next {
                break;
            }
            at_once = (at_once * 4).min(64);
            page = PageRequest { first: at_once, after: next };
        }
        let missing = format!("{} that is not RETIRED", component.id);
        Err(Refusal::not_found("componentId", Entity::ComponentVersion, missing).into())
    }
}

fn no_component(id: &str) -> Refusal {
    Refusal::not_found("componentId", Entity::Component, id)
}

fn no_version(hash: VersionHash) -> Refusal {
    Refusal::not_found("versionHash", Entity::ComponentVersion, hash)
}

async fn component(tx: &mut Tx<'_>, id: &str) -> ServiceResult<Component> {
    let found = tx.get(keyspace::COMPONENT, &id.to_owned()).await?;
    Ok(found.ok_or_else(|| no_component(id))?)
}

async fn version(tx: &mut Tx<'_>, id: &str, hash: VersionHash) -> ServiceResult<ComponentVersion> {
    let found = tx.get(keyspace::COMPONENT_VERSION, &(id.to_owned(), hash)).await?;
    Ok(found.ok_or_else(|| no_version(hash))?)
}
