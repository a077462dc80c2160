//! A support agent: looks up the order, asks the rules, refunds through a sub-agent, or hands over.

use serde_json::json;

use crate::demo::{
    author::Author,
    cast::{Part, Stage},
    step::{Script, Step},
};

const MODEL: &str = "scripted-small-1";
const PROMPT: Part = Part::Prompt("support");

const THINGS: [&str; 5] = ["a kettle", "two lamps", "a rain jacket", "a bread knife", "a desk"];

pub(super) fn write(author: &mut Author, stage: Stage) -> Script {
    let (thing, order) = (author.pick(&THINGS), format!("A-{}", author.between(10_000, 99_999)));
    let input = format!("Order {order}: {thing}, and it has not come. Can I have my money back?");
    let mut inner = vec![Step::guardrail("personal data", &input), look_up(author, &order)];
    inner.push(Step::retrieval(author, "rules", "refund of late orders", &["Refunds", "Late parcels"]));
    // The version on trial is told to act at once, and fails less often.
    let fails = author.chance(if stage == Stage::Production { 18 } else { 8 });
    inner.push(refund(author, &order, fails));
    let answer = format!("I have sent the money for order {order} back; it takes three days.");
    if !fails {
        inner.push(Step::model_call(author, MODEL, PROMPT, input.as_str(), answer.as_str()));
        inner.push(Step::memory("remember the customer", json!({ "order": order, "refunded": true })));
    }
    let mut root = Step::agent("support-agent", PROMPT, inner);
    if fails {
        root = root.failing("the refund was refused, and no person was free to take over");
    }
    Script {
        title: format!("Order {order}"),
        user: author.pick(&["amira", "jonas", "lucia", "pavel"]),
        input,
        answer: (!fails).then_some(answer),
        thinking: "The parcel is twelve days late, so the rules allow it.",
        plan: None,
        root,
    }
}

fn look_up(author: &mut Author, order: &str) -> Step {
    let days = author.between(6, 20);
    let found = json!({ "order": order, "paid": author.between(12, 49), "daysLate": days });
    let find = Step::tool(author, "find_order", json!({ "order": order }), found);
    let track = Step::tool(author, "track_parcel", json!({ "order": order }), json!({ "state": "lost" }));
    Step::model_call(author, MODEL, PROMPT, "What do we know?", json!(null)).asking(vec![find, track])
}

/// Money is a sub-agent's affair: it tries again once.
fn refund(author: &mut Author, order: &str, fails: bool) -> Step {
    let attempt = |author: &mut Author| {
        Step::tool(author, "refund", json!({ "order": order }), json!({ "refunded": true }))
    };
    let first = attempt(author);
    let stumbles = fails || author.chance(20);
    let mut inner = Vec::new();
    let first = if stumbles { first.failing("503 from the payment service") } else { first };
    inner.push(
        Step::model_call(author, MODEL, PROMPT, "Refund it?", json!(null)).asking(vec![first]).untold(),
    );
    if stumbles {
        let second = attempt(author);
        let second = if fails { second.failing("the account is closed") } else { second };
        inner.push(
            Step::model_call(author, MODEL, PROMPT, "Again?", json!(null)).asking(vec![second]).untold(),
        );
    }
    let agent = Step::agent("refund-agent", PROMPT, inner);
    if fails { agent.failing("no refund after two attempts") } else { agent }
}
