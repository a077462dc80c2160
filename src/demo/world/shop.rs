//! A shop: its orders, each made up from its number.

use crate::demo::author::Author;

/// An order.
pub(in crate::demo) struct Order {
    pub item: &'static str,
    /// What was paid for it, in cents.
    pub paid: u64,
    pub days_late: u64,
    pub parcel: Parcel,
    /// Where the parcel was last seen.
    pub place: &'static str,
}

/// Where a parcel is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::demo) enum Parcel {
    OnItsWay,
    Lost,
    Delivered,
}

impl Parcel {
    pub(in crate::demo) const fn state(self) -> &'static str {
        match self {
            Self::OnItsWay => "on its way",
            Self::Lost => "lost",
            Self::Delivered => "delivered",
        }
    }
}

/// What is sold: the thing, and its price in cents.
const ITEMS: [(&str, u64); 8] = [
    ("a kettle", 3_490),
    ("two reading lamps", 4_780),
    ("a rain jacket", 8_900),
    ("a bread knife", 2_450),
    ("a folding desk", 12_900),
    ("a set of bowls", 3_990),
    ("a bicycle pump", 1_895),
    ("three notebooks", 1_350),
];

const PLACES: [&str; 6] = ["Leipzig", "Lyon", "Graz", "Gdansk", "Utrecht", "Malmö"];

impl Order {
    /// The order of a number.
    pub(in crate::demo) fn of(seed: u64, number: &str) -> Self {
        let mut author = Author::about(seed, &format!("order {number}"));
        let (item, paid) = author.pick(&ITEMS);
        let parcel = match author.between(0, 9) {
            0..4 => Parcel::Lost,
            4..7 => Parcel::Delivered,
            _ => Parcel::OnItsWay,
        };
        let days_late = if parcel == Parcel::Lost { author.between(8, 20) } else { author.between(1, 5) };
        Self { item, paid, days_late, parcel, place: author.pick(&PLACES) }
    }
}

/// Cents as an amount.
pub(in crate::demo) fn amount(cents: u64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}
