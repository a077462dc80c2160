//! An index alone: what is found and in which order, what is put in the place of what, and what holds for any texts.

use proptest::prelude::*;

use super::*;
use crate::{
    model::{SpanId, Timestamp},
    search::{Item, Place, Texts},
};

fn trace(number: u8) -> TraceId {
    TraceId::from_bytes([number; 16])
}

fn document(started: i64, of: u8, number: u32, texts: &[(TextKind, &str)]) -> Document {
    let place = Place { started: Timestamp::from_nanos(started), trace: trace(of), number };
    let item = if number == 0 { Item::Trace } else { Item::Span(SpanId::from_bytes([of; 16])) };
    let mut all = Texts::new(1_000);
    for (kind, text) in texts {
        all.add(*kind, text);
    }
    Document { place, item, texts: all }
}

fn index() -> Index {
    Index::in_memory(&SearchConfig::default(), 1).unwrap()
}

fn query(text: &str) -> TextQuery {
    TextQuery::parse("text", text, &SearchConfig::default()).unwrap()
}

/// The traces and numbers of what is found.
fn found(index: &Index, text: &str, kinds: &[TextKind], window: Window) -> Vec<(u8, u32)> {
    let hits = index.find(&query(text), kinds, window).unwrap();
    hits.into_iter().map(|hit| (hit.place.trace.bytes()[0], hit.place.number)).collect()
}

fn all(index: &Index, text: &str) -> Vec<(u8, u32)> {
    found(index, text, &[], Window::first(100))
}

#[test]
fn what_is_found_is_what_has_all_of_it() {
    let index = index();
    let documents = [
        document(
            1,
            1,
            0,
            &[(TextKind::Input, "The weather in Zürich"), (TextKind::Output, "Rain, then snow.")],
        ),
        document(1, 1, 1, &[(TextKind::Input, "get_weather 東京の天気"), (TextKind::Error, "timed out")]),
        document(2, 2, 0, &[(TextKind::Output, "snow in the weather")]),
    ];
    index.replace(&[], &documents).unwrap();
    assert_eq!(all(&index, "snow"), []);
    index.commit().unwrap();
    for (text, expected) in [
        ("weather", vec![(2, 0), (1, 0), (1, 1)]),
        ("weather rain", vec![(1, 0)]),
        ("\"weather in\"", vec![(1, 0)]),
        ("weather -snow", vec![(1, 1)]),
        ("get_weather", vec![(1, 1)]),
        ("zur*", vec![(1, 0)]),
        ("天気", vec![(1, 1)]),
        ("気天", vec![]),
        ("Timed OUT", vec![(1, 1)]),
        ("hail", vec![]),
    ] {
        assert_eq!(all(&index, text), expected, "{text}");
        assert_eq!(index.count(&query(text), &[]).unwrap(), expected.len() as u64, "{text}");
    }
    assert_eq!(found(&index, "weather", &[TextKind::Output], Window::first(9)), [(2, 0)]);
    assert_eq!(found(&index, "weather snow", &[TextKind::Input], Window::first(9)), []);
}

#[test]
fn windows_follow_each_other_without_a_gap() {
    let index = index();
    for of in 1..=6 {
        let documents: Vec<_> = (0..4)
            .map(|number| document(i64::from(of / 2), of, number, &[(TextKind::Input, "same")]))
            .collect();
        index.replace(&[], &documents).unwrap();
        index.commit().unwrap();
    }
    let whole = all(&index, "same");
    assert_eq!(whole.len(), 24);
    let (mut paged, mut after) = (Vec::new(), None);
    loop {
        let hits = index.find(&query("same"), &[], Window { after, ..Window::first(5) }).unwrap();
        let Some(last) = hits.last() else { break };
        after = Some(last.place);
        paged.extend(hits.iter().map(|hit| (hit.place.trace.bytes()[0], hit.place.number)));
    }
    assert_eq!(paged, whole);
    let one = Window { one_of_a_trace: true, ..Window::first(4) };
    assert_eq!(found(&index, "same", &[], one.clone()), [(6, 0), (5, 0), (4, 0), (3, 0)]);
    let after = Some(Place { started: Timestamp::from_nanos(1), trace: trace(3), number: 0 });
    assert_eq!(found(&index, "same", &[], Window { after, ..one }), [(2, 0), (1, 0)]);
    let started = Timestamp::from_nanos(1)..Timestamp::from_nanos(2);
    let some = Window { started, one_of_a_trace: true, ..Window::first(9) };
    assert_eq!(found(&index, "same", &[], some), [(3, 0), (2, 0)]);
}

#[test]
fn a_trace_that_is_put_again_takes_its_own_place() {
    let index = index();
    for text in ["first", "second", "second"] {
        index.replace(&[trace(1)], &[document(1, 1, 0, &[(TextKind::Input, text)])]).unwrap();
        index.commit().unwrap();
        index.tidy().unwrap();
    }
    assert_eq!((all(&index, "first").len(), all(&index, "second").len()), (0, 1));
    index.replace(&[trace(1)], &[]).unwrap();
    index.tidy().unwrap();
    assert_eq!(all(&index, "second"), []);
}

#[test]
fn what_is_damaged_or_of_another_version_is_begun_anew() {
    let folder = tempfile::tempdir().unwrap();
    let open = |fresh| Index::open(&folder.path().join("search"), &SearchConfig::default(), fresh).unwrap();
    let put = |index: &Index| {
        index.replace(&[], &[document(1, 1, 0, &[(TextKind::Input, "here")])]).unwrap();
        index.commit().unwrap();
    };
    put(&open(1));
    let again = open(2);
    assert_eq!((again.generation(), all(&again, "here").len()), (1, 1));
    drop(again);

    let inside = folder.path().join("search");
    for damage in 0..4 {
        put(&open(9));
        for entry in std::fs::read_dir(&inside).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let end = path.extension().map(|end| end.to_str().unwrap().to_owned()).unwrap_or_default();
            match (damage, name.as_str(), end.as_str()) {
                (0, "FORMAT", _) => std::fs::write(path, "dendro search, format 0\n").unwrap(),
                (1, "meta.json", _) => std::fs::write(path, "{").unwrap(),
                (2, _, "term") => std::fs::remove_file(path).unwrap(),
                (3, _, "fast") => std::fs::write(path, "short").unwrap(),
                _ => {}
            }
        }
        let index = open(10 + damage);
        assert_eq!((index.generation(), all(&index, "here").len()), (10 + damage, 0), "{damage}");
    }

    let index = open(20);
    put(&index);
    index.clear().unwrap();
    drop(index);
    assert_eq!(open(21).generation(), 21, "one that is being filled is not whole");
    let index = open(22);
    index.clear().unwrap();
    put(&index);
    index.finish().unwrap();
    drop(index);
    assert_eq!((open(23).generation(), all(&open(23), "here").len()), (21, 1));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// The index finds what [`TextQuery::mark`] marks, whatever is asked and whatever the text.
    #[test]
    fn what_is_found_is_what_is_marked(asked in "[ab*\" 京é-]{1,12}", text in "[ab \n京é-]{0,24}") {
        let Ok(query) = TextQuery::parse("text", &asked, &SearchConfig::default()) else { return Ok(()) };
        prop_assume!(query.clauses().iter().all(|clause| !clause.is_excluded));
        let index = index();
        index.replace(&[], &[document(1, 1, 0, &[(TextKind::Output, &text)])]).unwrap();
        index.commit().unwrap();
        let is_marked = query.mark(&text).clauses == query.clauses().len();
        prop_assert_eq!(!index.find(&query, &[], Window::first(1)).unwrap().is_empty(), is_marked);
    }

    /// And what [`TextQuery::is_in`] says of the texts, in whichever kinds they are looked for.
    #[test]
    fn what_is_found_is_what_the_texts_have(
        asked in "[ab*\" é-]{1,12}",
        texts in prop::collection::vec((0_usize..3, "[ab \né-]{0,8}"), 0..4),
        kinds in prop::collection::vec(0_usize..3, 0..3),
    ) {
        let all = [TextKind::Input, TextKind::Output, TextKind::Name];
        let Ok(query) = TextQuery::parse("text", &asked, &SearchConfig::default()) else { return Ok(()) };
        let texts: Vec<_> = texts.iter().map(|(kind, text)| (all[*kind], text.as_str())).collect();
        let kinds: Vec<_> = kinds.into_iter().map(|kind| all[kind]).collect();
        let document = document(1, 1, 0, &texts);
        let index = index();
        index.replace(&[], std::slice::from_ref(&document)).unwrap();
        index.commit().unwrap();
        let is_found = !index.find(&query, &kinds, Window::first(1)).unwrap().is_empty();
        prop_assert_eq!(is_found, query.is_in(&document.texts, &kinds));
    }
}
