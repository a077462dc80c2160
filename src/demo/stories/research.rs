//! A researcher: plans, searches in several places at once, has the claims checked, writes.

use serde_json::json;

use crate::demo::{
    author::Author,
    cast::Part,
    step::{Script, Step},
};

const MODEL: &str = "scripted-large-1";
const SMALL: &str = "scripted-small-1";
const PROMPT: Part = Part::Prompt("researcher");

const QUESTIONS: [(&str, &str, &str); 6] = [
    (
        "heat pumps in old houses",
        "Do heat pumps pay off in a house from 1930?",
        "Mostly yes, once the roof is insulated: flow temperatures then stay below 50 °C.",
    ),
    (
        "ferries and trains to Norway",
        "What is the least carbon way from Hamburg to Bergen?",
        "By train to Oslo and on over the mountains; the ferry saves time and costs a third more carbon.",
    ),
    (
        "sourdough and gluten",
        "Is sourdough bread easier to digest?",
        "For some: long fermentation breaks down fructans. It is not safe with coeliac disease.",
    ),
    (
        "batteries in the cold",
        "Why do e-bikes lose range in winter?",
        "Ions move more slowly in the cold, so usable capacity falls by about a fifth at -5 °C.",
    ),
    (
        "urban trees",
        "Which street trees stand drought best?",
        "Field maple and silver lime did best in three trials; plane trees need more room.",
    ),
    (
        "open data on rivers",
        "Where can I get hourly river levels?",
        "Most water authorities publish them; two offer an API without a key.",
    ),
];

const SOURCES: [&str; 5] = [
    "Annual report 2024",
    "A field study over five winters",
    "Handbook, chapter 7",
    "Review of 42 trials",
    "Official statistics",
];

const STEPS: [&str; 3] = ["Find sources", "Check the claims", "Write the answer"];

pub(super) fn write(author: &mut Author) -> Script {
    let (topic, question, answer) = author.pick(&QUESTIONS);
    let outline = Step::model_call(author, MODEL, PROMPT, question, json!({ "plan": STEPS }));
    let planning = Step::new(crate::model::span::OperationType::Planning, "plan").with(vec![outline]);
    let inner = vec![
        Step::guardrail("check the question", question),
        Step::memory("recall earlier answers", json!({ "topic": topic, "found": author.between(0, 3) })),
        planning,
        find_sources(author, topic),
        check_claims(author, answer),
        write_answer(author, question, answer),
    ];
    Script {
        title: format!("Research: {topic}"),
        user: author.pick(&["ines", "tomasz", "wei"]),
        input: question.to_owned(),
        answer: Some(format!("{answer} (Sources: {}; {}.)", author.pick(&SOURCES), author.pick(&SOURCES))),
        thinking: "Three sources agree; the fourth is older. Say so.",
        plan: Some((format!("Answer: {topic}"), STEPS.to_vec())),
        root: Step::agent("research-assistant", PROMPT, inner),
    }
}

fn find_sources(author: &mut Author, topic: &str) -> Step {
    let found = [author.pick(&SOURCES), author.pick(&SOURCES), author.pick(&SOURCES)];
    let library = Step::retrieval(author, "library", topic, &found);
    let search = |author: &mut Author, words: &str| {
        let query = format!("{topic} {words}");
        let hits = author.between(3, 10);
        Step::tool(author, "web_search", json!({ "query": query }), json!({ "hits": hits }))
    };
    let (first, second) = (search(author, "evidence"), search(author, "criticism"));
    let times_out = author.chance(25);
    let second = if times_out { second.failing("the search took longer than 10 s") } else { second };
    let ask = Step::model_call(author, SMALL, PROMPT, format!("Queries for {topic}?"), json!(null));
    let mut inner = vec![ask.asking(vec![first, second]), library];
    if times_out {
        let again = search(author, "criticism");
        let retry = Step::model_call(author, SMALL, PROMPT, "One search failed. Again?", json!(null));
        inner.push(retry.asking(vec![again]));
    }
    Step::of_plan(0, "find sources", inner)
}

/// A sub-agent reads the pages and judges each claim.
fn check_claims(author: &mut Author, claim: &str) -> Step {
    let part = Part::Prompt("fact-checker");
    let pages = (1..=author.between(2, 4)).map(|number| {
        let words = author.between(400, 6_000);
        let url = format!("https://example.org/source/{number}");
        Step::tool(author, "fetch_page", json!({ "url": url }), json!({ "words": words }))
    });
    let pages = pages.collect();
    let read = Step::model_call(author, SMALL, part, claim, json!(null)).asking(pages).untold();
    let verdict = json!({ "claim": claim, "verdict": "supported", "confidence": 0.86 });
    let judge = Step::model_call(author, SMALL, part, "Is it supported?", verdict);
    let checker = Step::agent("fact-checker", part, vec![read, judge]);
    Step::of_plan(1, "check the claims", vec![checker])
}

fn write_answer(author: &mut Author, question: &str, answer: &str) -> Step {
    let draft = Step::model_call(author, MODEL, PROMPT, question, answer);
    let judged = Step {
        outputs: json!({ "grounded": 0.9, "concise": 0.8 }),
        ..Step::new(crate::model::span::OperationType::Evaluation, "judge the draft")
    };
    Step::of_plan(2, "write the answer", vec![draft, judged])
}
