//! Whose model a name means, and which providers there are.

use std::sync::Arc;

use dendro::llm::{ModelErrorKind, Models, ModelsConfig, ProviderConfig, ProviderKind, Scripted};
use dendro::model::secret::Secret;

use super::{ask, request, user};

fn models(config: &ModelsConfig) -> Models {
    Models::with_environment(config, |name| (name == "OPENAI_API_KEY").then(|| "sk-1".to_owned())).unwrap()
}

fn resolved(models: &Models, name: &str) -> Result<String, (ModelErrorKind, String)> {
    match models.resolve(name) {
        Ok((_, name)) => Ok(name.to_string()),
        Err(error) => Err((error.kind, error.message)),
    }
}

#[test]
fn a_name_says_its_provider_or_is_of_a_known_family() {
    let models = models(&ModelsConfig::default());
    for (name, told) in [
        ("openai/gpt-4o-mini", "openai/gpt-4o-mini"),
        ("openai/org/model:tag", "openai/org/model:tag"),
        ("gpt-4o", "openai/gpt-4o"),
        ("o3-mini", "openai/o3-mini"),
        ("claude-sonnet-4-5", "anthropic/claude-sonnet-4-5"),
        ("gemini-2.5-flash", "gemini/gemini-2.5-flash"),
        ("ollama/qwen2.5", "ollama/qwen2.5"),
        ("scripted/demo", "scripted/demo"),
    ] {
        assert_eq!(resolved(&models, name), Ok(told.to_owned()));
    }
    for (name, told) in [
        ("llama-3", "such as openai/gpt-4o-mini"),
        ("", "provider/model"),
        ("openai/", "provider/model"),
        (
            "meta/llama-3",
            "no provider is called `meta`; there are anthropic, gemini, ollama, openai, scripted",
        ),
        ("scripted/nobody", "no script is called `nobody`; there are: demo"),
    ] {
        let (kind, message) = resolved(&models, name).unwrap_err();
        assert_eq!(kind, ModelErrorKind::UnknownModel);
        assert!(message.contains(told), "{message}");
    }
}

#[test]
fn providers_are_listed_with_whether_they_have_a_key() {
    let mut config = ModelsConfig::default();
    let local = ProviderConfig {
        kind: Some(ProviderKind::OpenAi),
        url: Some("http://localhost:8000/v1".to_owned()),
        ..ProviderConfig::default()
    };
    config.providers.insert("local".to_owned(), local);
    let anthropic = ProviderConfig { key: Some(Secret::new("sk-2")), ..ProviderConfig::default() };
    config.providers.insert("anthropic".to_owned(), anthropic);
    let listed: Vec<_> = models(&config)
        .providers()
        .into_iter()
        .map(|provider| (provider.name, provider.kind.unwrap(), provider.has_key, provider.needs_key))
        .collect();
    let expected = [
        ("anthropic", ProviderKind::Anthropic, true, true),
        ("gemini", ProviderKind::Gemini, false, true),
        ("local", ProviderKind::OpenAi, false, false),
        ("ollama", ProviderKind::Ollama, false, false),
        ("openai", ProviderKind::OpenAi, true, true),
        ("scripted", ProviderKind::Scripted, false, false),
    ];
    assert_eq!(listed, expected.map(|(name, kind, has, needs)| (name.to_owned(), kind, has, needs)));
}

#[tokio::test]
async fn a_program_may_add_a_provider() {
    let script = Scripted::parse("scripts: { hello: { turns: [{ text: Hello. }] } }").unwrap();
    let models = models(&ModelsConfig::default()).with("mine", Arc::new(script));
    let (model, name) = models.resolve("mine/hello").unwrap();
    let mut asked = request([user("Hi")]);
    asked.model = name.model;
    assert_eq!(ask(&*model, asked).await.unwrap().answer().model.as_deref(), Some("scripted/hello"));
}

#[tokio::test]
async fn a_program_may_add_scripts() {
    let script = |text| Scripted::parse(&format!("scripts: {{ {text} }}")).unwrap();
    let more = script("mine: { otherwise: { text: mine } }, demo: { otherwise: { text: another } }");
    let models = models(&ModelsConfig::default())
        .with_scripts(more)
        .with_scripts(script("third: { otherwise: { text: third } }"));
    for (name, expected) in [("mine", "mine"), ("demo", "another"), ("third", "third")] {
        let (model, resolved) = models.resolve(&format!("scripted/{name}")).unwrap();
        let mut asked = request([user("Hi")]);
        asked.model = resolved.model;
        assert_eq!(ask(&*model, asked).await.unwrap().text.concat(), expected);
    }
    let scripted = models.providers().into_iter().find(|provider| provider.name == "scripted").unwrap();
    assert_eq!(scripted.models, ["demo", "mine", "third"]);
}

#[test]
fn a_wrong_setting_is_named() {
    let check = |name: &str, provider: ProviderConfig| {
        let mut config = ModelsConfig::default();
        config.providers.insert(name.to_owned(), provider);
        config.check()
    };
    let kind = |kind| ProviderConfig { kind: Some(kind), ..ProviderConfig::default() };
    let url = |url: &str| ProviderConfig { url: Some(url.to_owned()), ..kind(ProviderKind::OpenAi) };
    for (name, provider, told) in [
        ("mine", ProviderConfig::default(), "`kind` must say"),
        ("a/b", kind(ProviderKind::OpenAi), "before the `/`"),
        ("mine", url("localhost:8000"), "is not an address"),
        ("mine", url("http://me:secret@localhost"), "is not a plain address"),
        ("mine", url("http://localhost/v1?key=secret"), "is not a plain address"),
        ("mine", kind(ProviderKind::Scripted), "`script` must name the file"),
        (
            "mine",
            ProviderConfig { script: Some("x.yaml".into()), ..kind(ProviderKind::Ollama) },
            "`script` is for providers of kind scripted",
        ),
        (
            "mine",
            ProviderConfig { key: Some(Secret::new("***")), ..kind(ProviderKind::OpenAi) },
            "is printed in place of a key",
        ),
    ] {
        let (key, message) = check(name, provider).unwrap_err();
        assert_eq!(key, "models.providers");
        assert!(message.starts_with(&format!("`{name}`: ")) && message.contains(told), "{message}");
    }
    let (key, _) = ModelsConfig { idle_seconds: 0, ..ModelsConfig::default() }.check().unwrap_err();
    assert_eq!(key, "models.idle_seconds");
    assert_eq!(check("openai", url("https://proxy.example.com/v1")), Ok(()));
}
