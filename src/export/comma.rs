//! CSV as RFC 4180 has it. What is missing is an empty field, as an empty text is. Texts are written as they are, those
//! too that a spreadsheet would take for a formula: whoever opens the file there is told so in the docs.

use std::{borrow::Cow, io};

use crate::service::tables::{Column, Row, Value};

pub(super) struct CommaWriter {
    /// The line of names, until it is written.
    names: Vec<&'static str>,
}

impl CommaWriter {
    pub(super) fn new(columns: &[Column]) -> Self {
        Self { names: columns.iter().map(|column| column.name).collect() }
    }

    pub(super) fn write(&mut self, rows: &[Row]) -> io::Result<Vec<u8>> {
        let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
        let names = std::mem::take(&mut self.names);
        if !names.is_empty() {
            writer.write_record(names)?;
        }
        for row in rows {
            for value in row {
                writer.write_field(text(value).as_bytes())?;
            }
            writer.write_record(None::<&[u8]>)?;
        }
        writer.into_inner().map_err(csv::IntoInnerError::into_error)
    }

    /// A table without rows has its names too.
    pub(super) fn finish(&mut self) -> io::Result<Vec<u8>> {
        self.write(&[])
    }
}

fn text(value: &Value) -> Cow<'_, str> {
    match value {
        Value::Null => "".into(),
        Value::Text(text) => text.into(),
        Value::Json(json) => json.text().into(),
        Value::Integer(number) => number.to_string().into(),
        Value::Number(number) => serde_json::Value::from(*number).to_string().into(),
        Value::Boolean(boolean) => boolean.to_string().into(),
        Value::Time(time) => time.to_string().into(),
        Value::Money(money) => money.to_string().into(),
    }
}
