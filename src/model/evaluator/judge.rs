//! Judges: what a model is asked about what an agent did, in which form it answers, and what its answer means.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::model::{
    Json, Refusal,
    agent::{AgentModel, template},
    limits::RecordLimits,
    score::ScoreValue,
};

/// What a rubric may name: `{{input}}`, what was asked; `{{output}}`, what was answered; `{{expected}}`, what the
/// example expects that is judged; `{{transcript}}`, all that was said; `{{tools}}`, which tools were called.
pub const RUBRIC_VARIABLES: [&str; 5] = ["input", "output", "expected", "transcript", "tools"];

/// A model that judges by a rubric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Judge {
    /// The model that it asks, and how.
    pub model: AgentModel,
    /// What it is asked: a template with [`RUBRIC_VARIABLES`].
    pub rubric: String,
    /// In which form it answers.
    pub answer: JudgeAnswer,
}

/// In which form a judge answers, always with its reasons.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum JudgeAnswer {
    /// Yes, which passes, or no.
    Boolean {},
    /// One of some words.
    Categories {
        /// The words.
        categories: Vec<String>,
        /// Those that pass; empty: none passes or fails.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        passing: Vec<String>,
    },
    /// A number from a range.
    Number {
        /// The smallest.
        min: f64,
        /// The largest.
        max: f64,
        /// The smallest that passes; `None`: none passes or fails.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        passing: Option<f64>,
    },
}

/// What a judge said.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// Why.
    pub reasoning: String,
    /// The judgement.
    pub value: ScoreValue,
    /// Whether it passes, where that is defined.
    pub passed: Option<bool>,
}

/// A verdict as a model writes it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    reasoning: String,
    answer: Value,
}

impl Judge {
    pub(super) fn check(&self, limits: &RecordLimits) -> Result<(), Refusal> {
        self.model.check(limits).map_err(|refusal| refusal.below("model"))?;
        if self.rubric.trim().is_empty() {
            return Err(Refusal::invalid("rubric", "must say what is to be judged, and how"));
        }
        limits.text("rubric", Some(&self.rubric))?;
        let used = template::variables(&self.rubric);
        let known = RUBRIC_VARIABLES.map(|name| format!("{{{{{name}}}}}")).join(", ");
        if let Some(unknown) = used.iter().find(|name| !RUBRIC_VARIABLES.contains(name)) {
            let message = format!("nothing is called `{unknown}`; there are {known}");
            return Err(Refusal::invalid("rubric", message));
        }
        if used.is_empty() {
            let message = format!("shows the judge nothing of what it judges; name some of {known}");
            return Err(Refusal::invalid("rubric", message));
        }
        self.answer.check(limits).map_err(|refusal| refusal.below("answer"))
    }
}

impl JudgeAnswer {
    fn check(&self, limits: &RecordLimits) -> Result<(), Refusal> {
        match self {
            Self::Boolean {} => Ok(()),
            Self::Categories { categories, passing } => {
                limits.names("categories.categories", categories)?;
                if categories.len() < 2 {
                    let message = "a choice needs two categories or more";
                    return Err(Refusal::invalid("categories.categories", message));
                }
                let twice =
                    |(index, word): &(usize, &String)| categories.iter().take(*index).any(|w| w == *word);
                if let Some((index, word)) = categories.iter().enumerate().find(twice) {
                    let field = format!("categories.categories.{index}");
                    return Err(Refusal::invalid(field, format!("`{word}` is there twice")));
                }
                let unknown = passing.iter().enumerate().find(|(_, word)| !categories.contains(word));
                unknown.map_or(Ok(()), |(index, word)| {
                    let message = format!("`{word}` is not one of {}", categories.join(", "));
                    Err(Refusal::invalid(format!("categories.passing.{index}"), message))
                })
            }
            Self::Number { min, max, passing } => {
                if !(min.is_finite() && max.is_finite() && min < max) {
                    let message = format!("{max} is not a number above `min`, which is {min}");
                    return Err(Refusal::invalid("number.max", message));
                }
                match passing {
                    Some(least) if !(*min..=*max).contains(least) => {
                        let message = format!("{least} is not from {min} to {max}");
                        Err(Refusal::invalid("number.passing", message))
                    }
                    _ => Ok(()),
                }
            }
        }
    }

    /// The form of the answer in words, for a model to read.
    #[must_use]
    pub fn told(&self) -> String {
        let answer = match self {
            Self::Boolean {} => "true or false".to_owned(),
            Self::Categories { categories, .. } => {
                let quoted: Vec<_> =
                    categories.iter().map(|word| Json::string(word).text().to_owned()).collect();
                format!("one of {}", quoted.join(", "))
            }
            Self::Number { min, max, .. } => format!("a number from {min} to {max}"),
        };
        format!("{{\"reasoning\": why, in a few sentences, \"answer\": {answer}}}")
    }

    /// The JSON Schema of the answer, within what all providers take.
    #[must_use]
    pub fn schema(&self) -> Json {
        let answer = match self {
            Self::Boolean {} => json!({ "type": "boolean" }),
            Self::Categories { categories, .. } => json!({ "type": "string", "enum": categories }),
            Self::Number { min, max, .. } => {
                json!({ "type": "number", "description": format!("from {min} to {max}") })
            }
        };
        Json::of(&json!({
            "type": "object",
            "properties": { "reasoning": { "type": "string" }, "answer": answer },
            "required": ["reasoning", "answer"],
            "additionalProperties": false,
        }))
    }

    /// What a judge's answer means: a JSON object, which models like to put words or a fence around.
    ///
    /// # Errors
    /// What is wrong with it, for the judge to read.
    pub fn verdict(&self, said: &str) -> Result<Verdict, String> {
        let object = object_in(said).ok_or_else(|| "it is no JSON object".to_owned())?;
        let Written { reasoning, answer } =
            serde_json::from_str(object).map_err(|error| format!("it is not what was asked for: {error}"))?;
        let (value, passed) = self.value(&answer)?;
        Ok(Verdict { reasoning, value, passed })
    }

    fn value(&self, answer: &Value) -> Result<(ScoreValue, Option<bool>), String> {
        match self {
            Self::Boolean {} => {
                let yes =
                    answer.as_bool().ok_or_else(|| format!("`answer` is {answer}, not true or false"))?;
                Ok((ScoreValue::Boolean(yes), Some(yes)))
            }
            Self::Categories { categories, passing } => {
                let chosen = answer.as_str().and_then(|word| categories.iter().find(|known| *known == word));
                let wrong = || format!("`answer` is {answer}, not one of {}", categories.join(", "));
                let chosen = chosen.ok_or_else(wrong)?;
                let passed = (!passing.is_empty()).then(|| passing.contains(chosen));
                Ok((ScoreValue::Category(chosen.clone()), passed))
            }
            Self::Number { min, max, passing } => {
                let number = answer.as_f64().filter(|number| (*min..=*max).contains(number));
                let number = number
                    .ok_or_else(|| format!("`answer` is {answer}, not a number from {min} to {max}"))?;
                Ok((ScoreValue::Number(number), passing.map(|least| number >= least)))
            }
        }
    }
}

/// The JSON object in an answer.
fn object_in(text: &str) -> Option<&str> {
    let (start, end) = (text.find('{')?, text.rfind('}')?);
    text.get(start..=end)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    fn tone() -> JudgeAnswer {
        JudgeAnswer::Categories { categories: words(&["polite", "rude"]), passing: words(&["polite"]) }
    }

    const FROM_1_TO_5: JudgeAnswer = JudgeAnswer::Number { min: 1.0, max: 5.0, passing: Some(4.0) };

    #[test]
    fn answers_are_taken_apart() {
        let fenced = "```json\n{\"reasoning\": \"Short.\", \"answer\": true}\n```";
        let verdict = JudgeAnswer::Boolean {}.verdict(fenced).unwrap();
        assert_eq!(verdict.value, ScoreValue::Boolean(true));
        assert_eq!((verdict.reasoning.as_str(), verdict.passed), ("Short.", Some(true)));
        let verdict = tone().verdict(r#"{"reasoning": "No greeting.", "answer": "rude"}"#).unwrap();
        assert_eq!((verdict.value, verdict.passed), (ScoreValue::Category("rude".to_owned()), Some(false)));
        let verdict = FROM_1_TO_5.verdict(r#"{"reasoning": "", "answer": 4}"#).unwrap();
        assert_eq!((verdict.value, verdict.passed), (ScoreValue::Number(4.0), Some(true)));
    }

    #[test]
    fn what_is_no_verdict_says_why() {
        let wrong = |answer: &JudgeAnswer, said: &str| answer.verdict(said).unwrap_err();
        assert_eq!(wrong(&tone(), "I find it polite."), "it is no JSON object");
        assert!(wrong(&tone(), r#"{"answer": "polite"}"#).contains("reasoning"));
        assert!(
            wrong(&tone(), r#"{"reasoning": "", "answer": "Polite"}"#).contains("not one of polite, rude")
        );
        assert!(wrong(&FROM_1_TO_5, r#"{"reasoning": "", "answer": 5.1}"#).contains("from 1 to 5"));
        assert!(wrong(&FROM_1_TO_5, r#"{"reasoning": "", "answer": "4"}"#).contains("not a number"));
        assert!(
            wrong(&JudgeAnswer::Boolean {}, r#"{"reasoning": "", "answer": "yes"}"#)
                .contains("true or false")
        );
        assert!(wrong(&tone(), r#"{"reasoning": "", "answer": "rude", "sure": 1}"#).contains("sure"));
    }

    #[test]
    fn a_rubric_names_what_there_is() {
        let check = |rubric: &str, answer: JudgeAnswer| {
            let model = AgentModel { name: "openai/gpt".to_owned(), ..AgentModel::default() };
            let judge = Judge { model, rubric: rubric.to_owned(), answer };
            judge.check(&RecordLimits::default()).map_err(|refusal| refusal.to_string())
        };
        assert_eq!(check("Is {{output}} polite?", tone()), Ok(()));
        assert!(check("Is {{answer}} polite?", tone()).unwrap_err().contains("nothing is called `answer`"));
        assert!(check("Is it polite?", tone()).unwrap_err().contains("{{transcript}}"));
        let number = |min, max, passing| JudgeAnswer::Number { min, max, passing };
        assert!(check("{{output}}", number(5.0, 1.0, None)).unwrap_err().starts_with("answer.number.max"));
        assert!(check("{{output}}", number(f64::NAN, 1.0, None)).is_err());
        assert!(
            check("{{output}}", number(1.0, 5.0, Some(6.0))).unwrap_err().contains("6 is not from 1 to 5")
        );
        let twice = JudgeAnswer::Categories { categories: words(&["a", "a"]), passing: Vec::new() };
        assert!(check("{{output}}", twice).unwrap_err().contains("twice"));
    }

    proptest! {
        /// Whatever a model says, it is a verdict of the form that was asked for, or none.
        #[test]
        fn a_number_is_within_its_range(said in "\\PC{0,40}", number: f64) {
            let _ = FROM_1_TO_5.verdict(&said);
            let text = json!({ "reasoning": "", "answer": number }).to_string();
            if let Ok(Verdict { value: ScoreValue::Number(number), .. }) = FROM_1_TO_5.verdict(&text) {
                prop_assert!((1.0..=5.0).contains(&number));
            }
        }
    }
}
