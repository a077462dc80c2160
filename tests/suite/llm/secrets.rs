//! Keys are shown nowhere.

use dendro::model::secret::Secret;
use dendro::{
    config::{Config, Flags},
    llm::{ModelErrorKind, Models, ProviderKind},
};

use super::{KEY, ask, config, model, request, user};
use crate::support::providers::{FakeProviders, Piece, Reply};

#[tokio::test]
async fn no_failure_shows_the_key() {
    let says_it =
        |status| Reply::status(status, r#"{"error": {"message": "sk-never-to-be-shown is wrong"}}"#);
    for kind in [ProviderKind::OpenAi, ProviderKind::Anthropic] {
        let in_stream = match kind {
            ProviderKind::Anthropic => {
                "event: error\ndata: {\"error\": {\"message\": \"sk-never-to-be-shown is wrong\"}}\n\n"
            }
            _ => "data: {\"error\": {\"message\": \"sk-never-to-be-shown is wrong\"}}\n\n",
        };
        for reply in [says_it(401), says_it(500), Reply::said([Piece::Raw(in_stream)])] {
            let server = FakeProviders::new([reply]).await;
            let error = ask(&*model(&server, kind), request([user("Hi")])).await.unwrap_err();
            for text in [error.to_string(), format!("{error:?}")] {
                assert!(!text.contains(KEY), "{text}");
                assert!(text.contains("*** is wrong"), "{text}");
            }
        }
    }
}

#[tokio::test]
async fn neither_settings_nor_models_show_the_key() {
    let server = FakeProviders::new([]).await;
    let models = config(&server, ProviderKind::OpenAi);
    let whole = Config { models: models.clone(), ..Config::default() };
    let printed = toml::to_string_pretty(&whole).unwrap();
    assert!(printed.contains("key = \"***\""), "{printed}");
    let made = Models::with_environment(&models, |_| Some(KEY.to_owned())).unwrap();
    for text in [
        format!("{models:?}"),
        format!("{whole:?}"),
        printed,
        format!("{made:?}"),
        format!("{:?}", made.providers()),
    ] {
        assert!(!text.contains(KEY), "{text}");
    }
    assert_eq!(format!("{:?}", Secret::new(KEY)), "***");
}

#[test]
fn a_key_of_the_wrong_type_is_not_shown() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("dendro.toml");
    for wrong in ["1234567", "1234567.5", "[1234567]", "{ of = 1234567 }"] {
        std::fs::write(&file, format!("[models.providers.openai]\nkey = {wrong}\n")).unwrap();
        let text = dendro::config::read(Some(&file), &Flags::default()).unwrap_err().to_string();
        assert!(text.contains("models.providers.openai.key") && !text.contains("1234567"), "{text}");
    }
}

#[test]
fn settings_are_read_and_checked_with_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("dendro.toml");
    let read = |text: &str| {
        std::fs::write(&file, text).unwrap();
        dendro::config::read(Some(&file), &Flags::default()).map_err(|error| error.to_string())
    };
    let config = read(
        "[models]\nidle_seconds = 5\n[models.providers.local]\nkind = \"openai\"\nurl = \"http://localhost:8000/v1\"\n\
         key_env = \"LOCAL_KEY\"\n",
    )
    .unwrap();
    assert_eq!(config.models.idle_seconds, 5);
    assert_eq!(config.models.providers["local"].kind, Some(ProviderKind::OpenAi));
    for (text, told) in [
        ("[models]\nidle_second = 5\n", "models.idle_second: there is no such key"),
        ("[models.providers.mine]\nkind = \"open\"\n", "`open` is not one of openai, anthropic"),
        (
            "[models.providers.mine]\nurl = \"http://localhost\"\n",
            "models.providers: `mine`: `kind` must say",
        ),
        (
            "[models.providers.mine]\nkind = \"scripted\"\nscript = \"none.yaml\"\n",
            "models.providers: none.yaml: ",
        ),
        ("[models]\nconnect_seconds = 0\n", "models.connect_seconds: 0 is too few"),
    ] {
        let error = read(text).unwrap_err();
        assert!(error.contains(told), "{error}");
    }
}

#[tokio::test]
async fn a_key_comes_from_its_variable() {
    let server = FakeProviders::new([Reply::text("Hi"), Reply::status(401, "")]).await;
    let mut config = config(&server, ProviderKind::OpenAi);
    let provider = config.providers.get_mut("test").unwrap();
    (provider.key, provider.key_env) = (None, Some("TEST_KEY".to_owned()));
    let named = |name: &str| (name == "TEST_KEY").then(|| "sk-of-variable\n".to_owned());
    let models = Models::with_environment(&config, named).unwrap();
    let model = models.resolve("test/m").unwrap().0;
    ask(&*model, request([user("Hi")])).await.unwrap();
    assert_eq!(server.asked()[0].headers["authorization"], "Bearer sk-of-variable");
    let error = ask(&*model, request([user("Hi")])).await.unwrap_err();
    assert_eq!(error.kind, ModelErrorKind::Unauthorized);
}
