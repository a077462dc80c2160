//! Texts with places for what the user said and tools answered: `{{input}}`.

use serde::{Deserialize, Deserializer, de::Error};
use serde_json::Value;

use super::choose::Scene;

/// A text with places.
#[derive(Debug, Clone)]
pub(super) struct Template(Vec<Piece>);

#[derive(Debug, Clone)]
enum Piece {
    Text(String),
    Place(Place),
}

#[derive(Debug, Clone, Copy)]
enum Place {
    /// `{{input}}`: the last text of the user.
    Input,
    /// `{{tool_result}}`: the last result of a tool.
    ToolResult,
    /// `{{tool_results}}`: the results of all tools that answered last, a line each.
    ToolResults,
    /// `{{match}}` and `{{match.1}}`: what the pattern of `when` matched, or a group of it.
    Match(usize),
}

impl Place {
    fn named(name: &str) -> Result<Self, String> {
        match name {
            "input" => Ok(Self::Input),
            "tool_result" => Ok(Self::ToolResult),
            "tool_results" => Ok(Self::ToolResults),
            "match" => Ok(Self::Match(0)),
            _ => {
                let group = name.strip_prefix("match.").and_then(|group| group.parse().ok());
                group.map(Self::Match).ok_or_else(|| {
                    format!(
                        "`{{{{{name}}}}}` stands for nothing; there are input, tool_result, tool_results, match \
                         and match.1"
                    )
                })
            }
        }
    }
}

impl Template {
    /// Reads a text. A `{{` that is never closed stays as it is.
    ///
    /// # Errors
    /// In words, where a place has no meaning.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (mut pieces, mut rest) = (Vec::new(), text);
        while let Some((before, (name, after))) =
            rest.split_once("{{").and_then(|(before, inner)| Some((before, inner.split_once("}}")?)))
        {
            if !before.is_empty() {
                pieces.push(Piece::Text(before.to_owned()));
            }
            pieces.push(Piece::Place(Place::named(name.trim())?));
            rest = after;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        Ok(Self(pieces))
    }

    /// The text for a scene.
    pub(super) fn fill(&self, scene: &Scene<'_>) -> String {
        let mut text = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(piece) => text.push_str(piece),
                Piece::Place(Place::Input) => text.push_str(&scene.input),
                Piece::Place(Place::ToolResult) => text.push_str(scene.last_result()),
                Piece::Place(Place::ToolResults) => text.push_str(&scene.all_results()),
                Piece::Place(Place::Match(group)) => {
                    text.push_str(scene.matched.get(*group).map_or("", String::as_str));
                }
            }
        }
        text
    }
}

/// A value with the places in its texts filled.
pub(super) fn fill_tree(tree: &Value, scene: &Scene<'_>) -> Value {
    match tree {
        Value::String(text) => Value::String(
            Template::parse(text).map_or_else(|_| text.clone(), |template| template.fill(scene)),
        ),
        Value::Array(items) => items.iter().map(|item| fill_tree(item, scene)).collect(),
        Value::Object(members) => {
            members.iter().map(|(name, value)| (name.clone(), fill_tree(value, scene))).collect()
        }
        other => other.clone(),
    }
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}
