//! Use cases of conversations, plans, components and scores, through the services.

mod bed;
mod conversations;
mod histories;
