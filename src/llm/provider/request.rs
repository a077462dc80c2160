//! A request in the words of `genai`.

use genai::chat::{
    ChatMessage as Sent, ChatOptions, ChatRequest, ChatResponseFormat, ContentPart, JsonSpec, MessageContent,
    ReasoningEffort, Tool, ToolCall, ToolResponse,
};
use serde_json::{Value, json};

use super::answer::SIGNATURE;
use crate::{
    llm::{ModelError, ModelErrorKind, ModelRequest, ModelSettings, ProviderKind, ToolDefinition},
    model::{
        Json,
        chat::{ChatMessage, ChatPart},
        message::MessageRole,
    },
};

/// The request and how it is to be answered.
///
/// # Errors
/// `Refused` where a provider has no word for a setting, or a document cannot be read.
pub(super) fn build(
    kind: ProviderKind,
    is_own_url: bool,
    asked: ModelRequest,
) -> Result<(ChatRequest, ChatOptions), ModelError> {
    let ModelRequest { model, mut system, messages, tools, settings } = asked;
    let options = options(kind, &model, settings, &mut system)?;
    // OpenAI's own API takes no reasoning back; servers that speak as it does ask for it.
    let takes_reasoning = kind != ProviderKind::OpenAi || !is_own_url;
    let mut request = ChatRequest::new(History::new(kind, takes_reasoning).tell(messages));
    request.system = system;
    if !tools.is_empty() {
        request.tools = Some(tools.into_iter().map(tool).collect::<Result<_, _>>()?);
    }
    Ok((request, options))
}

fn options(
    kind: ProviderKind,
    model: &str,
    settings: ModelSettings,
    system: &mut Option<String>,
) -> Result<ChatOptions, ModelError> {
    let mut options = ChatOptions::default()
        .with_capture_content(true)
        .with_capture_usage(true)
        .with_capture_reasoning_content(true)
        .with_capture_tool_calls(kind != ProviderKind::OpenAi)
        .with_stop_sequences(settings.stop);
    options.temperature = settings.temperature;
    options.top_p = settings.top_p;
    options.max_tokens = settings.max_tokens;
    options.seed = settings.seed;
    match settings.reasoning_effort {
        Some(word) => match word.parse::<ReasoningEffort>() {
            Ok(effort) => options.reasoning_effort = Some(effort),
            Err(_) if kind == ProviderKind::OpenAi => {
                options.extra_body = Some(json!({"reasoning_effort": word}));
                options.reasoning_effort = Some(AS_IT_IS);
            }
            Err(_) => {
                return Err(refused(format!(
                    "`{word}` says nothing of how much {kind} is to reason; low, medium, high or a number of \
                     tokens does"
                )));
            }
        },
        // Without an effort, one is read from the end of the name: `qwen-max` would become `qwen`.
        None if kind == ProviderKind::OpenAi && ReasoningEffort::from_model_name(model).0.is_some() => {
            options.reasoning_effort = Some(AS_IT_IS);
        }
        None => {}
    }
    if let Some((name, schema)) = settings.answer_schema {
        options.response_format = Some(match kind {
            // For Ollama only "some JSON" can be asked for, so the schema is told in words.
            ProviderKind::Ollama => {
                let told = format!("Answer with JSON that fulfils this JSON Schema: {}", schema.text());
                *system = Some(system.take().map_or(told.clone(), |system| format!("{system}\n\n{told}")));
                ChatResponseFormat::JsonMode
            }
            _ => ChatResponseFormat::JsonSpec(JsonSpec::new(name, read(&schema, "the answer's schema")?)),
        });
    }
    Ok(options)
}

/// An effort that `genai` does not send to `OpenAI`'s API, and that leaves the name of the model alone.
const AS_IT_IS: ReasoningEffort = ReasoningEffort::Budget(0);

fn tool(definition: ToolDefinition) -> Result<Tool, ModelError> {
    let ToolDefinition { name, description, parameters } = definition;
    let schema = read(&parameters, &format!("the schema of `{name}`"))?;
    Ok(Tool::new(name).with_description(description).with_schema(schema))
}

fn read(document: &Json, what: &str) -> Result<Value, ModelError> {
    document.read().map_err(|error| refused(format!("{what} cannot be read: {error}")))
}

fn refused(message: String) -> ModelError {
    ModelError::new(ModelErrorKind::Refused, message)
}

/// Tells what was said so far.
struct History {
    kind: ProviderKind,
    takes_reasoning: bool,
    /// Calls that have no result yet: the id and the tool.
    open: Vec<(String, String)>,
    /// Calls so far, for those without an id.
    calls: usize,
}

impl History {
    const fn new(kind: ProviderKind, takes_reasoning: bool) -> Self {
        Self { kind, takes_reasoning, open: Vec::new(), calls: 0 }
    }

    fn tell(mut self, messages: Vec<ChatMessage>) -> Vec<Sent> {
        // Reasoning belongs to the turn in which it was said: before, nobody wants it back.
        let turn = messages.iter().rposition(|message| message.role == MessageRole::User).unwrap_or(0);
        let mut told: Vec<Sent> = Vec::new();
        for (at, message) in messages.into_iter().enumerate() {
            let role = message.role;
            let parts: Vec<_> =
                message.parts.into_iter().filter_map(|part| self.part(role, part, at >= turn)).collect();
            match (role, told.last_mut()) {
                (_, _) if parts.is_empty() => {}
                // The results of calls that were made at once belong into one message.
                (MessageRole::Tool, Some(last)) if last.role == genai::chat::ChatRole::Tool => {
                    for part in parts {
                        last.content.push(part);
                    }
                }
                _ => told.push(sent(role, MessageContent::from_parts(parts))),
            }
        }
        told
    }

    fn part(&mut self, role: MessageRole, part: ChatPart, in_turn: bool) -> Option<ContentPart> {
        let is_model = role == MessageRole::Assistant;
        match part {
            ChatPart::Text(text) if role == MessageRole::Tool => Some(self.result(None, None, text)),
            ChatPart::Text(text) => (!text.is_empty()).then_some(ContentPart::Text(text)),
            ChatPart::Reasoning(text) => {
                (is_model && in_turn && self.takes_reasoning).then_some(ContentPart::ReasoningContent(text))
            }
            ChatPart::ToolCall { id, name, arguments } => Some(self.call(id, name, &arguments)),
            ChatPart::ToolResult { id, name, result } => Some(self.result(id, name, said(&result))),
            ChatPart::Media { mime_type, uri: Some(uri), modality, .. } if !uri.starts_with("data:") => {
                let mime_type = mime_type.or(modality.map(|modality| format!("{modality}/*")));
                Some(ContentPart::from_binary_url(
                    mime_type.unwrap_or_else(|| "image/*".to_owned()),
                    uri,
                    None,
                ))
            }
            ChatPart::Media { mime_type, bytes, modality, .. } => {
                let what = mime_type.or(modality).unwrap_or_else(|| "a file".to_owned());
                let size = bytes.map(|bytes| format!(" of {bytes} bytes")).unwrap_or_default();
                Some(ContentPart::Text(format!("[{what}{size}, which was not kept]")))
            }
            ChatPart::Other(document) if is_model => {
                in_turn.then(|| self.reasoning_of_provider(&document)).flatten()
            }
            ChatPart::Other(document) => Some(ContentPart::Text(document.text().to_owned())),
        }
    }

    fn call(&mut self, id: Option<String>, name: String, arguments: &Json) -> ContentPart {
        self.calls += 1;
        let id = id.unwrap_or_else(|| format!("call_{}", self.calls));
        self.open.push((id.clone(), name.clone()));
        // Providers take objects only, also where the model wrote something else.
        let arguments = match arguments.read().unwrap_or_default() {
            Value::Object(members) => Value::Object(members),
            Value::Null => json!({}),
            other => json!({"invalid_arguments": other}),
        };
        ContentPart::ToolCall(ToolCall {
            call_id: id,
            fn_name: name,
            fn_arguments: arguments,
            thought_signatures: None,
        })
    }

    /// The result of a call; one that names none belongs to the first open one, of its tool if it names that.
    fn result(&mut self, id: Option<String>, name: Option<String>, content: String) -> ContentPart {
        let at = match (&id, &name) {
            (Some(id), _) => self.open.iter().position(|(open, _)| open == id),
            (None, Some(name)) => self.open.iter().position(|(_, tool)| tool == name),
            (None, None) => (!self.open.is_empty()).then_some(0),
        };
        let open = at.map(|at| self.open.remove(at));
        let (open_id, tool) = open.unzip();
        let mut result = ToolResponse::new(id.or(open_id).unwrap_or_default(), content);
        result.fn_name = name.or(tool);
        ContentPart::ToolResponse(result)
    }

    /// What a provider signed or hid of its reasoning, which it wants back as it was.
    fn reasoning_of_provider(&self, document: &Json) -> Option<ContentPart> {
        let value: Value = document.read().ok()?;
        match (self.kind, value.get("type")?.as_str()?) {
            (ProviderKind::Anthropic | ProviderKind::Gemini, SIGNATURE) => {
                let signature = value.get("signature")?.as_str()?;
                Some(ContentPart::ThoughtSignature(signature.to_owned()))
            }
            (ProviderKind::Anthropic, "redacted_thinking") => Some(ContentPart::from_custom(value, None)),
            _ => None,
        }
    }
}

fn sent(role: MessageRole, content: MessageContent) -> Sent {
    match role {
        MessageRole::System => Sent::system(content),
        MessageRole::User => Sent::user(content),
        MessageRole::Assistant => Sent::assistant(content),
        MessageRole::Tool => Sent::tool(content),
    }
}

/// What a tool answered, as a text.
fn said(result: &Json) -> String {
    match result.read() {
        Ok(Value::String(text)) => text,
        Ok(Value::Null) => String::new(),
        _ => result.text().to_owned(),
    }
}
