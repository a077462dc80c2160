//! Reads a table from its file. What is wrong is told with the entry and the field that it is in.

use chrono::{NaiveDate, NaiveTime};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    PriceError,
    clause::{Clause, WrittenClause},
    rates::{CALL_DIGITS, DatedRates, Price, PriceHistory, Rates, TOKEN_DIGITS, Tier, decimal},
    search::{Catalogue, Model, Provider},
    seller::plain,
};
use crate::model::Timestamp;

#[derive(Deserialize)]
struct WrittenTable<'a> {
    source: String,
    version: String,
    date: String,
    #[serde(borrow)]
    providers: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenProvider<'a> {
    id: String,
    r#match: Option<WrittenClause>,
    makes: Option<WrittenClause>,
    #[serde(default)]
    fallback: Vec<String>,
    #[serde(borrow)]
    models: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenModel<'a> {
    id: String,
    r#match: Option<WrittenClause>,
    #[serde(borrow)]
    prices: &'a RawValue,
}

/// Numbers stay as they are written, so that they can be read exactly.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenRates<'a> {
    from: Option<String>,
    #[serde(borrow)]
    input: Option<&'a RawValue>,
    output: Option<&'a RawValue>,
    cache_read: Option<&'a RawValue>,
    cache_write: Option<&'a RawValue>,
    reasoning: Option<&'a RawValue>,
    call: Option<&'a RawValue>,
    audio_input: Option<&'a RawValue>,
    audio_output: Option<&'a RawValue>,
    audio_cache_read: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenTier<'a> {
    above: u64,
    #[serde(borrow)]
    price: &'a RawValue,
}

/// What is wrong within an entry: in which field, and how.
struct Fault {
    field: String,
    reason: String,
}

/// The table's name for itself, and its entries.
pub(super) fn read(text: &str) -> Result<(String, Catalogue), PriceError> {
    let written: WrittenTable<'_> = serde_json::from_str(text)
        .map_err(|error| PriceError { place: "the file".to_owned(), reason: error.to_string() })?;
    let version = format!("{} {} {}", written.source, written.version, written.date);
    let providers = written.providers.iter().enumerate().map(|(number, raw)| {
        parse::<WrittenProvider<'_>>(raw).map_err(|reason| Fault::new("", reason).of(&entry(raw, number)))
    });
    let written: Vec<_> = providers.collect::<Result<_, _>>()?;
    let ids: Vec<_> = written.iter().map(|provider| provider.id.clone()).collect();
    let providers = written.into_iter().map(|provider| read_provider(provider, &ids));
    Ok((version, Catalogue { providers: providers.collect::<Result<_, _>>()? }))
}

fn read_provider(written: WrittenProvider<'_>, ids: &[String]) -> Result<Provider, PriceError> {
    let id = written.id;
    if ids.iter().filter(|known| **known == id).count() > 1 {
        return Err(Fault::new("id", "another provider has it as well").of(&id));
    }
    let names = written.r#match.map(|names| read_clause(names, "match")).transpose();
    let makes = written.makes.map(|makes| read_clause(makes, "makes")).transpose();
    let fallback = written.fallback.iter().map(|other| {
        let place = ids.iter().position(|known| known == other);
        place.ok_or_else(|| Fault::new("fallback", format!("there is no provider `{other}`")))
    });
    let models = written.models.iter().enumerate().map(|(number, raw)| {
        read_model(raw).map_err(|fault| fault.of(&format!("{id}/{}", entry(raw, number))))
    });
    Ok(Provider {
        names: names.map_err(|fault| fault.of(&id))?,
        makes: makes.map_err(|fault| fault.of(&id))?,
        fallback: fallback.collect::<Result<_, _>>().map_err(|fault| fault.of(&id))?,
        models: models.collect::<Result<_, _>>()?,
        plain_id: plain(&id).into(),
    })
}

fn read_clause(written: WrittenClause, field: &str) -> Result<Clause, Fault> {
    Clause::new(written).map_err(|reason| Fault::new(field, reason))
}

fn read_model(raw: &RawValue) -> Result<Model, Fault> {
    let written: WrittenModel<'_> = parse(raw).map_err(|reason| Fault::new("", reason))?;
    let names = match written.r#match {
        Some(names) => read_clause(names, "match")?,
        None => Clause::exactly(&written.id),
    };
    Ok(Model { names, prices: read_history(written.prices)? })
}

fn read_history(raw: &RawValue) -> Result<PriceHistory, Fault> {
    if !is_list(raw) {
        return Ok([read_rates(raw, "prices")?].into());
    }
    let entries: Vec<&RawValue> = parse(raw).map_err(|reason| Fault::new("prices", reason))?;
    if entries.is_empty() {
        return Err(Fault::new("prices", "is empty: a model whose prices nobody knows has `{}`"));
    }
    let entries = entries.iter().enumerate();
    entries.map(|(number, raw)| read_rates(raw, &format!("prices.{number}"))).collect()
}

fn read_rates(raw: &RawValue, field: &str) -> Result<DatedRates, Fault> {
    let written: WrittenRates<'_> = parse(raw).map_err(|reason| Fault::new(field, reason))?;
    let inside = |kind: &str, reason: String| Fault::new(&format!("{field}.{kind}"), reason);
    let price = |raw: Option<&RawValue>, kind: &str| {
        raw.map(|raw| read_price(raw).map_err(|reason| inside(kind, reason))).transpose()
    };
    price(written.audio_input, "audio_input")?;
    price(written.audio_output, "audio_output")?;
    price(written.audio_cache_read, "audio_cache_read")?;
    let call = written.call.map(|raw| decimal(raw.get(), CALL_DIGITS)).transpose();
    let rates = Rates {
        input: price(written.input, "input")?,
        output: price(written.output, "output")?,
        cache_read: price(written.cache_read, "cache_read")?,
        cache_write: price(written.cache_write, "cache_write")?,
        reasoning: price(written.reasoning, "reasoning")?,
        call: call.map_err(|reason| inside("call", reason))?.unwrap_or_default(),
    };
    let from = written.from.map(|day| read_day(&day).map_err(|reason| inside("from", reason))).transpose()?;
    Ok(DatedRates { from, rates })
}

fn read_price(raw: &RawValue) -> Result<Price, String> {
    if !is_list(raw) {
        return Ok(Price { base: decimal(raw.get(), TOKEN_DIGITS)?, tiers: Box::default() });
    }
    let parts: Vec<&RawValue> = parse(raw)?;
    let Some((base, tiers)) = parts.split_first() else {
        return Err("is empty: a price by size begins with a number".to_owned());
    };
    let tiers = tiers.iter().map(|raw| {
        let tier: WrittenTier<'_> = parse(raw)?;
        Ok(Tier { above: tier.above, price: decimal(tier.price.get(), TOKEN_DIGITS)? })
    });
    let tiers: Box<[Tier]> = tiers.collect::<Result<_, String>>()?;
    if !tiers.is_sorted_by(|tier, next| tier.above < next.above) {
        return Err("`above` does not rise".to_owned());
    }
    Ok(Price { base: decimal(base.get(), TOKEN_DIGITS)?, tiers })
}

/// The moment in which a day begins, in UTC.
fn read_day(day: &str) -> Result<Timestamp, String> {
    let date = NaiveDate::parse_from_str(day, "%Y-%m-%d").ok();
    let moment = date.and_then(|date| Timestamp::from_date(date.and_time(NaiveTime::MIN).and_utc()));
    moment.ok_or_else(|| format!("`{day}` is not a day like 2026-03-13"))
}

fn is_list(raw: &RawValue) -> bool {
    raw.get().starts_with('[')
}

/// What an entry calls itself, or else which one it is.
fn entry(raw: &RawValue, number: usize) -> String {
    #[derive(Deserialize)]
    struct Named {
        id: String,
    }
    serde_json::from_str(raw.get()).map_or_else(|_| format!("entry {}", number + 1), |Named { id }| id)
}

/// Reads a piece of the file. What is wrong is told without its line, which counts from where the piece
/// begins.
fn parse<'a, T: Deserialize<'a>>(raw: &'a RawValue) -> Result<T, String> {
    serde_json::from_str(raw.get()).map_err(|error| {
        let reason = error.to_string();
        reason.split(" at line ").next().unwrap_or(&reason).to_owned()
    })
}

impl Fault {
    fn new(field: &str, reason: impl Into<String>) -> Self {
        Self { field: field.to_owned(), reason: reason.into() }
    }

    fn of(self, entry: &str) -> PriceError {
        let place = if self.field.is_empty() { entry.to_owned() } else { format!("{entry}: {}", self.field) };
        PriceError { place, reason: self.reason }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(providers: &str) -> PriceError {
        let text =
            format!(r#"{{"source": "s", "version": "1", "date": "2026-01-01", "providers": {providers}}}"#);
        read(&text).unwrap_err()
    }

    #[test]
    fn errors_name_the_entry_and_the_field() {
        let model =
            |model: &str| format!(r#"[{{"id": "p", "models": [{{"id": "a", "prices": {{}}}}, {model}]}}]"#);
        let cases = [
            (r#"{"id": "m", "prices": {"input": -1}}"#, "p/m: prices.input", "-1 is not dollars"),
            (r#"{"id": "m", "prices": {"output": "3"}}"#, "p/m: prices.output", "\"3\" is not dollars"),
            (r#"{"id": "m", "prices": {"call": 1e3}}"#, "p/m: prices.call", "1e3 is not dollars"),
            (r#"{"id": "m", "prices": {"audio_input": {}}}"#, "p/m: prices.audio_input", "{} is not dollars"),
            (r#"{"id": "m", "prices": {"inptu": 1}}"#, "p/m: prices", "unknown field `inptu`"),
            (r#"{"id": "m", "prices": [{}, {"from": "May"}]}"#, "p/m: prices.1.from", "`May` is not a day"),
            (r#"{"id": "m", "prices": []}"#, "p/m: prices", "is empty"),
            (r#"{"id": "m", "prices": {"input": []}}"#, "p/m: prices.input", "is empty"),
            (r#"{"id": "m", "prices": {"input": [1, 2]}}"#, "p/m: prices.input", "invalid type"),
            (
                r#"{"id": "m", "prices": {"input": [1, {"above": 5, "price": 2}, {"above": 5, "price": 3}]}}"#,
                "p/m: prices.input",
                "`above` does not rise",
            ),
            (r#"{"id": "m", "match": "a*b", "prices": {}}"#, "p/m: match", "`a*b` is not"),
            (r#"{"id": "m", "match": 5, "prices": {}}"#, "p/m", "is not a text, a list"),
            (r#"{"id": "m"}"#, "p/m", "missing field `prices`"),
            (r#"{"prices": {}}"#, "p/entry 2", "missing field `id`"),
        ];
        for (written, place, reason) in cases {
            let error = error(&model(written));
            assert_eq!(error.place, place, "{written}");
            assert!(error.reason.starts_with(reason), "{written}: {}", error.reason);
            assert!(!error.reason.contains("line"), "{written}: {}", error.reason);
        }
    }

    #[test]
    fn errors_name_the_provider() {
        let cases = [
            (r#"[{"id": "p", "models": [], "modles": []}]"#, "p", "unknown field `modles`"),
            (r#"[{"models": []}]"#, "entry 1", "missing field `id`"),
            (r#"[{"id": "p", "models": []}, {"id": "p", "models": []}]"#, "p: id", "another provider"),
            (r#"[{"id": "p", "fallback": ["q"], "models": []}]"#, "p: fallback", "there is no provider `q`"),
            (r#"[{"id": "p", "makes": "", "models": []}]"#, "p: makes", "`` is not a text"),
        ];
        for (written, place, reason) in cases {
            let error = error(written);
            assert_eq!(error.place, place, "{written}");
            assert!(error.reason.starts_with(reason), "{written}: {}", error.reason);
        }
    }

    #[test]
    fn what_is_no_table_is_told_by_its_line() {
        let error = read("{\n\"source\": 5}").unwrap_err();
        assert_eq!(
            error.to_string(),
            "price table: the file: invalid type: integer `5`, expected a string at line 2 column 11"
        );
    }
}
