//! `dendro reprice` and the table of prices that the settings name.

use serde_json::{Value, json};

use super::{Ended, Serving, dendro, life::post, run};

/// A table where these models cost so many dollars for a million tokens, read or written.
fn table(version: &str, prices: &[(&str, f64)]) -> String {
    let model = |(id, price): &(&str, f64)| json!({"id": id, "prices": {"input": price, "output": price}});
    json!({
        "source": "mine", "version": version, "date": "2026-01-01",
        "providers": [{"id": "p", "models": prices.iter().map(model).collect::<Vec<_>>()}],
    })
    .to_string()
}

fn attribute(key: &str, value: Value) -> Value {
    json!({"key": key, "value": value})
}

/// A call of a model with 1,000 tokens in and as many out.
fn call(trace: u8, model: &str, cost: Option<f64>) -> String {
    let mut attributes = vec![
        attribute("gen_ai.operation.name", json!({"stringValue": "chat"})),
        attribute("gen_ai.request.model", json!({"stringValue": model})),
        attribute("gen_ai.usage.input_tokens", json!({"intValue": 1000})),
        attribute("gen_ai.usage.output_tokens", json!({"intValue": 1000})),
    ];
    attributes.extend(cost.map(|cost| attribute("gen_ai.usage.cost", json!({ "doubleValue": cost }))));
    let start = 1_750_000_000_000_000_000_u64 + u64::from(trace) * 86_400_000_000_000;
    json!({"resourceSpans": [{"scopeSpans": [{"spans": [{
        "traceId": format!("{trace:032x}"), "spanId": "0000000000000001", "name": model, "attributes": attributes,
        "startTimeUnixNano": start.to_string(), "endTimeUnixNano": (start + 1).to_string(),
    }]}]}]})
    .to_string()
}

struct Bed {
    folder: tempfile::TempDir,
}

impl Bed {
    /// A database with calls of three models: two that have a price at first, one of which reports its cost,
    /// and one that has none.
    fn new() -> Self {
        let bed = Self { folder: tempfile::tempdir().unwrap() };
        bed.write("old.json", &table("1", &[("cheap", 1.0), ("dear", 10.0)]));
        bed.write("new.json", &table("2", &[("cheap", 2.0), ("dear", 20.0), ("fresh", 3.0)]));
        let calls = [
            call(1, "cheap", None),
            call(2, "cheap", None),
            call(3, "dear", Some(0.5)),
            call(4, "fresh", None),
        ];
        bed.write("calls.jsonl", &calls.join("\n"));
        bed.write("dendro.toml", "[prices]\nfile = \"old.json\"\n");
        let imported = bed.run(&["import", "calls.jsonl"]);
        assert_eq!(imported.code, Some(0), "{imported:?}");
        bed
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).unwrap();
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        run(self.folder.path(), arguments)
    }

    fn reprice(&self, arguments: &[&str]) -> Ended {
        let ended = self.run(&[&["reprice"], arguments].concat());
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert_eq!(ended.err, "", "no terminal, no bar");
        ended
    }

    /// The cost of each trace, where it comes from, and the table that it rests on.
    async fn costs(&self) -> Vec<Value> {
        let server = Serving::start(dendro(
            self.folder.path(),
            &["serve", "--listen", "127.0.0.1:0", "--otlp-http", "off", "--otlp-grpc", "off"],
        ));
        let query = "{ traces(orderBy: OLDEST_FIRST) { nodes { totalCostUsd spans { nodes { costUsd costSource priceVersion } } } } }";
        let answer = post(&server.address, query).await;
        server.signal("TERM");
        assert_eq!(server.wait().code, Some(0));
        let traces = answer["data"]["traces"]["nodes"].as_array().unwrap().clone();
        let cost = |trace: Value| {
            let span = &trace["spans"]["nodes"][0];
            assert_eq!(trace["totalCostUsd"], span["costUsd"], "the summary follows");
            json!([span["costUsd"], span["costSource"], span["priceVersion"]])
        };
        let check = self.run(&["check"]);
        assert_eq!(check.code, Some(0), "{check:?}");
        traces.into_iter().map(cost).collect()
    }
}

const OLD: &str = "mine 1 2026-01-01";
const NEW: &str = "mine 2 2026-01-01";

#[tokio::test]
async fn computed_costs_change_and_reported_ones_stay() {
    let bed = Bed::new();
    let before = json!([
        [0.002, "COMPUTED", OLD],
        [0.002, "COMPUTED", OLD],
        [0.5, "REPORTED", null],
        [null, "UNKNOWN", null],
    ]);
    assert_eq!(json!(bed.costs().await), before);

    let dry = bed.reprice(&["--prices", "new.json", "--dry-run"]);
    assert!(dry.out.contains("3 spans would get another cost"), "{dry:?}");
    assert!(dry.out.contains("Nothing was written."), "{dry:?}");
    assert_eq!(json!(bed.costs().await), before, "a dry run changes nothing");

    let done = bed.reprice(&["--prices", "new.json"]);
    let line = |name: &str| {
        let line = done.out.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{done:?}"));
        line.split_whitespace().skip(1).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(line("cheap"), ["2", "0.004000000", "0.008000000"]);
    assert_eq!(line("fresh"), ["1", "unknown", "0.006000000"]);
    assert_eq!(line("total"), ["3", "0.004000000", "0.014000000"]);
    assert!(done.out.contains("3 spans got another cost, 0 the same by other prices."), "{done:?}");
    assert!(done.out.contains("3 of 4 traces changed; 1 reported costs stay."), "{done:?}");
    assert!(done.out.contains(&format!("Prices: {NEW}.")), "{done:?}");
    let after = json!([
        [0.004, "COMPUTED", NEW],
        [0.004, "COMPUTED", NEW],
        [0.5, "REPORTED", null],
        [0.006, "COMPUTED", NEW],
    ]);
    assert_eq!(json!(bed.costs().await), after);

    let again = bed.reprice(&["--prices", "new.json"]);
    assert!(again.out.contains("0 of 4 traces changed"), "{again:?}");
    let back = bed.reprice(&[]);
    assert!(back.out.contains(&format!("Prices: {OLD}.")), "the settings' own: {back:?}");
    assert_eq!(json!(bed.costs().await), before, "what has no price any more is unknown");
}

#[tokio::test]
async fn only_some_models_and_days_can_be_priced_anew() {
    let bed = Bed::new();
    let some = bed.reprice(&["--prices", "new.json", "--model", "CHEAP", "--from", "2025-06-17"]);
    assert!(some.out.contains("1 spans got another cost"), "{some:?}");
    let costs = json!(bed.costs().await);
    assert_eq!((&costs[0][0], &costs[1][0], &costs[3][1]), (&json!(0.002), &json!(0.004), &json!("UNKNOWN")));
    // A table that says the same costs them nothing, but is the one that they rest on now.
    bed.write("same.json", &table("3", &[("cheap", 2.0)]));
    let same = bed.reprice(&["--prices", "same.json", "--model", "cheap"]);
    assert!(same.out.contains("1 spans got another cost, 1 the same by other prices."), "{same:?}");
    assert_eq!(bed.costs().await[1], json!([0.004, "COMPUTED", "mine 3 2026-01-01"]));
}

#[test]
fn a_table_that_cannot_be_read_names_the_entry() {
    let bed = Bed::new();
    bed.write("broken.json", &table("1", &[("cheap", 1.0), ("dear", -1.0)]));
    for arguments in [
        &["reprice", "--prices", "broken.json"][..],
        &["reprice", "--prices", "none.json"],
        &["reprice", "--prices", "calls.jsonl"],
    ] {
        let ended = bed.run(arguments);
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(
            ended.err.contains("prices.file: ") && ended.err.contains("(from the command line)"),
            "{ended:?}"
        );
    }
    bed.write("dendro.toml", "[prices]\nfile = \"broken.json\"\n");
    let serve = bed.run(&["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(serve.code, Some(2), "{serve:?}");
    assert!(
        serve
            .err
            .contains("prices.file: broken.json: price table: p/dear: prices.input: -1.0 is not dollars"),
        "{serve:?}"
    );
    assert!(serve.err.contains("(from dendro.toml)"), "{serve:?}");
}

#[test]
fn there_must_be_a_database_to_be_priced() {
    let folder = tempfile::tempdir().unwrap();
    let ended = run(folder.path(), &["reprice", "--data", "db"]);
    assert_eq!((ended.code, ended.err.as_str()), (Some(1), "dendro: there is no database in db\n"));
}
