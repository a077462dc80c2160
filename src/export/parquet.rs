//! Parquet: columns of many rows together, packed by zstd. Rows are gathered until a group of them is worth writing;
//! then the group's bytes are ready, and the list of all groups comes at the end.

use std::{io, sync::Arc};

use parquet::{
    basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical, ZstdLevel},
    data_type::{
        BoolType, ByteArray, ByteArrayType, DataType, DoubleType, FixedLenByteArray, FixedLenByteArrayType,
        Int64Type,
    },
    errors::ParquetError,
    file::{
        properties::WriterProperties,
        writer::{SerializedColumnWriter, SerializedFileWriter},
    },
    schema::types::Type,
};

use crate::{
    model::ledger::NanoUsd,
    service::tables::{Column, Kind, Row, Value},
};

/// Rows of a group: as many as readers like to take at a time.
const GROUP_ROWS: usize = 20_000;

/// Bytes of a group before they are packed: what memory holds of a table.
const GROUP_BYTES: usize = 32 << 20;

/// Digits of an amount of money: 64 bits of billionths of a dollar have no more.
const MONEY_DIGITS: i32 = 19;

/// Of them, those behind the point.
const MONEY_SCALE: i32 = 9;

/// Bytes that hold so many digits.
const MONEY_BYTES: i32 = 9;

pub(super) struct ParquetWriter {
    file: SerializedFileWriter<Vec<u8>>,
    columns: Vec<Column>,
    waiting: Vec<Row>,
    waiting_bytes: usize,
}

impl ParquetWriter {
    pub(super) fn new(columns: Vec<Column>) -> io::Result<Self> {
        let fields = columns.iter().map(field).collect::<Result<_, _>>().map_err(failed)?;
        let schema = Type::group_type_builder("schema").with_fields(fields).build().map_err(failed)?;
        let level = ZstdLevel::try_new(1).map_err(failed)?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(level))
            .set_created_by(concat!("dendro ", env!("CARGO_PKG_VERSION")).to_owned())
            .build();
        let file = SerializedFileWriter::new(Vec::new(), Arc::new(schema), Arc::new(properties));
        Ok(Self { file: file.map_err(failed)?, columns, waiting: Vec::new(), waiting_bytes: 0 })
    }

    pub(super) fn write(&mut self, rows: Vec<Row>) -> io::Result<Vec<u8>> {
        for row in rows {
            self.waiting_bytes += row.iter().map(Value::size).sum::<usize>();
            self.waiting.push(row);
            if self.waiting.len() >= GROUP_ROWS || self.waiting_bytes >= GROUP_BYTES {
                self.write_group()?;
            }
        }
        self.file.flush()?;
        Ok(std::mem::take(self.file.inner_mut()))
    }

    pub(super) fn finish(&mut self) -> io::Result<Vec<u8>> {
        if !self.waiting.is_empty() {
            self.write_group()?;
        }
        self.file.finish().map_err(failed)?;
        Ok(std::mem::take(self.file.inner_mut()))
    }

    fn write_group(&mut self) -> io::Result<()> {
        let rows = std::mem::take(&mut self.waiting);
        self.waiting_bytes = 0;
        let mut group = self.file.next_row_group().map_err(failed)?;
        for (index, column) in self.columns.iter().enumerate() {
            let writer = group.next_column().map_err(failed)?;
            let writer = writer.ok_or_else(|| io::Error::other("a column is not in the schema"))?;
            let values = rows.iter().map(|row| row.get(index).unwrap_or(&Value::Null));
            write_column(writer, column.kind, values).map_err(failed)?;
        }
        group.close().map_err(failed)?;
        Ok(())
    }
}

fn failed(error: ParquetError) -> io::Error {
    io::Error::other(error)
}

/// A column in the schema. Every value may be missing.
fn field(column: &Column) -> Result<Arc<Type>, ParquetError> {
    let (physical, logical) = match column.kind {
        Kind::Text | Kind::Json => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        Kind::Integer => (Physical::INT64, None),
        Kind::Number => (Physical::DOUBLE, None),
        Kind::Boolean => (Physical::BOOLEAN, None),
        Kind::Time => (Physical::INT64, Some(LogicalType::timestamp(true, TimeUnit::NANOS))),
        Kind::Money => {
            (Physical::FIXED_LEN_BYTE_ARRAY, Some(LogicalType::decimal(MONEY_SCALE, MONEY_DIGITS)))
        }
    };
    let mut field = Type::primitive_type_builder(column.name, physical)
        .with_repetition(Repetition::OPTIONAL)
        .with_logical_type(logical);
    if column.kind == Kind::Money {
        field = field.with_length(MONEY_BYTES).with_precision(MONEY_DIGITS).with_scale(MONEY_SCALE);
    }
    field.build().map(Arc::new)
}

fn write_column<'a>(
    writer: SerializedColumnWriter<'_>,
    kind: Kind,
    values: impl Iterator<Item = &'a Value>,
) -> Result<(), ParquetError> {
    match kind {
        Kind::Text | Kind::Json => write_values::<ByteArrayType>(writer, values, |value| match value {
            Value::Text(text) => Some(ByteArray::from(text.as_bytes().to_vec())),
            Value::Json(json) => Some(ByteArray::from(json.clone().into_bytes())),
            _ => None,
        }),
        Kind::Integer | Kind::Time => write_values::<Int64Type>(writer, values, |value| match value {
            Value::Integer(number) => Some(*number),
            Value::Time(time) => Some(time.nanos()),
            _ => None,
        }),
        Kind::Number => write_values::<DoubleType>(writer, values, |value| match value {
            Value::Number(number) => Some(*number),
            _ => None,
        }),
        Kind::Boolean => write_values::<BoolType>(writer, values, |value| match value {
            Value::Boolean(boolean) => Some(*boolean),
            _ => None,
        }),
        Kind::Money => write_values::<FixedLenByteArrayType>(writer, values, |value| match value {
            Value::Money(money) => Some(decimal(*money)),
            _ => None,
        }),
    }
}

/// Writes the values that are there, and of each whether it is.
fn write_values<'a, T: DataType>(
    mut writer: SerializedColumnWriter<'_>,
    values: impl Iterator<Item = &'a Value>,
    read: impl Fn(&Value) -> Option<T::T>,
) -> Result<(), ParquetError> {
    let (mut there, mut levels) = (Vec::new(), Vec::new());
    for value in values {
        let value = read(value);
        levels.push(i16::from(value.is_some()));
        there.extend(value);
    }
    writer.typed::<T>().write_batch(&there, Some(&levels), None)?;
    writer.close()
}

/// Money as the format has decimals: two's complement, the most significant byte first.
fn decimal(money: NanoUsd) -> FixedLenByteArray {
    let wide = i128::from(money.nanos()).to_be_bytes();
    let skipped = wide.len().saturating_sub(usize::try_from(MONEY_BYTES).unwrap_or(0));
    FixedLenByteArray::from(wide.get(skipped..).unwrap_or_default().to_vec())
}
