//! Registering, labelling, finding and comparing component versions.

use dendro::{
    model::{
        Json,
        component::{
            ComponentType, ComponentVersion, NewComponentVersion, VersionHash, VersionSelector, VersionState,
        },
        page::PageRequest,
    },
    service::{ServiceResult, components::ComponentFilter},
};

use super::bed::{Bed, first, refusal};

fn prompt(id: &str, definition: &str) -> NewComponentVersion {
    NewComponentVersion {
        component_id: id.to_owned(),
        component_type: ComponentType::Prompt,
        version_name: None,
        definition: Json::parse(definition).unwrap(),
        created_by: None,
        description: None,
        tags: Vec::new(),
        state: None,
    }
}

async fn registered(bed: &Bed, id: &str, definition: &str) -> ComponentVersion {
    bed.clock.advance_ms(1000);
    bed.services.components.register(prompt(id, definition)).await.unwrap().version
}

async fn resolved(bed: &Bed, selector: VersionSelector) -> ServiceResult<ComponentVersion> {
    bed.services.components.resolve("p", &selector).await
}

#[tokio::test]
async fn the_same_content_is_the_same_version() {
    let bed = Bed::new().await;
    let service = &bed.services.components;
    let made = service.register(prompt("p", r#"{"text": "Hi", "n": 1.0}"#)).await.unwrap();
    assert!(made.created);
    assert_eq!((made.version.sequence, made.component.version_count), (1, 1));
    assert_eq!(made.version.state, VersionState::Active);
    let again = service.register(prompt("p", r#"{"n":1,"text":"Hi"}"#)).await.unwrap();
    assert!(!again.created);
    assert_eq!((again.version, again.component), (made.version.clone(), made.component));
    let tool = NewComponentVersion { component_type: ComponentType::Tool, ..prompt("p", "[1]") };
    assert_eq!(refusal(service.register(tool).await), "componentType: the component `p` is a PROMPT");
    let retired = NewComponentVersion { state: Some(VersionState::Retired), ..prompt("p", "[1]") };
    assert_eq!(
        refusal(service.register(retired).await),
        "state: a new version is DRAFT or ACTIVE, not RETIRED"
    );
    let elsewhere = service.register(prompt("q", r#"{"n":1,"text":"Hi"}"#)).await.unwrap();
    assert!(elsewhere.created);
    assert_eq!(elsewhere.version.version_hash, made.version.version_hash);
    bed.assert_consistent().await;
}

#[tokio::test]
async fn labels_move_and_versions_are_resolved() {
    let bed = Bed::new().await;
    let service = &bed.services.components;
    let one = registered(&bed, "p", "1").await;
    let two = registered(&bed, "p", "2").await;
    service.set_label("p", "production", Some(one.version_hash)).await.unwrap();
    service.set_label("p", "alpha", Some(one.version_hash)).await.unwrap();
    let label = || VersionSelector::Label("production".to_owned());
    assert_eq!(resolved(&bed, label()).await.unwrap(), one);
    let moved = service.set_label("p", "production", Some(two.version_hash)).await.unwrap();
    assert_eq!(
        moved.labels,
        [("alpha".to_owned(), one.version_hash), ("production".to_owned(), two.version_hash)]
    );
    assert_eq!(resolved(&bed, label()).await.unwrap(), two);
    assert_eq!(resolved(&bed, VersionSelector::Newest).await.unwrap(), two);
    assert_eq!(resolved(&bed, VersionSelector::Hash(one.version_hash)).await.unwrap(), one);
    let refused = service.set_state("p", two.version_hash, VersionState::Retired).await;
    assert_eq!(refusal(refused), "state: labels point at this version, move them first: production");
    service.set_label("p", "production", None).await.unwrap();
    service.set_state("p", two.version_hash, VersionState::Retired).await.unwrap();
    let message = "label: there is no component version `p with the label production`";
    assert_eq!(refusal(resolved(&bed, label()).await), message);
    assert_eq!(resolved(&bed, VersionSelector::Newest).await.unwrap(), one);
    let refused = service.set_label("p", "x", Some(two.version_hash)).await;
    assert_eq!(refusal(refused), "versionHash: the version is RETIRED");
    let refused = service.set_label("p", "x", Some(VersionHash::from_bytes([0; 32]))).await;
    assert!(refusal(refused).starts_with("versionHash: there is no component version `0000"));
    let refused = service.set_state("p", two.version_hash, VersionState::Active).await;
    assert_eq!(
        refusal(refused),
        "a component version that is RETIRED cannot become ACTIVE; this state is final"
    );
    assert_eq!(refusal(service.set_label("q", "x", None).await), "componentId: there is no component `q`");
    bed.assert_consistent().await;
}

#[tokio::test]
async fn the_newest_is_found_behind_many_retired() {
    let bed = Bed::new().await;
    let mut versions = Vec::new();
    for number in 0..100 {
        versions.push(registered(&bed, "p", &number.to_string()).await);
    }
    for version in &versions[1..] {
        bed.services.components.set_state("p", version.version_hash, VersionState::Retired).await.unwrap();
    }
    assert_eq!(resolved(&bed, VersionSelector::Newest).await.unwrap(), versions[0]);
    bed.services.components.set_state("p", versions[0].version_hash, VersionState::Retired).await.unwrap();
    let message = "componentId: there is no component version `p that is not RETIRED`";
    assert_eq!(refusal(resolved(&bed, VersionSelector::Newest).await), message);
}

#[tokio::test]
async fn components_and_their_versions_are_listed() {
    let bed = Bed::new().await;
    let service = &bed.services.components;
    for id in ["prompts/a", "prompts/b", "Tools"] {
        for number in 0..3 {
            registered(&bed, id, &number.to_string()).await;
        }
    }
    let tool = NewComponentVersion { component_type: ComponentType::Tool, ..prompt("tools/x", "[1]") };
    let tool = service.register(tool).await.unwrap().version;
    service.set_label("tools/x", "best", Some(tool.version_hash)).await.unwrap();
    let listed = async |filter: ComponentFilter| {
        let (mut ids, mut after) = (Vec::new(), None);
        loop {
            let page = service.list(&filter, &PageRequest { first: 2, after }).await.unwrap();
            ids.extend(page.items.into_iter().map(|(_, component)| component.id));
            after = page.end.map(|cursor| cursor.encode());
            if !page.has_next {
                return ids;
            }
        }
    };
    let any = ComponentFilter::default();
    assert_eq!(listed(any.clone()).await, ["Tools", "prompts/a", "prompts/b", "tools/x"]);
    let tools = ComponentFilter { component_type: Some(ComponentType::Tool), ..any.clone() };
    assert_eq!(listed(tools).await, ["tools/x"]);
    let named = ComponentFilter { id_contains: Some("TOOL".to_owned()), ..any.clone() };
    assert_eq!(listed(named).await, ["Tools", "tools/x"]);
    assert_eq!(listed(ComponentFilter { label: Some("best".to_owned()), ..any }).await, ["tools/x"]);
    let ids = ["prompts/b".to_owned(), "nothing".to_owned(), "tools/x".to_owned()];
    let pages = service.versions_of(&ids, &first(2)).await.unwrap();
    let definitions: Vec<Vec<_>> = pages
        .iter()
        .map(|page| page.items.iter().map(|(_, version)| version.definition.text()).collect())
        .collect();
    assert_eq!(definitions, [vec!["2", "1"], vec![], vec!["[1]"]]);
    assert!(pages[0].has_next && !pages[2].has_next);
    bed.assert_consistent().await;
}

#[tokio::test]
async fn two_versions_are_compared() {
    let bed = Bed::new().await;
    let one = registered(&bed, "p", r#"{"text": "a\nb", "n": 1}"#).await;
    let two = registered(&bed, "p", r#"{"text": "a\nc", "n": 1}"#).await;
    let diff = bed.services.components.diff("p", one.version_hash, two.version_hash).await.unwrap();
    let changed: Vec<_> = diff.definition.changes.iter().map(|change| change.path.as_str()).collect();
    assert_eq!(changed, ["/text"]);
    assert_eq!(diff.definition.changes[0].lines.len(), 3);
    assert_eq!(diff.definition.lines.len(), 5);
    let missing = bed.services.components.diff("p", one.version_hash, VersionHash::from_bytes([1; 32])).await;
    assert!(refusal(missing).starts_with("after: there is no component version"));
}

#[tokio::test]
async fn many_registrations_at_once_are_counted() {
    let bed = Bed::new().await;
    let tasks = (0..60).map(|number| {
        let service = bed.services.components.clone();
        tokio::spawn(async move {
            service.register(prompt("p", &(number % 20).to_string())).await.unwrap().created
        })
    });
    let mut created = 0;
    for task in tasks.collect::<Vec<_>>() {
        created += usize::from(task.await.unwrap());
    }
    assert_eq!(created, 20);
    let component = bed.services.components.components(&["p".to_owned()]).await.unwrap().remove(0).unwrap();
    assert_eq!(component.version_count, 20);
    bed.assert_consistent().await;
}
