//! OTLP from files: requests as the OpenTelemetry Collector's file exporter writes them, as `dendro export`
//! does, or one as it was sent. They take the same way as those that come through a door.
//!
//! | form | layout |
//! |---|---|
//! | JSON | a request, lines of them, or a list |
//! | protobuf | a request, or requests each behind its length: four bytes, the most significant first |
//! | either, packed with zstd one by one | requests each behind its length |
//!
//! A file of the first two may be packed as a whole, with gzip or zstd.
//!
//! Traces and logs may stand side by side. This module must not know where files lie or what a terminal is.

mod detect;
mod frames;
mod reader;
mod run;

pub use self::{
    detect::{Form, detect},
    reader::{Item, Reader},
    run::{Importer, Progress, Report, run},
};
