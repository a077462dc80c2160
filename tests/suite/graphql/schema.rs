//! The schema's text.

use std::path::Path;

#[test]
fn the_checked_in_schema_is_the_programs() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema.graphql");
    let (kept, built) = (std::fs::read_to_string(&path).unwrap_or_default(), dendro::graphql::sdl());
    if kept != built {
        let place = kept.lines().zip(built.lines()).position(|(kept, built)| kept != built);
        let line = place.unwrap_or_else(|| kept.lines().count().min(built.lines().count())) + 1;
        panic!(
            "schema.graphql differs from the program's schema at line {line}. \
             Write it anew with `make schema` (`dendro schema > schema.graphql`)."
        );
    }
}
