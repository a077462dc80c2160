//! A question to the library: searched, put in order, checked by a sub-agent, answered.

use serde_json::{Value, json};

use super::{Assistant, step::Step};
use crate::{
    demo::{
        author::Author,
        world::library::{REGIONS, TOPICS, Topic},
    },
    model::span::OperationType,
};

/// A run.
pub(super) struct Story {
    pub title: String,
    pub user: &'static str,
    pub question: String,
    pub answer: String,
    pub root: Step,
}

pub(super) fn write(author: &mut Author, assistant: &Assistant) -> Story {
    let topic = author.pick(&TOPICS);
    let about = format!("{} in {}", topic.name, author.pick(&REGIONS));
    let question = format!("From the library, about {about}: {}", topic.question);
    let answer = format!("{} (“{}”)", topic.answer, author.pick(&topic.evidence).title);
    let outline = json!({ "plan": ["search", "check", "answer"] });
    let plan = Step::model_call(author, &assistant.prompt, &question, &outline);
    let inner = vec![
        guardrail(&question),
        Step::new(OperationType::Planning, "plan", Value::Null, Value::Null).with(vec![plan]),
        retrieval(author, assistant, &topic, &about),
        check(author, assistant, &topic),
        Step::model_call(author, &assistant.prompt, &question, &json!(answer)),
        judge(author),
    ];
    Story {
        title: format!("Library: {about}"),
        user: author.pick(&["ines", "tomasz", "wei"]),
        root: Step::agent("desk", inner).made_of(&assistant.prompt),
        question,
        answer,
    }
}

fn guardrail(text: &str) -> Step {
    Step::new(
        OperationType::Guardrail,
        "check the question",
        json!({ "text": text }),
        json!({ "passed": true }),
    )
}

/// The question is embedded, documents are found and put in order.
fn retrieval(author: &mut Author, assistant: &Assistant, topic: &Topic, about: &str) -> Step {
    let mut found = |name: &str, best: u64| {
        let documents = topic.sources().zip(0..).map(|(source, place)| {
            let score =
                f64::from(u32::try_from(best - place * 9 - author.between(0, 8)).unwrap_or(0)) / 100.0;
            json!({
                "id": format!("{}/{}", source.host, topic.slug()),
                "content": source.says,
                "score": score,
                "metadata": { "title": source.title, "by": name },
            })
        });
        documents.collect::<Vec<_>>()
    };
    let (by_vector, by_rerank) = (found("vector", 84), found("rerank", 97));
    let query = json!({ "query": about });
    let embed = Step::new(
        OperationType::Embedding,
        "embed query",
        json!({ "input": about }),
        json!({ "dimensions": 1_024 }),
    );
    let rerank = Step::new(
        OperationType::Rerank,
        "rerank",
        json!({ "query": about, "documents": by_vector }),
        json!({ "documents": by_rerank }),
    );
    Step::new(OperationType::Retrieval, "search library", query, json!({ "documents": by_rerank }))
        .made_of(&assistant.retriever)
        .with(vec![embed, rerank])
}

/// A sub-agent reads the pages and judges the claim.
fn check(author: &mut Author, assistant: &Assistant, topic: &Topic) -> Step {
    let mut page = |source: &str| {
        let url = json!({ "url": format!("https://{source}/{}", topic.slug()) });
        let words = json!({ "words": author.between(400, 6_000) });
        Step::tool(author, "fetch_page", url, words)
    };
    let mut pages: Vec<_> = topic.sources().map(|source| page(source.host)).collect();
    if author.chance(30)
        && let Some(page) = pages.pop()
    {
        pages.push(page.failing("403: only for subscribers"));
    }
    let verdict = json!({ "claim": topic.answer, "verdict": "supported", "confidence": 0.86 });
    let read = Step::model_call(author, &assistant.checker, "Read the sources.", &json!("Three pages."))
        .with_at_once(pages);
    let judge = Step::model_call(author, &assistant.checker, topic.answer, &verdict);
    Step::agent("fact-checker", vec![read, judge]).made_of(&assistant.checker)
}

fn judge(author: &mut Author) -> Step {
    let marks = json!({ "grounded": author.between(80, 98), "concise": author.between(60, 95) });
    Step::new(OperationType::Evaluation, "judge the answer", Value::Null, marks)
}
