//! Items as JSON: an object with `input`, and perhaps `expected`, `metadata` and `itemId`, or a text, which is an input.
//! Other members go into the metadata.

use std::io::BufRead;

use serde_json::{Map, Value};

use super::{FileItem, item_id};
use crate::{
    model::{
        Json, Refusal,
        dataset::{ItemContent, NewItem},
    },
    service::{
        datasets::Placed,
        import::{Damage, Record, Splitter},
    },
};

pub(super) fn read(name: &str, input: Box<dyn BufRead + Send>) -> impl Iterator<Item = FileItem> + use<> {
    Splitter::new(name, input).map(|record| match record {
        Ok(Record { line, bytes, .. }) => Placed { place: format!("line {line}"), value: item(&bytes) },
        Err(Damage { line, message, .. }) => {
            Placed { place: format!("line {line}"), value: Err(Refusal::invalid("record", message)) }
        }
    })
}

fn item(bytes: &[u8]) -> Result<NewItem, Refusal> {
    let broken = |why: String| Refusal::invalid("record", why);
    let text = std::str::from_utf8(bytes).map_err(|error| broken(error.to_string()))?;
    let json = Json::parse(text).map_err(|error| broken(error.to_string()))?;
    if !json.is_object() {
        return match json.read::<String>() {
            Ok(text) => Ok(NewItem { id: None, content: ItemContent::texts(&text, None), source: None }),
            Err(_) => Err(broken("is neither an object with `input` nor a text".to_owned())),
        };
    }
    let member = |name: &str| json.member(name).filter(|text| *text != "null").map(json_of).transpose();
    let input = member("input")?.ok_or_else(|| Refusal::invalid("input", "is missing"))?;
    let content = ItemContent { input, expected: member("expected")?, metadata: metadata(&json)? };
    let id = json.member("itemId").filter(|text| *text != "null");
    let id = id.map(|text| serde_json::from_str::<String>(text).unwrap_or_else(|_| text.to_owned()));
    Ok(NewItem { id: id.as_deref().map(item_id).transpose()?, content, source: None })
}

fn json_of(text: &str) -> Result<Json, Refusal> {
    Json::parse(text).map_err(|error| Refusal::invalid("record", error.to_string()))
}

/// The metadata as it is written, with all members of the record that have no meaning of their own.
fn metadata(record: &Json) -> Result<Json, Refusal> {
    const OWN: [&str; 4] = ["itemId", "input", "expected", "metadata"];
    let members: Map<String, Value> =
        record.read().map_err(|error| Refusal::invalid("record", error.to_string()))?;
    let mut others: Map<String, Value> =
        members.into_iter().filter(|(name, _)| !OWN.contains(&name.as_str())).collect();
    let given = record.member("metadata").filter(|text| *text != "null").map(json_of).transpose()?;
    if others.is_empty() {
        return Ok(given.unwrap_or_default());
    }
    if let Some(given) = given {
        let given = given.read::<Map<String, Value>>();
        for (name, value) in given.map_err(|_| Refusal::invalid("metadata", "must be a JSON object"))? {
            if others.contains_key(&name) {
                let message = format!("`{name}` stands beside it too");
                return Err(Refusal::invalid("metadata", message));
            }
            others.insert(name, value);
        }
    }
    Ok(Json::of(&Value::Object(others)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(name: &str, text: &'static str) -> Vec<(String, Result<NewItem, String>)> {
        let items = read(name, Box::new(text.as_bytes()));
        items.map(|it| (it.place, it.value.map_err(|refusal| refusal.to_string()))).collect()
    }

    #[test]
    fn lines_and_lists_are_read_alike() {
        let lines = "{\"input\": \"a\", \"expected\": 1.50, \"topic\": \"x\"}\n\"b\"\n";
        let list = "[{\"input\": \"a\", \"expected\": 1.50, \"topic\": \"x\"},\n\"b\"]";
        for text in [lines, list] {
            let items = read_all("items", text);
            let [(first, Ok(a)), (second, Ok(b))] = items.as_slice() else { panic!("{items:?}") };
            assert_eq!((first.as_str(), second.as_str()), ("line 1", "line 2"));
            assert_eq!(a.content.expected.as_ref().unwrap().text(), "1.50");
            assert_eq!(a.content.metadata.text(), "{\"topic\":\"x\"}");
            assert_eq!(b.content.input.text(), "\"b\"");
        }
    }

    #[test]
    fn what_is_damaged_costs_only_itself() {
        let items = read_all(
            "items.jsonl",
            "{\"input\": \n{\"expected\": 1}\n7\n{\"input\":\"a\",\"itemId\":\"x\"}\n\"good\"\n",
        );
        let told: Vec<_> = items.iter().map(|(place, item)| (place.as_str(), item.is_ok())).collect();
        assert_eq!(
            told,
            [("line 1", false), ("line 2", false), ("line 3", false), ("line 4", false), ("line 5", true)]
        );
        assert_eq!(items[1].1.as_ref().unwrap_err(), "input: is missing");
        assert!(items[3].1.as_ref().unwrap_err().contains("not a UUID"));
    }
}
