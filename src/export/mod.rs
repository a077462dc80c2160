//! Tables written for others to read: JSON lines, CSV and Parquet.
//!
//! A [`Writer`] is given rows and hands out the bytes that are ready, so whoever sends them on decides how fast it
//! goes, and memory holds no more than some rows. It knows columns and values, not what they are of.

mod comma;
mod lines;
mod parquet;

use std::{fmt, io, str::FromStr};

use self::{comma::CommaWriter, lines::LineWriter, parquet::ParquetWriter};
use crate::{
    model::text::shortened,
    service::tables::{Column, Row},
};

/// How a table is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// A JSON object a line.
    JsonLines,
    /// RFC 4180, with a line of names.
    Csv,
    /// Apache Parquet.
    Parquet,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 3] = [Self::JsonLines, Self::Csv, Self::Parquet];

    /// What names of files end with.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::JsonLines => "jsonl",
            Self::Csv => "csv",
            Self::Parquet => "parquet",
        }
    }

    /// Its media type.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::JsonLines => "application/x-ndjson",
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Parquet => "application/vnd.apache.parquet",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.extension())
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|format| format.extension() == text).ok_or_else(|| {
            let known = Self::ALL.map(Self::extension).join(", ");
            format!("`{}` is not one of {known}", shortened(text, 60))
        })
    }
}

/// Writes a table.
pub struct Writer(Form);

enum Form {
    Lines(LineWriter),
    Comma(CommaWriter),
    Parquet(Box<ParquetWriter>),
}

impl Writer {
    /// Begins a table with these columns.
    ///
    /// # Errors
    /// When the columns cannot be written so.
    pub fn new(format: Format, columns: Vec<Column>) -> io::Result<Self> {
        Ok(Self(match format {
            Format::JsonLines => Form::Lines(LineWriter::new(columns)),
            Format::Csv => Form::Comma(CommaWriter::new(&columns)),
            Format::Parquet => Form::Parquet(Box::new(ParquetWriter::new(columns)?)),
        }))
    }

    /// Writes rows; answers the bytes that are ready, maybe none. It works for a while where there are many.
    ///
    /// # Errors
    /// When a row is not of the columns.
    pub fn write(&mut self, rows: Vec<Row>) -> io::Result<Vec<u8>> {
        match &mut self.0 {
            Form::Lines(writer) => writer.write(&rows),
            Form::Comma(writer) => writer.write(&rows),
            Form::Parquet(writer) => writer.write(rows),
        }
    }

    /// Ends the table; answers the last bytes. Nothing can be written behind it.
    ///
    /// # Errors
    /// As [`Writer::write`].
    pub fn finish(&mut self) -> io::Result<Vec<u8>> {
        match &mut self.0 {
            Form::Lines(_) => Ok(Vec::new()),
            Form::Comma(writer) => writer.finish(),
            Form::Parquet(writer) => writer.finish(),
        }
    }
}
