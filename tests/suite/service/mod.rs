//! Use cases of conversations, plans, components and scores, through the services.

mod bed;
mod components;
mod conversations;
mod histories;
mod scores;
