//! Tools of the support agent: orders, parcels, money.

use serde_json::json;

use super::{Answer, Call, Made};
use crate::demo::{
    author::Author,
    world::shop::{Order, Parcel, amount},
};

pub(super) const TOOLS: &[Made] = &[
    Made {
        name: "find_order",
        description: "Finds an order by its number.",
        takes: &[("order", "string", "The number: A-12345.")],
        needs: 1,
        answer: find_order,
    },
    Made {
        name: "track_parcel",
        description: "Says where the parcel of an order is.",
        takes: &[("order", "string", "The number of the order.")],
        needs: 1,
        answer: track_parcel,
    },
    Made {
        name: "refund",
        description: "Gives the money for an order back.",
        takes: &[
            ("order", "string", "The number of the order."),
            ("reason", "string", "Why."),
            ("attempt", "integer", "Which attempt it is, if it is not the first."),
        ],
        needs: 2,
        answer: refund,
    },
];

/// Above so many cents a person decides.
const MOST_REFUND: u64 = 5_000;

fn find_order(call: &Call<'_>) -> Answer {
    let number = call.text("order");
    let order = Order::of(call.seed, number);
    Answer::Result(json!({
        "days_late": order.days_late,
        "item": order.item,
        "order": number,
        "paid": amount(order.paid),
        "state": order.parcel.state(),
    }))
}

fn track_parcel(call: &Call<'_>) -> Answer {
    let number = call.text("order");
    let order = Order::of(call.seed, number);
    let note = match order.parcel {
        Parcel::OnItsWay => "left the sorting centre this morning",
        Parcel::Lost => "arrived and never left",
        Parcel::Delivered => "handed to a neighbour",
    };
    Answer::Result(
        json!({ "note": note, "order": number, "place": order.place, "state": order.parcel.state() }),
    )
}

fn refund(call: &Call<'_>) -> Answer {
    let number = call.text("order");
    let order = Order::of(call.seed, number);
    if order.paid > MOST_REFUND {
        let paid = amount(order.paid);
        return Answer::Failure(format!("{paid} for {number} is above 50.00: a person has to decide"));
    }
    let mut author = Author::about(call.seed, &format!("refund {number}"));
    let (stumbles, is_closed) = (author.chance(35), author.chance(30));
    match call.number("attempt") {
        None if stumbles => Answer::Failure("503 from the payment service".to_owned()),
        Some(_) if is_closed => Answer::Failure("the customer's account is closed".to_owned()),
        _ => {
            let reference = format!("R-{}", author.between(100_000, 999_999));
            Answer::Result(json!({ "amount": amount(order.paid), "order": number, "reference": reference }))
        }
    }
}
