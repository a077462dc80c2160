//! Tools of the researcher: a search, and pages.

use serde_json::json;

use super::{Answer, Call, Made};
use crate::demo::world::library::{Source, Topic};

pub(super) const TOOLS: &[Made] = &[
    Made {
        name: "web_search",
        description: "Finds pages that have some words.",
        takes: &[("query", "string", "The words.")],
        needs: 1,
        answer: search,
    },
    Made {
        name: "fetch_page",
        description: "Reads a page as text.",
        takes: &[("url", "string", "Its address.")],
        needs: 1,
        answer: fetch,
    },
];

fn search(call: &Call<'_>) -> Answer {
    let query = call.text("query");
    let Some(topic) = Topic::named_in(query) else { return Answer::Result(json!({ "results": [] })) };
    // Another search for the same is a review of what there is, and is answered.
    if query.ends_with("evidence") && call.author().chance(25) {
        return Answer::Failure(format!("no answer within 10 s for `{query}`"));
    }
    let found: Vec<_> =
        if query.ends_with("criticism") { vec![&topic.criticism] } else { topic.evidence.iter().collect() };
    let result = |source: &&Source| {
        let url = format!("https://{}/{}", source.host, topic.slug());
        json!({ "says": source.says, "title": source.title, "url": url })
    };
    Answer::Result(json!({ "results": found.iter().map(result).collect::<Vec<_>>() }))
}

fn fetch(call: &Call<'_>) -> Answer {
    let url = call.text("url");
    let Some(topic) = Topic::named_in(url) else {
        return Answer::Failure(format!("404 for {url}: there is no such page"));
    };
    if !url.contains("archive.example") && call.author().chance(15) {
        return Answer::Failure(format!("403 for {url}: only for subscribers"));
    }
    let source = topic.sources().find(|source| url.contains(source.host)).unwrap_or(&topic.criticism);
    let year = call.author().between(2019, 2025);
    Answer::Result(json!(format!(
        "{} ({year})\n\nThe question was this: {} {}\n\nHow it was done, with all tables, is in the appendix. \
         The numbers were checked by a second group, which came to the same within a few per cent.\n\nIn short: {}",
        source.title, topic.question, source.says, topic.answer
    )))
}
