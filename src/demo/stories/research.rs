//! Somebody wants to know something, asks on, and may have a report made.

use super::{Act, Story};
use crate::demo::{
    author::Author,
    world::library::{REGIONS, TOPICS},
};

pub(super) fn write(author: &mut Author) -> Story {
    let (topic, region) = (author.pick(&TOPICS), author.pick(&REGIONS));
    let about = format!("{} in {region}", topic.name);
    let begin = author.pick(&["About", "Something about", "For the team, about", "I wonder about"]);
    let mut acts = vec![Act::Say(format!("{begin} {about}: {}", topic.question))];
    if author.chance(45) {
        acts.push(Act::Say(format!("What speaks against it, about {about}?")));
        if author.chance(50) {
            acts.push(Act::Compare);
        }
    }
    let more = [
        format!("How sure are you of what you say about {about}?"),
        format!("Which source about {about} is the newest?"),
        format!("Put this into one sentence for our newsletter: “{}”", topic.answer),
    ];
    acts.extend(more.into_iter().filter(|_| author.chance(55)).map(Act::Say));
    if author.chance(35) {
        acts.push(report(author, &about));
    }
    if author.chance(50) {
        acts.push(Act::Say("Thank you, that is all.".to_owned()));
    }
    Story {
        agent: "researcher",
        title: format!("Research: {about}"),
        user: author.pick(&["ines", "tomasz", "wei"]),
        acts,
    }
}

/// Three searches at once, then what comes of them.
fn report(author: &mut Author, about: &str) -> Act {
    let third = if author.chance(50) { "Ask the archive" } else { "Search for studies" };
    let steps = vec![
        (format!("Search for evidence about {about}"), vec![]),
        (format!("Search for criticism about {about}"), vec![]),
        (format!("{third} about {about}"), vec![]),
        ("Compare what was found".to_owned(), vec![0, 1, 2]),
        (format!("Write the report about {about}"), vec![3]),
    ];
    Act::Plan(format!("Report: {about}"), steps)
}
