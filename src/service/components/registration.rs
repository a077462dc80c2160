//! Versions on their way into one commit: each sees the ones before it.

use std::collections::HashMap;

use super::RegisteredVersion;
use crate::{
    model::{
        Refusal, Timestamp,
        component::{Component, ComponentVersion, NewComponentVersion, VersionHash},
        limits::RecordLimits,
    },
    service::ServiceResult,
    store::{Tx, keyspace},
};

/// A version that is to be registered, with its hash; or the rule that it breaks.
type Checked = Result<(NewComponentVersion, VersionHash), Refusal>;

/// Versions by the rules that need no look at what is stored.
pub(super) fn checked(new: Vec<NewComponentVersion>, limits: &RecordLimits) -> Vec<Checked> {
    let checked = |new: NewComponentVersion| {
        new.check(limits)?;
        let hash = VersionHash::of(&new.definition)?;
        Ok((new, hash))
    };
    new.into_iter().map(checked).collect()
}

/// Registers versions; answers each in its place.
pub(super) async fn register(
    tx: &mut Tx<'_>,
    new: &[Checked],
    now: Timestamp,
) -> ServiceResult<Vec<Result<RegisteredVersion, Refusal>>> {
    let mut registration = Registration::begin(tx, new).await?;
    let one = |new: &Checked| {
        let (new, hash) = new.as_ref().map_err(Clone::clone)?;
        registration.add(new, *hash, now)
    };
    let registered = new.iter().map(one).collect();
    registration.write(tx)?;
    Ok(registered)
}

/// Components and versions, as they are stored and as they become.
struct Registration {
    components: HashMap<String, (Option<Component>, Option<Component>)>,
    versions: HashMap<(String, VersionHash), ComponentVersion>,
    made: Vec<ComponentVersion>,
}

impl Registration {
    /// Reads what is there of all that is to be registered: two calls to the engine.
    async fn begin(tx: &mut Tx<'_>, new: &[Checked]) -> ServiceResult<Self> {
        let mut keys: Vec<_> =
            new.iter().flatten().map(|(new, hash)| (new.component_id.clone(), *hash)).collect();
        keys.sort_unstable();
        keys.dedup();
        let mut ids: Vec<_> = keys.iter().map(|(id, _)| id.clone()).collect();
        ids.dedup();
        let components = tx.get_many(keyspace::COMPONENT, &ids).await?;
        let components = ids.into_iter().zip(components).map(|(id, found)| (id, (found.clone(), found)));
        let versions = tx.get_many(keyspace::COMPONENT_VERSION, &keys).await?;
        let versions = keys.into_iter().zip(versions).filter_map(|(key, found)| Some((key, found?)));
        Ok(Self { components: components.collect(), versions: versions.collect(), made: Vec::new() })
    }

    /// Adds a version, if the component has it not.
    fn add(
        &mut self,
        new: &NewComponentVersion,
        hash: VersionHash,
        now: Timestamp,
    ) -> Result<RegisteredVersion, Refusal> {
        let (_, component) = self.components.entry(new.component_id.clone()).or_default();
        if let Some(component) = component {
            new.check_type(component)?;
        }
        let key = (new.component_id.clone(), hash);
        if let (Some(component), Some(version)) = (component.clone(), self.versions.get(&key).cloned()) {
            return Ok(RegisteredVersion { component, version, created: false });
        }
        let (after, version) = new.clone().register(component.as_ref(), hash, now)?;
        *component = Some(after.clone());
        self.versions.insert(key, version.clone());
        self.made.push(version.clone());
        Ok(RegisteredVersion { component: after, version, created: true })
    }

    /// Puts everything into the transaction.
    fn write(self, tx: &mut Tx<'_>) -> ServiceResult<()> {
        for (before, after) in self.components.values() {
            if let Some(after) = after.as_ref().filter(|after| before.as_ref() != Some(after)) {
                tx.put_indexed(before.as_ref(), after)?;
            }
        }
        for version in &self.made {
            tx.put_indexed(None, version)?;
        }
        Ok(())
    }
}
