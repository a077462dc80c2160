//! What there is to be found, for those who ask and for the tools alike: pages, orders, code. All of it is
//! made up, and addresses are of hosts that cannot be.

pub(super) mod code;
pub(super) mod library;
pub(super) mod shop;
