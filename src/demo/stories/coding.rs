//! Somebody reports a bug, or has a release made.

use super::{Act, Story};
use crate::demo::{author::Author, world::code::BUGS};

pub(super) fn write(author: &mut Author) -> Story {
    let issue = author.between(100, 999);
    let user = author.pick(&["kai", "nadia", "oskar"]);
    let (title, acts) = match author.between(0, 9) {
        0..2 => flaky(author, issue),
        2..4 => release(author),
        _ => bug(author, issue),
    };
    Story { agent: "coder", title, user, acts }
}

fn bug(author: &mut Author, issue: u64) -> (String, Vec<Act>) {
    let bug = author.pick(&BUGS);
    let mut acts = vec![Act::Say(format!("#{issue}: {}. Can you look into {}?", bug.report, bug.file))];
    if author.chance(30) {
        acts.push(Act::Say("Why did no test catch it?".to_owned()));
    }
    if author.chance(30) {
        acts.push(Act::SayAndStop("Please run the nightly tests on it as well.".to_owned(), "run_tests"));
        acts.push(Act::Say("Never mind, leave them to the night.".to_owned()));
    }
    if author.chance(40) {
        acts.push(Act::Say(format!("Please add a line to the changelog about #{issue}.")));
    }
    (format!("Bug #{issue}: {}", bug.report), acts)
}

/// Nothing helps: the run goes as far as it may.
fn flaky(author: &mut Author, issue: u64) -> (String, Vec<Act>) {
    let test =
        author.pick(&["logs_in_twice", "survives_a_restart", "uploads_in_parallel", "keeps_the_order"]);
    let acts = vec![
        Act::Say(format!("#{issue}: the test `{test}` is flaky. Can you make it steady?")),
        Act::Say("Thank you for trying.".to_owned()),
    ];
    (format!("Flaky test #{issue}: {test}"), acts)
}

/// The tests of some parts at once, then what a release needs.
fn release(author: &mut Author) -> (String, Vec<Act>) {
    let version = format!("{}.{}", author.between(2, 4), author.between(0, 19));
    let mut steps: Vec<_> = ["core", "web", "cli"]
        .iter()
        .map(|part| (format!("Run the tests of crates/{part} for {version}"), vec![]))
        .collect();
    steps.push(("Read CHANGELOG.md".to_owned(), vec![]));
    steps.push((format!("Write the release notes of {version}"), vec![0, 1, 2, 3]));
    steps.push((format!("Open a pull request for {version}"), vec![4]));
    let acts = vec![Act::Plan(format!("Release {version}"), steps), Act::Say("Thank you.".to_owned())];
    (format!("Release {version}"), acts)
}
