//! Tools of the coding agent: files, tests, changes that are offered.

use serde_json::json;

use super::{Answer, Call, Made};
use crate::demo::{
    author::Author,
    world::code::{BUGS, CHANGELOG},
};

pub(super) const TOOLS: &[Made] = &[
    Made {
        name: "read_file",
        description: "Reads a file of the repository.",
        takes: &[("path", "string", "Its path.")],
        needs: 1,
        answer: read_file,
    },
    Made {
        name: "search_code",
        description: "Finds lines that have a text.",
        takes: &[("text", "string", "The text."), ("folder", "string", "Where, if not everywhere.")],
        needs: 1,
        answer: search_code,
    },
    Made {
        name: "edit_file",
        description: "Puts one text into a file in place of another.",
        takes: &[
            ("path", "string", "The file's path."),
            ("find", "string", "What is there now."),
            ("replace", "string", "What is to be there."),
        ],
        needs: 3,
        answer: edit_file,
    },
    Made {
        name: "run_tests",
        description: "Runs tests.",
        takes: &[
            ("filter", "string", "Which ones, by a part of their names."),
            ("suite", "string", "A suite: `unit`, `nightly`."),
            ("repeat", "integer", "How often."),
            ("again", "boolean", "Whether only those that failed last."),
        ],
        needs: 0,
        answer: run_tests,
    },
    Made {
        name: "open_pull_request",
        description: "Offers a change for review.",
        takes: &[("title", "string", "What it does.")],
        needs: 1,
        answer: open_pull_request,
    },
];

fn read_file(call: &Call<'_>) -> Answer {
    let path = call.text("path");
    let bug = BUGS.iter().find(|bug| bug.file == path);
    let text = match bug {
        Some(bug) => bug.code.to_owned(),
        None if path == "CHANGELOG.md" => CHANGELOG.to_owned(),
        None if path.starts_with("tests/") => {
            let cases = call.author().between(4, 19);
            format!("//! {cases} cases, each with what is right for it.\n\nmod cases;\nmod edges;\n")
        }
        None => return Answer::Failure(format!("there is no file `{path}`")),
    };
    Answer::Result(json!(text))
}

fn search_code(call: &Call<'_>) -> Answer {
    let mut author = call.author();
    let line = |author: &mut Author| {
        let file = author.pick(&BUGS).file;
        format!("{file}:{}: {}", author.between(8, 240), call.text("text"))
    };
    let lines: Vec<_> = (0..author.between(1, 4)).map(|_| line(&mut author)).collect();
    Answer::Result(json!(lines.join("\n")))
}

fn edit_file(call: &Call<'_>) -> Answer {
    let lines = |name: &str| call.text(name).lines().count();
    let (path, added, removed) = (call.text("path"), lines("replace"), lines("find"));
    Answer::Result(json!({ "added": added, "path": path, "removed": removed }))
}

fn run_tests(call: &Call<'_>) -> Answer {
    let (mut author, filter) = (call.author(), call.text("filter"));
    if call.text("suite") == "nightly" {
        return Answer::Never;
    }
    if let Some(repeat) = call.number("repeat") {
        let failed = author.between(1, 3);
        return Answer::Failure(format!("exit code 101: {failed} of {repeat} runs failed, in `{filter}`"));
    }
    // With a test that was looked for first, the mending is right more often.
    let fails = author.chance(if filter.starts_with("regression::") { 20 } else { 45 });
    if filter.contains("issue_") && call.arguments.get("again").is_none() && fails {
        let (left, right) = (author.between(1, 60), author.between(61, 99));
        return Answer::Failure(format!(
            "exit code 101\n\ntest {filter} ... FAILED\n  left: {left}\n right: {right}\n\n1 failed"
        ));
    }
    let (passed, seconds) = (author.between(18, 240), author.between(2, 40));
    Answer::Result(json!(format!("test result: ok. {passed} passed; 0 failed; finished in {seconds} s")))
}

fn open_pull_request(call: &Call<'_>) -> Answer {
    let number = call.author().between(1_000, 9_999);
    let url = format!("https://git.example/shop/pull/{number}");
    Answer::Result(json!({ "number": number, "title": call.text("title"), "url": url }))
}
