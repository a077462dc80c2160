//! Each form, whole.

use dendro::{
    model::message::MessageRole::{self, Assistant, System, Tool, User},
    service::import::{Answers, Format},
};
use serde_json::json;

use super::{fixture, packed, read, read_as};

#[test]
fn a_chat_keeps_everything_that_it_says() {
    let contents = read("chat.json", fixture("chat.json"));
    assert_eq!(contents.told(), Vec::<String>::new());
    let [chat] = contents.transcripts.as_slice() else { panic!("one conversation") };
    assert_eq!(chat.format, Format::OpenAi);
    assert_eq!(chat.title.as_deref(), Some("Weather for a walk"));
    assert_eq!(chat.model.as_deref(), Some("gpt-4o-mini-2024-07-18"));
    assert_eq!((chat.temperature, chat.max_tokens), (Some(0.2), Some(512)));
    assert_eq!(chat.user_id.as_deref(), Some("ada"));
    assert_eq!(chat.tools.len(), 1);
    assert_eq!(chat.rest["id"], json!("chatcmpl-fixture"));
    let roles: Vec<_> = chat.messages.iter().map(|message| message.role).collect();
    assert_eq!(roles, [System, User, Assistant, Tool, Tool, Assistant, User]);
    // `developer` became SYSTEM, and what it was called is kept; so are the parts that are no text.
    assert_eq!(chat.messages[0].rest["role"], json!("developer"));
    assert_eq!(chat.messages[1].content.as_deref(), Some("Where is it dry today?\nLeeds or York?"));
    assert_eq!(chat.messages[1].rest["content"][1]["type"], json!("image_url"));
    let call = &chat.messages[2];
    assert_eq!(call.content, None);
    assert_eq!(call.thinking.as_deref(), Some("Two places: ask for both at once."));
    assert_eq!(call.calls[1].arguments.text(), r#"{"place": "York"}"#);
    let tokens = call.tokens.unwrap();
    assert_eq!((tokens.input, tokens.output, tokens.cache_read), (Some(210), Some(44), Some(128)));
    assert_eq!(chat.messages[3].answers, Some(Answers::Id("call_york".into())));
    assert_eq!(chat.messages[4].answers, Some(Answers::Id("call_leeds".into())));
}

#[test]
fn json_lines_hold_a_conversation_each() {
    let contents = read("chats.jsonl", fixture("chats.jsonl"));
    assert_eq!(contents.told(), Vec::<String>::new());
    assert_eq!(contents.first_words(), ["Answer briefly.", "Answer briefly.", "Roll a die."]);
    let places: Vec<_> = contents.transcripts.iter().map(|it| (it.place.line, it.place.record)).collect();
    assert_eq!(places, [(1, 1), (3, 2), (4, 3)]);
    // A call in the old form has no id; its result finds it by the name of the function.
    let [_, call, result, _] = contents.transcripts[2].messages.as_slice() else { panic!("four messages") };
    assert_eq!(call.calls[0].id, "message-1-call-0");
    assert_eq!(result.answers, Some(Answers::Id("message-1-call-0".into())));
    assert_eq!(result.role, MessageRole::Tool);
}

#[test]
fn simple_messages_of_a_file_are_one_conversation() {
    for (name, count) in [("simple.json", 5), ("simple.jsonl", 2)] {
        let contents = read(name, fixture(name));
        assert_eq!(contents.told(), Vec::<String>::new());
        let [chat] = contents.transcripts.as_slice() else { panic!("one conversation in {name}") };
        assert_eq!((chat.format, chat.messages.len()), (Format::Simple, count));
        assert!(chat.messages.iter().all(|message| message.timestamp.is_some()));
    }
}

#[test]
fn messages_that_name_their_conversation_are_parted_by_it() {
    let contents = read(
        "log.jsonl",
        r#"{"conversation_id": "a", "role": "user", "content": "1"}
{"conversation_id": "a", "role": "assistant", "content": "2"}
{"conversation_id": "b", "role": "user", "content": "3"}
{"messages": [{"role": "user", "content": "4"}]}"#,
    );
    assert_eq!(contents.told(), Vec::<String>::new());
    assert_eq!(contents.first_words(), ["1", "3", "4"]);
    assert_eq!(contents.transcripts[0].rest["conversation_id"], json!("a"));
}

#[test]
fn a_run_of_tau_bench_keeps_its_task_and_reward() {
    let contents = read("tau-bench.json", fixture("tau-bench.json"));
    assert_eq!(contents.told(), Vec::<String>::new());
    let [good, bad] = contents.transcripts.as_slice() else { panic!("two runs") };
    assert_eq!((good.format, good.reward, bad.reward), (Format::TauBench, Some(1.0), Some(0.0)));
    assert_eq!(good.title.as_deref(), Some("Task 7, trial 0"));
    assert_eq!(good.user_id.as_deref(), Some("rosa_diaz_11"));
    assert_eq!(good.rest["task_id"], json!(7));
    // One id for two calls: each result finds its own.
    assert_eq!(good.messages[4].calls[0].id, "call_a");
    assert_eq!(good.messages[6].calls[0].id, "call_a#2");
    assert_eq!(good.messages[6].calls[0].original_id.as_deref(), Some("call_a"));
    assert_eq!(good.messages[7].answers, Some(Answers::Id("call_a#2".into())));
    let failed: Vec<_> = good.messages.iter().filter(|message| message.failed).map(|it| it.index).collect();
    assert_eq!(failed, [5]);
}

#[test]
fn ids_follow_the_content_alone() {
    let list = |bytes: &[u8], name: &str| -> Vec<_> {
        read(name, bytes).transcripts.iter().map(|transcript| transcript.id).collect()
    };
    let plain = fixture("chats.jsonl");
    let ids = list(&plain, "chats.jsonl");
    assert_eq!(ids.iter().collect::<std::collections::HashSet<_>>().len(), 3);
    assert_eq!(list(&packed(&plain), "renamed.bin"), ids);
    // The same conversations as a pretty list, their members in another order.
    let values: Vec<serde_json::Value> =
        serde_json::Deserializer::from_slice(&plain).into_iter().collect::<Result<_, _>>().unwrap();
    assert_eq!(list(serde_json::to_string_pretty(&values).unwrap().as_bytes(), "list.json"), ids);
    // One content twice is two conversations, and the first keeps its id.
    let twice = list(&[plain.clone(), plain].concat(), "twice.jsonl");
    assert_eq!(twice[..3], ids);
    assert_eq!(twice.iter().collect::<std::collections::HashSet<_>>().len(), 6);
}

#[test]
fn a_named_form_refuses_the_others() {
    let contents = read_as("tau-bench.json", &fixture("tau-bench.json"), Some(Format::OpenAi));
    assert!(contents.transcripts.is_empty());
    assert!(contents.told()[0].contains("traj: this is a run of tau-bench"), "{:?}", contents.told());
    let contents = read_as("chats.jsonl", &fixture("chats.jsonl"), Some(Format::TauBench));
    assert!(contents.told()[0].contains("traj: must be there"), "{:?}", contents.told());
    // Read as simple messages, calls are not looked for, and are kept as they are.
    let contents = read_as("chat.json", &fixture("chat.json"), Some(Format::Simple));
    assert!(contents.transcripts[0].messages.iter().all(|message| message.calls.is_empty()));
}
