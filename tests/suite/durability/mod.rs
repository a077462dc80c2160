//! A process is killed in the middle of writing, over and over: whatever it had been told is durable is
//! there, the database is sound, and who follows goes on without gap or repeat.
//!
//! In a round of [`kill`], this very test binary is started again, as a process that only writes
//! ([`child`]) and says on its standard output what was acknowledged ([`book`]). In a round of [`ingest`],
//! the server is started as it is run, and exporters of OpenTelemetry ([`exporter`]) send to it what they
//! have to tell ([`reports`]). `DENDRO_KILL_ROUNDS=100` has more rounds than usual of both. What a server does
//! behind an acknowledgement is killed as well: following traces ([`followed`]), judging them ([`judged`]), plans
//! and experiments that agents carry out.

mod book;
mod child;
mod experiments;
mod exporter;
mod followed;
mod ingest;
mod judged;
mod kill;
mod place;
mod plans;
mod reports;
mod said;
mod told;
