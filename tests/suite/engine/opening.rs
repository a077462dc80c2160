//! Opening: whose directory it is, and who may use it.

use std::{fs, path::Path};

use dendro::engine::{Batch, EngineConfig, EngineError, EngineKind, EngineResult, SharedEngine, open};

use super::subject::{Subject, all, get, put, tree};

pub async fn a_directory_and_its_parents_are_made(subject: &Subject) {
    let dir = subject.dir().join("not/there yet/Größe");
    let engine = subject.open_at(&dir).unwrap();
    put(&*engine, &tree("rows"), &[("a", "1")]).await;
    assert!(dir.join("DENDRO").is_file());
}

pub async fn another_engine_is_refused_by_name(subject: &Subject) {
    put(&*subject.open(), &tree("rows"), &[("a", "1")]).await;
    let made_by = subject.config().kind;
    for asked in [EngineKind::Sled, EngineKind::Fjall, EngineKind::Memory] {
        if asked == made_by {
            continue;
        }
        let error = refusal(open(&EngineConfig::new(asked), &subject.database()));
        assert!(matches!(&error, EngineError::WrongEngine { found, .. } if *found == made_by), "{error}");
        assert!(!error.is_retryable());
        assert!(error.to_string().contains(&format!("--engine {made_by}")), "{error}");
    }
    assert_eq!(get(&*subject.open(), &tree("rows"), "a").await.as_deref(), Some("1"));
}

pub async fn an_open_database_is_locked(subject: &Subject) {
    let engine = subject.open();
    let error = refusal(subject.open_at(&subject.database()));
    assert!(matches!(error, EngineError::Locked(_)) && error.is_retryable(), "{error}");
    put(&*engine, &tree("rows"), &[("a", "1")]).await;
    drop(engine);
    assert_eq!(get(&*subject.open(), &tree("rows"), "a").await.as_deref(), Some("1"));
}

pub async fn a_directory_of_something_else_is_left_alone(subject: &Subject) {
    let strange = subject.dir().join("strange");
    fs::create_dir(&strange).unwrap();
    fs::write(strange.join("letter.txt"), "dear").unwrap();
    let error = refusal(subject.open_at(&strange));
    assert!(matches!(error, EngineError::NotADatabase { .. }) && !error.is_retryable(), "{error}");
    assert!(error.to_string().contains("letter.txt"), "{error}");
    assert_eq!(names(&strange), ["letter.txt"]);

    let newer = subject.dir().join("newer");
    fs::create_dir(&newer).unwrap();
    fs::write(newer.join("DENDRO"), "dendro database, layout 99\nengine future\n").unwrap();
    assert!(matches!(refusal(subject.open_at(&newer)), EngineError::NotADatabase { .. }));
    assert_eq!(names(&newer), ["DENDRO"]);
}

pub async fn a_start_that_was_cut_short_is_begun_again(subject: &Subject) {
    let dir = subject.dir().join("cut-short");
    fs::create_dir_all(dir.join("lost+found")).unwrap();
    fs::write(dir.join("LOCK"), "").unwrap();
    fs::write(dir.join("DENDRO.new"), "dendro data").unwrap();
    let engine = subject.open_at(&dir).unwrap();
    put(&*engine, &tree("rows"), &[("a", "1")]).await;
    drop(engine);

    // Between the marker and the engine's own files.
    let bare = subject.dir().join("bare");
    fs::create_dir(&bare).unwrap();
    fs::copy(dir.join("DENDRO"), bare.join("DENDRO")).unwrap();
    let engine = subject.open_at(&bare).unwrap();
    assert_eq!(all(&*engine, &tree("rows")).await, vec![]);
}

pub async fn a_path_that_cannot_be_is_an_error(subject: &Subject) {
    let file = subject.dir().join("file");
    fs::write(&file, "").unwrap();
    for path in
        [file.clone(), file.join("below"), Path::new("").to_owned(), Path::new("/proc/none").to_owned()]
    {
        let error = refusal(subject.open_at(&path));
        assert!(matches!(error, EngineError::Io(_)), "{}: {error}", path.display());
    }
}

pub async fn a_full_disk_refuses_batches_and_changes_nothing(subject: &Subject) {
    put(&*subject.open(), &tree("rows"), &[("a", "1")]).await;
    let config = EngineConfig { reserve_bytes: u64::MAX / 2, ..subject.config() };
    let engine = open(&config, &subject.database()).unwrap();
    let mut batch = Batch::default();
    batch.put(&tree("rows"), b"a".to_vec(), "2");
    batch.put(&tree("new"), b"a".to_vec(), "2");
    let error = engine.commit(batch).await.unwrap_err();
    assert!(matches!(error, EngineError::Full(_)) && error.is_retryable(), "{error}");
    assert_eq!(get(&*engine, &tree("rows"), "a").await.as_deref(), Some("1"));
    assert_eq!(engine.trees().await.unwrap(), vec![tree("rows")]);
}

fn refusal(opened: EngineResult<SharedEngine>) -> EngineError {
    match opened {
        Ok(_) => panic!("it was opened"),
        Err(error) => error,
    }
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
