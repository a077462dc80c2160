//! A coding agent: reads several files at once, changes one, runs the tests until they pass, has the
//! change reviewed.

use serde_json::json;

use crate::demo::{
    author::Author,
    cast::{Part, Stage},
    step::{Script, Step},
};

const MODEL: &str = "scripted-large-1";
const SMALL: &str = "scripted-small-1";
const PROMPT: Part = Part::Prompt("coder");

const BUGS: [(&str, &str, &str); 5] = [
    (
        "src/dates.rs",
        "Week numbers are wrong at the turn of the year",
        "The ISO week of 31 December may belong to the next year.",
    ),
    ("src/cart.rs", "The total is off by a cent", "Sums are now made in cents and rounded once."),
    ("src/search.rs", "Searching for `C++` finds nothing", "The query is now escaped before it is parsed."),
    ("src/upload.rs", "Large uploads fail on slow lines", "The timeout now starts anew with every chunk."),
    (
        "src/login.rs",
        "Logging out in one tab leaves the other logged in",
        "Tabs now listen for the change of the session.",
    ),
];

const STEPS: [&str; 4] = ["Understand the bug", "Mend it", "Prove it", "Have it reviewed"];

pub(super) fn write(author: &mut Author, stage: Stage) -> Script {
    let (file, bug, cause) = author.pick(&BUGS);
    let outline = Step::model_call(author, MODEL, PROMPT, bug, json!({ "plan": STEPS }));
    let planning = Step::new(crate::model::span::OperationType::Planning, "plan").with(vec![outline]);
    let inner = vec![
        planning,
        Step::of_plan(0, "understand", vec![understand(author, file)]),
        Step::of_plan(1, "mend", vec![mend(author, file)]),
        prove(author, stage),
        Step::of_plan(3, "review", vec![review(author, cause)]),
    ];
    Script {
        title: format!("Bug: {bug}"),
        user: author.pick(&["kai", "nadia", "oskar"]),
        input: format!("{bug}. Can you look into {file}?"),
        answer: Some(format!("{cause} All tests pass, and the change is up for review.")),
        thinking: "The test fails for the reason that was reported; after the change it passes.",
        plan: Some((bug.to_owned(), STEPS.to_vec())),
        root: Step::agent("coding-agent", PROMPT, inner),
    }
}

fn understand(author: &mut Author, file: &str) -> Step {
    let test = file.replace("src/", "tests/");
    let read = |author: &mut Author, path: &str| {
        let lines = author.between(60, 700);
        Step::tool(author, "read_file", json!({ "path": path }), json!({ "lines": lines }))
    };
    let matches = author.between(0, 9);
    let tools = vec![
        read(author, file),
        read(author, &test),
        Step::tool(author, "search_code", json!({ "pattern": "TODO" }), json!({ "matches": matches })),
    ];
    Step::model_call(author, MODEL, PROMPT, "Where is it?", json!(null)).asking(tools)
}

fn mend(author: &mut Author, file: &str) -> Step {
    let change = json!({ "path": file, "added": author.between(3, 40), "removed": author.between(1, 12) });
    let edit = Step::tool(author, "edit_file", change, json!({ "saved": true }));
    Step::model_call(author, MODEL, PROMPT, "What is to change?", json!(null)).asking(vec![edit])
}

/// The tests fail first, more often with the prompt in use than with the one on trial.
fn prove(author: &mut Author, stage: Stage) -> Step {
    let run = |author: &mut Author, failed: u64| {
        let result = json!({ "passed": author.between(180, 240), "failed": failed });
        let mut step = Step::tool(author, "run_tests", json!({ "package": "all" }), result);
        step.beats += 3;
        step
    };
    let mut inner = Vec::new();
    if author.chance(if stage == Stage::Production { 45 } else { 25 }) {
        let failed = run(author, 1).failing("1 test failed: edges::turn_of_the_year");
        inner.push(
            Step::model_call(author, SMALL, PROMPT, "Run the tests.", json!(null)).asking(vec![failed]),
        );
        let edit =
            Step::tool(author, "edit_file", json!({ "added": 2, "removed": 1 }), json!({ "saved": true }));
        inner.push(
            Step::model_call(author, MODEL, PROMPT, "Why does it fail?", json!(null)).asking(vec![edit]),
        );
    }
    let passed = run(author, 0);
    inner.push(Step::model_call(author, SMALL, PROMPT, "Run the tests.", json!(null)).asking(vec![passed]));
    Step::of_plan(2, "prove", inner)
}

fn review(author: &mut Author, cause: &str) -> Step {
    let part = Part::Prompt("reviewer");
    let diff = Step::tool(author, "read_file", json!({ "path": "change.diff" }), json!({ "lines": 31 }));
    let read =
        Step::model_call(author, SMALL, part, "Read the change.", json!(null)).asking(vec![diff]).untold();
    let verdict = Step::model_call(author, MODEL, part, cause, json!({ "verdict": "approve" }));
    let reviewer = Step::agent("reviewer", part, vec![read, verdict]);
    let number = author.between(100, 999);
    let offer =
        Step::tool(author, "open_pull_request", json!({ "title": cause }), json!({ "number": number }));
    let ask = Step::model_call(author, SMALL, PROMPT, "Offer it.", json!(null)).asking(vec![offer]);
    Step::new(crate::model::span::OperationType::Chain, "review and offer").with(vec![reviewer, ask])
}
