//! However a file is laid out, the same conversations come out of it.

use super::{fixture, packed, read};

const ONE: &str =
    r#"{"messages": [{"role": "user", "content": "one"}, {"role": "assistant", "content": "1"}]}"#;
const TWO: &str =
    r#"{"messages": [{"role": "user", "content": "two"}, {"role": "assistant", "content": "2"}]}"#;

fn words(name: &str, text: impl AsRef<[u8]>) -> Vec<String> {
    let contents = read(name, text);
    assert_eq!(contents.told(), Vec::<String>::new());
    contents.first_words().into_iter().map(str::to_owned).collect()
}

#[test]
fn records_are_found_in_every_layout() {
    for text in [
        format!("{ONE}\n{TWO}\n"),
        format!("\n\n{ONE}\r\n\r\n{TWO}"),
        format!("\u{feff}{ONE}\n{TWO}"),
        format!("[{ONE},{TWO}]"),
        format!("\u{feff}[\n{ONE},\n{TWO}\n]\n"),
        format!("[{ONE}\n, {TWO}]\n"),
        format!("{}\n{}", pretty(ONE), pretty(TWO)),
        format!("[{},{}]", pretty(ONE), pretty(TWO)),
    ] {
        assert_eq!(words("chats", &text), ["one", "two"], "{text}");
        assert_eq!(words("chats", packed(text.as_bytes())), ["one", "two"], "{text}");
    }
    assert_eq!(words("chat", ONE), ["one"]);
    assert_eq!(words("chat", pretty(ONE)), ["one"]);
}

#[test]
fn lists_of_messages_are_conversations() {
    let messages = r#"[{"role": "user", "content": "one"}, {"role": "assistant", "content": "1"}]"#;
    assert_eq!(words("chat", messages), ["one"]);
    assert_eq!(words("chats", format!("[{messages}, {messages}]")), ["one", "one"]);
    assert_eq!(words("chats", format!("{messages}\n{messages}\n")), ["one", "one"]);
    assert_eq!(words("chats", format!("[\n{messages},\n{messages}\n]")), ["one", "one"]);
}

#[test]
fn parts_that_were_packed_one_by_one_are_read_as_one() {
    let parts = [packed(format!("{ONE}\n").as_bytes()), packed(TWO.as_bytes())].concat();
    assert_eq!(words("chats.jsonl.gz", parts), ["one", "two"]);
}

#[test]
fn an_empty_file_holds_nothing() {
    for text in ["", "\n\n", "[]", "\u{feff}"] {
        assert_eq!(words("nothing.json", text), Vec::<String>::new());
    }
}

#[test]
fn fixtures_read_the_same_packed_and_plain() {
    for name in ["chat.json", "chats.jsonl", "simple.json", "simple.jsonl", "tau-bench.json", "damaged.jsonl"]
    {
        let plain = fixture(name);
        assert_eq!(read(name, packed(&plain)), read(name, &plain), "{name}");
    }
}

fn pretty(text: &str) -> String {
    serde_json::to_string_pretty(&serde_json::from_str::<serde_json::Value>(text).unwrap()).unwrap()
}
