//! The bytes of records: `tests/fixtures/records/v<version>/<type>.bin`, one of each version of each type.
//!
//! A new type or version gets its file by running these tests with `DENDRO_WRITE_FIXTURES=1`. Files that
//! are there are never written again: databases hold what they hold.

use std::{collections::BTreeSet, path::PathBuf};

use super::{Kept, samples};

/// Types whose bytes depend on the compressor's version: they have to be read, not written the same.
const PACKED: [&str; 6] = ["HeadBlock", "BodyBlock", "Message", "TraceBody", "Facts", "Cell"];

fn folder(version: u8) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/records/v{version}"))
}

fn fixture(record: &dyn Kept, version: u8) -> Vec<u8> {
    let path = folder(version).join(format!("{}.bin", record.name()));
    if !path.exists() && version == record.version() && std::env::var_os("DENDRO_WRITE_FIXTURES").is_some() {
        std::fs::create_dir_all(folder(version)).unwrap();
        std::fs::write(&path, record.bytes()).unwrap();
    }
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn every_version_of_every_record_is_read() {
    for entry in samples::entries() {
        let record = entry.record.as_ref();
        for version in 1..=record.version() {
            let bytes = fixture(record, version);
            assert_eq!(bytes.first(), Some(&version), "{}", record.name());
            let read = if version == record.version() { record.is(&bytes) } else { record.reads(&bytes) };
            read.unwrap_or_else(|wrong| {
                panic!(
                    "{} of version {version} is not read as it was written: give it a new version, and \
                     teach `decode_older` the old one. {wrong}",
                    record.name()
                )
            });
        }
    }
}

#[test]
fn records_are_written_as_the_fixtures_say() {
    for entry in samples::entries() {
        let record = entry.record.as_ref();
        if !PACKED.contains(&record.name()) {
            let kept = fixture(record, record.version());
            assert_eq!(record.bytes(), kept, "{} is written otherwise than before", record.name());
        }
    }
}

#[test]
fn every_fixture_is_of_a_record() {
    let known: BTreeSet<_> =
        samples::entries().iter().map(|entry| format!("{}.bin", entry.record.name())).collect();
    for version in 1..=u8::MAX {
        let Ok(files) = std::fs::read_dir(folder(version)) else { continue };
        for file in files {
            let name = file.unwrap().file_name().into_string().unwrap();
            assert!(known.contains(&name), "v{version}/{name}");
        }
    }
}

#[test]
fn damage_is_told_and_not_read() {
    for entry in samples::entries() {
        let (record, bytes) = (entry.record.as_ref(), entry.record.bytes());
        assert!(record.reads(&[]).is_err() && record.reads(&[0]).is_err() && record.reads(&[255]).is_err());
        let longer = [bytes.as_slice(), &[0]].concat();
        assert!(record.reads(&longer).is_err(), "{}: a byte follows", record.name());
        for end in 1..bytes.len() {
            assert!(record.reads(&bytes[..end]).is_err(), "{} cut at {end}", record.name());
        }
    }
}
