//! Use cases of conversations, plans, components and scores, through the services.

mod bed;
mod branches;
mod components;
mod conversations;
mod deletion;
mod followers;
mod histories;
mod live;
mod scores;
