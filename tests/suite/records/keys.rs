//! The bytes of keys, table by table.

use std::fmt::Write as _;

use dendro::store::{index::Indexed, keyspace};

use super::samples;

/// Hexadecimal digits; `(07*16)` stands for the same byte sixteen times.
pub fn digits(key: &[u8]) -> String {
    let mut digits = String::new();
    for run in key.chunk_by(|a, b| a == b) {
        if run.len() >= 4 {
            write!(digits, "({:02x}*{})", run[0], run.len()).unwrap();
        } else {
            run.iter().for_each(|byte| write!(digits, "{byte:02x}").unwrap());
        }
    }
    digits
}

#[test]
fn keys_are_these_bytes() {
    let mut keys = String::new();
    for entry in samples::entries() {
        writeln!(keys, "{:30} {}", entry.table, digits(&entry.key)).unwrap();
    }
    insta::assert_snapshot!(keys, @r"
    conversation                   (01*16)
    conversation_by_activity       9816687f73275e5a(01*16)
    conversation_by_creation       9816687efbf1ca5a(01*16)
    conversation_by_user           61646100019816687f73275e5a(01*16)
    conversation_by_tag            6100ff6200019816687f73275e5a(01*16)
    conversation_by_parent         (02*16)9816687efbf1ca5a(01*16)
    lineage                        (01*16)
    message                        (01*16)(00*6)012c
    message_by_revision            (01*16)(00*6)018f(00*6)012c
    message_summary                (01*16)(00*6)012c
    message_address                (03*16)
    tool_call                      (01*16)63616c6c5f310001
    tool_result                    (01*16)63616c6c5f310001
    plan                           (07*16)
    plan_by_creation               9816687fea5cf25a(07*16)
    plan_by_conversation           (01*16)9816687fea5cf25a(07*16)
    plan_by_status                 029816687fea5cf25a(07*16)
    plan_by_deadline               98166d696f0cac5a(07*16)
    trace                          (09*16)
    trace_body                     (09*16)01
    trace_by_start                 981668811462e45a(09*16)
    trace_by_conversation          (01*16)981668811462e45a(09*16)
    trace_by_session               73657373696f6e0001981668811462e45a(09*16)
    trace_by_user                  6164610001981668811462e45a(09*16)
    trace_by_status                03981668811462e45a(09*16)
    trace_by_replayed              (09*16)981668811462e45a(09*16)
    trace_by_component             6167656e740001(0d*32)981668811462e45a(09*16)
    span_head                      (09*16)(00*5)010001
    span_body                      (09*16)0000000100010000
    component                      6167656e740001
    component_version              6167656e740001(0d*32)
    component_version_by_sequence  6167656e740001(00*7)0c(0d*32)
    component_event                6167656e7400019816687f73275e5a(07*16)
    component_by_type              046167656e740001
    score                          (09*16)02(0a*16)(0c*16)
    score_address                  (0c*16)
    dataset                        (0f*16)
    dataset_by_creation            981668823e68d65a(0f*16)
    dataset_name                   737570706f72740001
    dataset_version                (0f*16)(00*6)012c
    dataset_item                   (0f*16)(00*6)0190(00*6)012b
    dataset_item_address           (10*16)
    dataset_item_content           (0f*16)(12*32)
    experiment                     (11*16)
    experiment_by_creation         98166882b59e6a5a(11*16)
    experiment_by_dataset          (0f*16)98166882b59e6a5a(11*16)
    experiment_item                (11*16)(00*6)019000000002
    experiment_item_by_revision    (11*16)(00*6)0257(00*6)019000000002
    evaluation                     (0f*16)
    evaluation_by_creation         981668823e68d65a(0f*16)
    evaluation_by_status           05981668823e68d65a(0f*16)
    evaluation_rule                65766572792072756e0001
    evaluation_due                 (09*16)
    agent_run                      (09*16)
    plan_run                       (07*16)
    experiment_run                 (11*16)
    turn_due                       (09*16)
    trace_facts                    (09*16)
    trace_found_by                 0273656172636800019816687fea5cf25a(09*16)
    trace_ranked                   02(00*6)01029816687fea5cf25a(09*16)
    series                         03029816687ec057005a736d616c6c2d310001
    follow_due                     (09*16)
    follow_by_start                9816687fea5cf25a(09*16)
    follow_later                   (09*16)
    follower                       03
    deletion                       02(09*16)
    ");
}

#[test]
fn every_table_is_here() {
    let tables: Vec<_> = samples::entries().iter().map(|entry| entry.table).collect();
    assert_eq!(tables, keyspace::TABLES);
}

/// The entries of a record in its indexes are the keys that stand above.
#[test]
fn records_have_these_index_entries() {
    fn check<E: Indexed>(record: &E) {
        let known = samples::entries();
        let entries = record.entries();
        for index in E::INDEXES {
            let here = known.iter().find(|entry| entry.table == *index).unwrap();
            let found = entries.iter().any(|entry| entry.table == *index && entry.key == here.key);
            // One message is no summary, and the same component stands under two types.
            assert!(found || *index == keyspace::MESSAGE_SUMMARY.name, "{index}");
        }
        for entry in entries {
            assert_eq!(
                E::record_key(&entry.key).map(|key| digits(&dendro::store::key::Key::encode(&key))),
                Some(digits(&dendro::store::key::Key::encode(&record.key()))),
                "{}",
                entry.table
            );
        }
    }
    check(&samples::conversation());
    check(&samples::message());
    check(&samples::plan());
    check(&samples::trace());
    check(&samples::component());
    check(&samples::version());
    check(&samples::dataset());
    check(&samples::experiment());
    check(&samples::experiment_item());
    check(&samples::evaluation());
}
