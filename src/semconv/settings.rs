//! A model's settings, under the names that OpenTelemetry has for them.

use serde_json::{Map, Value as JsonValue};

use super::{Field, lookup::Fields};

/// The settings with the attributes that carry them.
const SETTINGS: &[(&str, &[&str])] = &[
    (
        "temperature",
        &[
            "gen_ai.request.temperature",
            "ai.settings.temperature",
            "llm.request.temperature",
            "llm.temperature",
        ],
    ),
    ("top_p", &["gen_ai.request.top_p", "ai.settings.topP", "llm.top_p"]),
    ("top_k", &["gen_ai.request.top_k", "ai.settings.topK", "llm.top_k"]),
    (
        "max_tokens",
        &[
            "gen_ai.request.max_tokens",
            "ai.settings.maxOutputTokens",
            "ai.settings.maxTokens",
            "llm.request.max_tokens",
        ],
    ),
    ("frequency_penalty", &["gen_ai.request.frequency_penalty", "ai.settings.frequencyPenalty"]),
    ("presence_penalty", &["gen_ai.request.presence_penalty", "ai.settings.presencePenalty"]),
    ("stop_sequences", &["gen_ai.request.stop_sequences", "ai.settings.stopSequences"]),
    ("seed", &["gen_ai.request.seed", "ai.settings.seed"]),
    ("choice_count", &["gen_ai.request.choice.count"]),
    ("reasoning_effort", &["gen_ai.request.reasoning_effort", "gen_ai.request.reasoning.level"]),
    ("encoding_formats", &["gen_ai.request.encoding_formats"]),
    ("output_type", &["gen_ai.output.type"]),
];

/// Members of an object of settings that are no settings: what the call was about.
const NO_SETTINGS: &[&str] = &[
    "_type",
    "model",
    "model_name",
    "messages",
    "prompt",
    "input",
    "tools",
    "functions",
    "stream",
    "stream_options",
    "user",
    "extra_headers",
];

/// The model that was asked for; `None` where only the one that answered is named. The request as it was
/// made knows best: some write the model that answered into both attributes.
pub(super) fn request_model(fields: &Fields<'_>) -> Option<String> {
    let of_settings = || fields.parsed(Field::Settings)?.get("model")?.as_str().map(str::to_owned);
    of_settings().or_else(|| fields.text(Field::RequestModel))
}

/// The settings of a call; empty where it names none.
pub(super) fn of(fields: &Fields<'_>) -> Map<String, JsonValue> {
    let mut settings = match fields.parsed(Field::Settings) {
        Some(JsonValue::Object(settings)) => settings,
        _ => Map::new(),
    };
    settings.retain(|name, value| !NO_SETTINGS.contains(&name.as_str()) && !value.is_null());
    if fields.has(Field::Setting) {
        for (setting, names) in SETTINGS {
            let value = names.iter().find_map(|name| fields.attributes().get(name)?.plain());
            settings.extend(value.map(|value| ((*setting).to_owned(), value)));
        }
    }
    settings
}
