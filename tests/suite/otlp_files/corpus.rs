//! What clients sent, as files.

use std::{fs, path::PathBuf};

/// Files that belong together, in the order in which they came.
pub struct Sent {
    pub name: String,
    pub files: Vec<(String, Vec<u8>)>,
}

/// Everything in the corpus: the recordings of each client, and each handmade request with its logs.
pub fn all() -> Vec<Sent> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/otlp");
    let mut all = Vec::new();
    for folder in sorted(&root).into_iter().filter(|path| path.is_dir()) {
        let files = sorted(&folder).into_iter().filter(|path| is_sent(path));
        let files: Vec<_> = files.map(|path| (name_of(&path), fs::read(&path).unwrap())).collect();
        if name_of(&folder) == "handmade" {
            all.extend(handmade(files));
        } else {
            all.push(Sent { name: name_of(&folder), files });
        }
    }
    assert!(all.len() > 20, "the corpus is where it is looked for");
    all
}

/// Spans and logs of one program come together; a span that has started comes before its end.
fn handmade(files: Vec<(String, Vec<u8>)>) -> Vec<Sent> {
    let mut all: Vec<Sent> = Vec::new();
    for (name, bytes) in files {
        let program = name.trim_end_matches(".json").trim_end_matches("-logs").to_owned();
        let program = program.trim_end_matches("-ended").trim_end_matches("-pending").to_owned();
        match all.iter_mut().find(|sent| sent.name == program) {
            Some(sent) if name.contains("-pending") => sent.files.insert(0, (name, bytes)),
            Some(sent) if name.contains("-logs") => sent.files.push((name, bytes)),
            Some(sent) => sent.files.insert(0, (name, bytes)),
            None => all.push(Sent { name: program, files: vec![(name, bytes)] }),
        }
    }
    all
}

fn is_sent(path: &std::path::Path) -> bool {
    let name = name_of(path);
    name.ends_with(".pb")
        || (name.ends_with(".json") && !["requests.json", "expected.json"].contains(&name.as_str()))
}

fn sorted(folder: &std::path::Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn name_of(path: &std::path::Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}
