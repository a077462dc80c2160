//! A process is killed in the middle of writing, over and over: whatever it had been told is durable is
//! there, the database is sound, and who follows goes on without gap or repeat.
//!
//! A round starts this very test binary again, as a process that only writes ([`child`]) and says on its
//! standard output what was acknowledged ([`book`]); [`kill`] kills it and looks at what is left.
//! `DENDRO_KILL_ROUNDS=100` has more rounds than usual.

mod book;
mod child;
mod kill;
mod said;
