//! A customer whose order has not come.

use super::{Act, Story};
use crate::demo::{
    author::Author,
    world::shop::{Order, Parcel},
};

pub(super) fn write(author: &mut Author, seed: u64) -> Story {
    let number = format!("A-{}", author.between(10_000, 99_999));
    let order = Order::of(seed, &number);
    let item = order.item;
    let mut acts = vec![Act::Say(match author.between(0, 2) {
        0 => format!("Order {number}, {item}: it should have been here days ago. Where is it?"),
        1 => format!("Hello, I ordered {item} ({number}) and it has not come."),
        _ => format!("Can you tell me where {number} is? It is {item}."),
    })];
    if author.chance(25) {
        acts.push(Act::Compare);
    }
    acts.extend(asks_on(author, &number, order.parcel).into_iter().map(Act::Say));
    if author.chance(30) {
        acts.push(Act::Compare);
    }
    if author.chance(50) {
        acts.push(Act::Say("What happens next?".to_owned()));
    }
    if author.chance(40) {
        acts.push(Act::Say("Thank you.".to_owned()));
    }
    Story {
        agent: "support",
        title: format!("Order {number}: {item}"),
        user: author.pick(&["amira", "jonas", "lucia", "pavel"]),
        acts,
    }
}

fn asks_on(author: &mut Author, number: &str, parcel: Parcel) -> Vec<String> {
    let mut said = Vec::new();
    if author.chance(12) {
        said.push(format!("I paid {number} with card 4111 1111 1111 1111, give it back to that one."));
    }
    said.push(match parcel {
        Parcel::Lost if author.chance(25) => "Please send it again.".to_owned(),
        Parcel::Lost => format!("Then I would like my money back for {number}, please."),
        Parcel::Delivered => format!("Nobody here has it. Can I have my money back for {number}?"),
        Parcel::OnItsWay if author.chance(50) => format!("Can I still change the address of {number}?"),
        Parcel::OnItsWay => format!("I do not want it any more. Can I have my money back for {number}?"),
    });
    said
}
