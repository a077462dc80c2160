//! What fails, and as what it is told.

use std::time::Duration;

use dendro::llm::{ModelErrorKind, Models, ProviderConfig, ProviderKind};

use super::{ask, config, hear, model, request, user};
use crate::support::providers::{FakeProviders, Piece, Reply};

const KINDS: [ProviderKind; 2] = [ProviderKind::OpenAi, ProviderKind::Anthropic];

#[tokio::test]
async fn a_status_is_told_by_its_kind() {
    let body = r#"{"error": {"message": "because", "type": "some_error"}}"#;
    for kind in KINDS {
        for (status, told) in [
            (400, ModelErrorKind::Refused),
            (401, ModelErrorKind::Unauthorized),
            (403, ModelErrorKind::Unauthorized),
            (404, ModelErrorKind::Refused),
            (429, ModelErrorKind::RateLimited),
            (500, ModelErrorKind::Unavailable),
            (503, ModelErrorKind::Unavailable),
            (529, ModelErrorKind::Unavailable),
        ] {
            let server = FakeProviders::new([Reply::status(status, body)]).await;
            // What fails before the first piece is told by `ask` itself.
            let error = model(&server, kind).ask(request([user("Hi")])).await.err().unwrap();
            assert_eq!(error.kind, told, "{kind} {status}");
            assert_eq!(error.message, format!("status {status}: because"));
        }
    }
}

#[tokio::test]
async fn who_is_asked_too_often_says_when_to_come_back() {
    for (headers, wait) in [
        (vec![("retry-after", "3".to_owned())], Some(3000)),
        (vec![("retry-after", "3".to_owned()), ("retry-after-ms", "1500".to_owned())], Some(1500)),
        (
            vec![
                ("date", "Wed, 21 Oct 2015 07:28:00 GMT".to_owned()),
                ("retry-after", "Wed, 21 Oct 2015 07:28:20 GMT".to_owned()),
            ],
            Some(20_000),
        ),
        (vec![], None),
    ] {
        let server = FakeProviders::new([Reply::Status(429, headers, "slow down".to_owned())]).await;
        let error = ask(&*model(&server, ProviderKind::OpenAi), request([user("Hi")])).await.unwrap_err();
        assert_eq!(error.kind, ModelErrorKind::RateLimited);
        assert_eq!(error.retry_after.map(|wait| wait.as_millis()), wait);
    }
}

#[tokio::test]
async fn no_redirect_is_followed() {
    let other = FakeProviders::new([Reply::text("stolen")]).await;
    for kind in KINDS {
        let place = vec![("location", format!("{}/messages", other.url()))];
        let server = FakeProviders::new([Reply::Status(307, place, String::new())]).await;
        let error = ask(&*model(&server, kind), request([user("Hi")])).await.unwrap_err();
        assert_eq!(error.kind, ModelErrorKind::Refused);
    }
    assert!(other.asked().is_empty());
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_cut_off() {
    for kind in KINDS {
        for last in [Piece::Cut, Piece::Stop] {
            let server = FakeProviders::new([Reply::said([Piece::Text("Hel"), last.clone()])]).await;
            let (heard, error) = hear(&*model(&server, kind), request([user("Hi")])).await;
            assert_eq!(error.map(|error| error.kind), Some(ModelErrorKind::CutOff), "{kind} {last:?}");
            // Where the connection breaks, what was on its way may be lost with it.
            assert!(heard.text.is_empty() || heard.text == ["Hel"], "{heard:?}");
        }
    }
}

#[tokio::test]
async fn what_is_no_answer_is_malformed() {
    for kind in KINDS {
        for body in ["<html>Welcome</html>", "", r#"{"choices": []}"#] {
            let server = FakeProviders::new([Reply::status(200, body)]).await;
            let error = ask(&*model(&server, kind), request([user("Hi")])).await.unwrap_err();
            assert_eq!(error.kind, ModelErrorKind::Malformed, "{kind} {body}");
        }
        let nonsense = Piece::Raw("event: content_block_start\ndata: {nonsense\n\n");
        let server = FakeProviders::new([Reply::said([Piece::Text("Hel"), nonsense])]).await;
        let (heard, error) = hear(&*model(&server, kind), request([user("Hi")])).await;
        assert_eq!(error.map(|error| error.kind), Some(ModelErrorKind::Malformed), "{kind}");
        assert_eq!(heard.text, ["Hel"]);
    }
}

#[tokio::test]
async fn a_failure_in_the_stream_is_told_by_what_it_says() {
    for (kind, piece) in [
        (ProviderKind::OpenAi, "data: {\"error\": {\"message\": \"down\", \"type\": \"server_error\"}}\n\n"),
        (
            ProviderKind::Anthropic,
            "event: error\ndata: {\"type\": \"error\", \"error\": {\"type\": \"overloaded_error\", \"message\": \
             \"down\"}}\n\n",
        ),
    ] {
        let server = FakeProviders::new([Reply::said([Piece::Text("Hel"), Piece::Raw(piece)])]).await;
        let (heard, error) = hear(&*model(&server, kind), request([user("Hi")])).await;
        let error = error.unwrap();
        assert_eq!(error.kind, ModelErrorKind::Unavailable, "{error}");
        assert!(error.message.ends_with(": down"), "{error}");
        assert_eq!(heard.text, ["Hel"]);
    }
}

#[tokio::test]
async fn silence_times_out_before_an_answer_and_in_it() {
    for reply in [Reply::Silence, Reply::said([Piece::Text("Hel"), Piece::Hang])] {
        let server = FakeProviders::new([reply]).await;
        let mut config = config(&server, ProviderKind::OpenAi);
        config.idle_seconds = 1;
        let model = Models::with_environment(&config, |_| None).unwrap().resolve("test/m").unwrap().0;
        let error = ask(&*model, request([user("Hi")])).await.unwrap_err();
        assert_eq!(error.kind, ModelErrorKind::TimedOut);
    }
}

#[tokio::test]
async fn an_answer_is_bounded() {
    const LONG: &str = "a text that goes on and on and never comes to its point ";
    let server = FakeProviders::new([Reply::said(vec![Piece::Text(LONG); 100])]).await;
    let mut config = config(&server, ProviderKind::OpenAi);
    config.answer_bytes = 4096;
    let model = Models::with_environment(&config, |_| None).unwrap().resolve("test/m").unwrap().0;
    let (heard, error) = hear(&*model, request([user("Hi")])).await;
    assert_eq!(error.unwrap().kind, ModelErrorKind::Malformed);
    assert!(heard.text.len() < 50);
}

#[tokio::test]
async fn nobody_at_the_address_is_unavailable() {
    let server = FakeProviders::new([]).await;
    let model = model(&server, ProviderKind::OpenAi);
    drop(server);
    // The listener is closed when its task has ended.
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_millis(10)).await;
        let error = ask(&*model, request([user("Hi")])).await.unwrap_err();
        if error.kind == ModelErrorKind::Unavailable && error.message.contains("cannot be reached") {
            return;
        }
    }
    panic!("the address is not free");
}

#[tokio::test]
async fn what_a_provider_has_no_word_for_is_refused() {
    let server = FakeProviders::new([]).await;
    let mut asked = request([user("Hi")]);
    asked.settings.reasoning_effort = Some("utmost".to_owned());
    let error = ask(&*model(&server, ProviderKind::Anthropic), asked).await.unwrap_err();
    assert_eq!(error.kind, ModelErrorKind::Refused);
    assert!(error.message.contains("`utmost`"), "{error}");
}

#[tokio::test]
async fn a_missing_key_is_said_before_anything_is_sent() {
    let mut config = dendro::llm::ModelsConfig::default();
    let provider = ProviderConfig { kind: Some(ProviderKind::Anthropic), ..ProviderConfig::default() };
    config.providers.insert("mine".to_owned(), provider);
    let models = Models::with_environment(&config, |_| None).unwrap();
    for (name, told) in [("openai/gpt-4o", "set OPENAI_API_KEY"), ("mine/m", "models.providers.mine.key_env")]
    {
        let error = ask(&*models.resolve(name).unwrap().0, request([user("Hi")])).await.unwrap_err();
        assert_eq!(error.kind, ModelErrorKind::Unauthorized);
        assert!(error.message.contains(told), "{error}");
    }
}
