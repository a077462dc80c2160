//! Gemini's API and Ollama's own: their answers as they are on the wire.

use dendro::{
    llm::{ModelErrorKind, ProviderKind},
    model::{
        Json,
        ledger::{CountingRule, TokenCounts},
    },
};
use serde_json::json;

use super::{KEY, ask, call, hear, model, request, result, tool, user};
use crate::support::providers::{FakeProviders, Piece, Reply};

#[tokio::test]
async fn ollama_answers_in_lines() {
    let server = FakeProviders::new([Reply::said([
        Piece::Raw("{\"model\":\"qwen\",\"message\":{\"role\":\"assistant\",\"thinking\":\"Hm.\"},\"done\":false}\n"),
        Piece::Raw("{\"model\":\"qwen\",\"message\":{\"role\":\"assistant\",\"content\":\"Hello.\"},\"done\":false}\n"),
        Piece::Raw(
            "{\"model\":\"qwen\",\"message\":{\"tool_calls\":[{\"id\":\"c1\",\"function\":{\"name\":\"add\",\
             \"arguments\":{\"x\":1}}}]},\"done\":false}\n",
        ),
        Piece::Raw("{\"model\":\"qwen\",\"done\":true,\"done_reason\":\"stop\",\"prompt_eval_count\":5,\"eval_count\":7}\n"),
    ])])
    .await;
    let mut asked = request([user("Hi")]);
    asked.tools = vec![tool("add")];
    let schema = Json::parse(r#"{"type":"object"}"#).unwrap();
    asked.settings.answer_schema = Some(("answer".to_owned(), schema));
    let heard = ask(&*model(&server, ProviderKind::Ollama), asked).await.unwrap();
    assert_eq!((heard.thinking.concat(), heard.text.concat()), ("Hm.".to_owned(), "Hello.".to_owned()));
    assert_eq!(heard.calls, [call("c1", "add", r#"{"x":1}"#)]);
    let answer = heard.answer();
    assert_eq!(answer.message.finish_reason.as_deref(), Some("stop"));
    assert_eq!(answer.model.as_deref(), Some("qwen"));
    let tokens = TokenCounts { input: Some(5), output: Some(7), ..TokenCounts::default() };
    assert_eq!(answer.tokens, Some(tokens));
    let sent = &server.asked()[0];
    assert_eq!((sent.path.as_str(), sent.body["model"].as_str()), ("/v1/api/chat", Some("asked-1")));
    assert_eq!(sent.headers["authorization"], format!("Bearer {KEY}"));
    assert_eq!(sent.body["format"], "json");
    assert!(sent.body["messages"][0]["content"].as_str().unwrap().contains(r#"{"type":"object"}"#));
}

#[tokio::test]
async fn an_answer_of_ollama_or_gemini_without_its_end_is_cut_off() {
    for (kind, piece) in [
        (ProviderKind::Ollama, "{\"message\":{\"content\":\"Hel\"},\"done\":false}\n"),
        (ProviderKind::Gemini, "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"Hel\"}]}}]}\n\n"),
    ] {
        let server = FakeProviders::new([Reply::said([Piece::Raw(piece)])]).await;
        let (heard, error) = hear(&*model(&server, kind), request([user("Hi")])).await;
        assert_eq!(error.map(|error| error.kind), Some(ModelErrorKind::CutOff), "{kind}");
        assert_eq!(heard.text, ["Hel"]);
    }
}

#[tokio::test]
async fn gemini_gets_back_what_it_signed() {
    let server = FakeProviders::new([
        Reply::said([
            Piece::Raw(
                "data: {\"responseId\":\"r1\",\"modelVersion\":\"gemini-x\",\"candidates\":[{\"content\":{\"parts\":\
                 [{\"text\":\"Hm.\",\"thought\":true},{\"text\":\"Both.\"}]}}]}\n\n",
            ),
            Piece::Raw(
                "data: {\"candidates\":[{\"content\":{\"parts\":[{\"functionCall\":{\"name\":\"add\",\"args\":{\"x\":1}},\
                 \"thoughtSignature\":\"sig-1\"}]}}]}\n\n",
            ),
            Piece::Raw(
                "data: {\"candidates\":[{\"content\":{\"parts\":[{\"functionCall\":{\"name\":\"add\",\"args\":{\"x\":2}}}]},\
                 \"finishReason\":\"STOP\"}],\"usageMetadata\":{\"promptTokenCount\":10,\"candidatesTokenCount\":3,\
                 \"thoughtsTokenCount\":4,\"cachedContentTokenCount\":6,\"totalTokenCount\":17}}\n\n",
            ),
        ]),
        Reply::said([Piece::Raw(
            "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"3\"}]},\"finishReason\":\"STOP\"}]}\n\n",
        )]),
    ])
    .await;
    let model = model(&server, ProviderKind::Gemini);
    let mut asked = request([user("Add.")]);
    asked.tools = vec![tool("add")];
    let heard = ask(&*model, asked.clone()).await.unwrap();
    assert_eq!(heard.thinking, ["Hm."]);
    let answer = heard.answer();
    // Gemini gives its calls no ids here: those that are made differ.
    let ids: Vec<_> = answer.message.tool_calls().filter_map(|(id, ..)| id).collect();
    assert!(ids.len() == 2 && ids[0] != ids[1], "{ids:?}");
    assert_eq!(answer.message.finish_reason.as_deref(), Some("STOP"));
    assert_eq!((answer.model.as_deref(), answer.response_id.as_deref()), (Some("gemini-x"), Some("r1")));
    let counts = TokenCounts {
        input: Some(10),
        output: Some(7),
        cache_read: Some(6),
        cache_write: None,
        reasoning: Some(4),
        total: Some(17),
    };
    assert_eq!((answer.tokens, answer.rule), (Some(counts), CountingRule::Inclusive));
    let results = ids.iter().map(|id| result(Some(id), None, "done"));
    let history = [vec![answer.message.clone()], results.collect()].concat();
    asked.messages.extend(history);
    ask(&*model, asked).await.unwrap();
    let sent = &server.asked()[1];
    assert_eq!(sent.headers["x-goog-api-key"], KEY);
    assert_eq!(sent.path, "/v1/models/asked-1:streamGenerateContent");
    let parts = &sent.body["contents"][1]["parts"];
    assert_eq!(parts[0], json!({"text": "Both."}));
    assert_eq!(
        (&parts[1]["thoughtSignature"], &parts[1]["functionCall"]["args"]),
        (&json!("sig-1"), &json!({"x": 1}))
    );
    assert_eq!(parts[2].get("thoughtSignature"), None);
}

#[tokio::test]
async fn what_gemini_blocks_is_refused() {
    let blocked = Piece::Raw("data: {\"promptFeedback\":{\"blockReason\":\"PROHIBITED_CONTENT\"}}\n\n");
    let server = FakeProviders::new([Reply::said([blocked])]).await;
    let error = ask(&*model(&server, ProviderKind::Gemini), request([user("Hi")])).await.unwrap_err();
    assert_eq!(error.kind, ModelErrorKind::Refused);
    assert!(error.message.ends_with("PROHIBITED_CONTENT"), "{error}");
}
