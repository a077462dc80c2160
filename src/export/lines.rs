//! JSON lines: an object a row, with a member for every column. JSON stands in it as it is, money and moments as texts,
//! so that no reader rounds them.

use std::io;

use serde_json::to_writer;

use crate::{
    model::Json,
    service::tables::{Column, Row, Value},
};

pub(super) struct LineWriter {
    columns: Vec<Column>,
}

impl LineWriter {
    pub(super) const fn new(columns: Vec<Column>) -> Self {
        Self { columns }
    }

    pub(super) fn write(&self, rows: &[Row]) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        for row in rows {
            for (index, (column, value)) in self.columns.iter().zip(row).enumerate() {
                out.push(if index == 0 { b'{' } else { b',' });
                to_writer(&mut out, column.name)?;
                out.push(b':');
                write_value(&mut out, value)?;
            }
            out.extend_from_slice(b"}\n");
        }
        Ok(out)
    }
}

fn write_value(out: &mut Vec<u8>, value: &Value) -> io::Result<()> {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Text(text) => to_writer(out, text)?,
        Value::Json(json) => write_json(out, json),
        Value::Integer(number) => to_writer(out, number)?,
        Value::Number(number) => to_writer(out, number)?,
        Value::Boolean(boolean) => to_writer(out, boolean)?,
        Value::Time(time) => to_writer(out, &time.to_string())?,
        Value::Money(money) => to_writer(out, &money.to_string())?,
    }
    Ok(())
}

/// JSON as it was sent, in one line: between its values a line end is a space like others, and in texts it is written
/// as `\n`.
fn write_json(out: &mut Vec<u8>, json: &Json) {
    out.extend(json.text().bytes().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { byte }));
}
