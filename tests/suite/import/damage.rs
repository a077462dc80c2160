//! What is damaged is told with its place and left out; the rest goes in.

use dendro::service::import::Skipped;

use super::{fixture, packed, read};

#[test]
fn damaged_lines_and_messages_are_told_and_left_out() {
    let contents = read("damaged.jsonl", fixture("damaged.jsonl"));
    insta::assert_snapshot!(contents.told().join("\n"), @r###"
    damaged.jsonl, line 2, record 2: not valid JSON: EOF while parsing a string, at line 1 column 56 of the record (the record was skipped)
    damaged.jsonl, line 3, record 3: messages.1.role: `alien` is not one of system, developer, user, assistant, tool, function (the message was skipped)
    damaged.jsonl, line 4, record 4: messages.1.tool_call_id: no call with the id `call_1` waits for a result before this message (the message was skipped)
    damaged.jsonl, line 5, record 5: messages: must be a list of messages (the record was skipped)
    damaged.jsonl, line 6, record 6: messages: must be there, as a list: a record is an object with `messages` or `traj`, a list of messages, or a message (the record was skipped)
    damaged.jsonl, line 7, record 7: messages: must be there, as a list: a record is an object with `messages` or `traj`, a list of messages, or a message (the record was skipped)
    damaged.jsonl, line 8, record 8: messages: holds no message (the record was skipped)
    damaged.jsonl, line 9, record 9: messages.0.timestamp: "soon" is not a time; one looks like "2024-05-15T15:00:00Z" or 1715785200 (the message was skipped)
    "###);
    assert_eq!(contents.first_words(), ["first, whole", "third", "fourth", "ninth, too", "tenth, whole"]);
    let skipped: Vec<_> = contents.transcripts.iter().map(|transcript| transcript.skipped_messages).collect();
    assert_eq!(skipped, [0, 1, 1, 1, 0]);
}

#[test]
fn damaged_elements_do_not_hide_those_behind_them() {
    let contents = read("damaged-list.json", fixture("damaged-list.json"));
    insta::assert_snapshot!(contents.told().join("\n"), @r###"
    damaged-list.json, line 3, record 2: not valid JSON: `}` stands where `]` should (the record was skipped)
    damaged-list.json, line 4, record 3: reward: must be a number (the record was skipped)
    damaged-list.json, line 5, record 4: not valid JSON: `]` stands where `}` should (the record was skipped)
    "###);
    assert_eq!(contents.first_words(), ["whole", "whole again: , { \"task_id\": 9"]);
}

#[test]
fn a_broken_first_line_does_not_hide_the_lines_behind_it() {
    let whole = r#"{"messages": [{"role": "user", "content": "whole"}]}"#;
    for broken in
        [r#"{"messages": [{"role": "user""#, r#"{"messages": [{"role": "user", "content": "cu"#, "garbage"]
    {
        let contents = read("chats.json", format!("{broken}\n{whole}\n{whole}\n"));
        assert_eq!(contents.first_words(), ["whole", "whole"], "{broken}");
        assert_eq!(contents.problems.len(), 1, "{broken}: {:?}", contents.told());
        assert_eq!(contents.problems[0].place.line, 1);
    }
}

#[test]
fn a_cut_gzip_gives_what_was_whole() {
    let line = |number: usize| {
        // Text that does not compress to nothing, so that the cut falls between the lines.
        let noise: String = (0..8)
            .map(|part| blake3::hash(format!("{number} {part}").as_bytes()).to_hex())
            .map(|hex| hex.to_string())
            .collect();
        format!("{{\"messages\": [{{\"role\": \"user\", \"content\": \"{number} {noise}\"}}]}}\n")
    };
    let text: String = (0..200).map(line).collect();
    let whole = packed(text.as_bytes());
    let contents = read("chats.jsonl.gz", &whole[..whole.len() / 2]);
    assert!((50..150).contains(&contents.transcripts.len()), "{}", contents.transcripts.len());
    let [problem] = contents.problems.as_slice() else { panic!("{:?}", contents.told()) };
    assert_eq!(problem.skipped, Skipped::Rest);
    assert_eq!(problem.place.record, contents.transcripts.len() as u64 + 1);
    assert!(problem.message.contains("ends in the middle of its compressed data"), "{problem}");
    // The same in a list.
    let list = packed(format!("[{}]", text.trim_end().replace('\n', ",")).as_bytes());
    let contents = read("chats.json.gz", &list[..list.len() / 2]);
    assert!((50..150).contains(&contents.transcripts.len()), "{}", contents.transcripts.len());
    assert_eq!(contents.problems.len(), 1, "{:?}", contents.told());
}

#[test]
fn a_gzip_with_flipped_bits_is_told() {
    let mut bytes = packed(&fixture("chats.jsonl"));
    let end = bytes.len();
    bytes[end - 6] ^= 0xff;
    let contents = read("chats.jsonl.gz", bytes);
    assert_eq!(contents.transcripts.len(), 3);
    assert_eq!(contents.problems.len(), 1, "{:?}", contents.told());
}

#[test]
fn text_that_is_not_utf8_is_told_with_its_byte() {
    let mut bytes = b"{\"messages\": [{\"role\": \"user\", \"content\": \"caf".to_vec();
    bytes.extend(b"\xe9\"}]}\n{\"messages\": [{\"role\": \"user\", \"content\": \"whole\"}]}\n");
    let contents = read("chats.jsonl", bytes);
    assert_eq!(contents.first_words(), ["whole"]);
    assert_eq!(
        contents.told(),
        ["chats.jsonl, line 1, record 1: not valid UTF-8 at byte 47 of the record (the record was skipped)"]
    );
}

#[test]
fn deep_json_is_refused_and_not_followed() {
    let deep = format!("{{\"messages\": {}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    let contents = read(
        "deep.jsonl",
        format!("{deep}\n{{\"messages\": [{{\"role\": \"user\", \"content\": \"whole\"}}]}}\n"),
    );
    assert_eq!(contents.first_words(), ["whole"]);
    assert_eq!(contents.problems.len(), 1, "{:?}", contents.told());
    let contents = read(
        "deep.json",
        format!("[{deep}, {{\"messages\": [{{\"role\": \"user\", \"content\": \"whole\"}}]}}]"),
    );
    assert_eq!(contents.first_words(), ["whole"]);
}

#[test]
fn a_result_goes_with_the_call_that_was_damaged() {
    let contents = read(
        "chat.json",
        r#"{"messages": [
            {"role": "user", "content": "go"},
            {"role": "assistant", "content": null, "tool_calls": [{"id": "c1", "type": "function", "function": {"arguments": "{}"}}]},
            {"role": "tool", "tool_call_id": "c1", "content": "done"},
            {"role": "assistant", "content": "Done."}
        ]}"#,
    );
    insta::assert_snapshot!(contents.told().join("\n"), @r###"
    chat.json, line 1, record 1: messages.1.tool_calls.0.function.name: must be there, as a text (the message was skipped)
    chat.json, line 1, record 1: messages.2.tool_call_id: no call with the id `c1` waits for a result before this message (the message was skipped)
    "###);
    assert_eq!(contents.transcripts[0].messages.len(), 2);
}
