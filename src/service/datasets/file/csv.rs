//! Items as comma-separated values (RFC 4180): columns `input`, `expected` and `itemId`, all others into the metadata.

use std::{
    io::{self, BufRead, Read},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use csv::{ErrorKind, Reader, ReaderBuilder, StringRecord};
use serde_json::{Map, Value};

use super::{FileItem, item_id};
use crate::{
    model::{
        Json, Refusal,
        dataset::{ItemContent, NewItem},
    },
    service::{datasets::Placed, import::MAX_RECORD_BYTES},
};

/// Reads the rows of a file whose first line names the columns.
pub(super) fn read(input: Box<dyn BufRead + Send>) -> Result<impl Iterator<Item = FileItem>, Refusal> {
    let left = Arc::new(AtomicUsize::new(MAX_RECORD_BYTES));
    let bounded = Bounded { input, left: Arc::clone(&left) };
    let mut reader = ReaderBuilder::new().from_reader(bounded);
    let wrong = |why: String| Refusal::invalid("line 1", why);
    let names = reader.headers().map_err(|error| wrong(error.to_string()))?;
    let mut names: Vec<_> = names.iter().map(|name| name.trim_start_matches('\u{feff}').to_owned()).collect();
    if !names.iter().any(|name| name == "input") {
        return Err(wrong(format!("names no column `input`; it names: {}", names.join(", "))));
    }
    for (index, name) in names.iter().enumerate() {
        if names.iter().take(index).any(|before| before == name) {
            return Err(wrong(format!("names two columns `{name}`")));
        }
    }
    // A column without a name has nothing to be kept under.
    names.iter_mut().enumerate().filter(|(_, name)| name.is_empty()).for_each(|(index, name)| {
        *name = format!("column {}", index + 1);
    });
    Ok(Rows { reader, names, left, is_over: false })
}

struct Rows {
    reader: Reader<Bounded>,
    names: Vec<String>,
    left: Arc<AtomicUsize>,
    is_over: bool,
}

impl Iterator for Rows {
    type Item = FileItem;

    fn next(&mut self) -> Option<FileItem> {
        if self.is_over {
            return None;
        }
        self.left.store(MAX_RECORD_BYTES, Ordering::Relaxed);
        let (mut row, line) = (StringRecord::new(), self.reader.position().line());
        let value = match self.reader.read_record(&mut row) {
            Ok(false) => return None,
            Ok(true) => self.item(&row),
            Err(error) => {
                self.is_over = matches!(error.kind(), ErrorKind::Io(_));
                Err(Refusal::invalid("row", told(error.kind())))
            }
        };
        let line = row.position().map_or(line, csv::Position::line);
        Some(Placed { place: format!("line {line}"), value })
    }
}

impl Rows {
    fn item(&self, row: &StringRecord) -> Result<NewItem, Refusal> {
        let (mut content, mut id) = (ItemContent::texts("", None), None);
        let mut metadata = Map::new();
        for (name, value) in self.names.iter().zip(row) {
            match name.as_str() {
                "input" => content.input = Json::string(value),
                "expected" => content.expected = (!value.is_empty()).then(|| Json::string(value)),
                _ if value.is_empty() => {}
                "itemId" => id = Some(item_id(value)?),
                _ => drop(metadata.insert(name.clone(), Value::from(value))),
            }
        }
        content.metadata = Json::of(&Value::Object(metadata));
        Ok(NewItem { id, content, source: None })
    }
}

fn told(error: &ErrorKind) -> String {
    match error {
        ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("has {len} values, and the first line names {expected_len} columns")
        }
        ErrorKind::Utf8 { err, .. } => format!("is not UTF-8: {err}"),
        ErrorKind::Io(error) => format!("cannot be read further: {error}"),
        other => format!("cannot be read: {other:?}"),
    }
}

/// Reads no more than a bound for one record: a quote that is never closed would else take in the whole file.
struct Bounded {
    input: Box<dyn BufRead + Send>,
    left: Arc<AtomicUsize>,
}

impl Read for Bounded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.left.load(Ordering::Relaxed);
        if left == 0 {
            let message = format!("longer than {} MiB, which a row may not be", MAX_RECORD_BYTES >> 20);
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        let most = buffer.len().min(left);
        let read = self.input.read(buffer.get_mut(..most).unwrap_or_default())?;
        self.left.store(left.saturating_sub(read), Ordering::Relaxed);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(text: &'static str) -> Vec<(String, Result<NewItem, String>)> {
        let items = read(Box::new(text.as_bytes())).unwrap();
        items.map(|it| (it.place, it.value.map_err(|refusal| refusal.to_string()))).collect()
    }

    #[test]
    fn columns_have_their_places_and_others_are_metadata() {
        let text = "\u{feff}input,expected,topic\n\"a, \"\"b\"\"\nc\",,x\nd,e,\n";
        let items = read_all(text);
        let [(first, Ok(a)), (second, Ok(b))] = items.as_slice() else { panic!("{items:?}") };
        assert_eq!((first.as_str(), second.as_str()), ("line 2", "line 4"));
        assert_eq!(a.content.input.read::<String>().unwrap(), "a, \"b\"\nc");
        assert_eq!((&a.content.expected, a.content.metadata.text()), (&None, "{\"topic\":\"x\"}"));
        assert_eq!((b.content.expected.as_ref().unwrap().text(), b.content.metadata.text()), ("\"e\"", "{}"));
    }

    #[test]
    fn a_ragged_row_costs_only_itself() {
        let items = read_all("input,expected\na,b\nc\nd,e,f\ng,h\n");
        let told: Vec<_> = items.iter().map(|(place, item)| (place.as_str(), item.is_ok())).collect();
        assert_eq!(told, [("line 2", true), ("line 3", false), ("line 4", false), ("line 5", true)]);
        assert_eq!(items[1].1.as_ref().unwrap_err(), "row: has 1 values, and the first line names 2 columns");
    }

    #[test]
    fn a_file_without_an_input_is_refused() {
        for bad in ["question,answer\na,b\n", "", "input,input\na,b\n"] {
            let refused = read(Box::new(bad.as_bytes())).map(drop).unwrap_err();
            assert_eq!(refused.field(), Some("line 1"), "{bad}");
        }
    }
}
