//! Tables that are larger than what memory is to hold of them.

use dendro::{
    export::{Format, Writer},
    service::tables::{Column, Kind, Row, Value},
};

use super::forms::read_parquet;

fn row(number: i64) -> Row {
    let text = if number % 3 == 0 { Value::Null } else { Value::Text(format!("row {number}")) };
    vec![Value::Integer(number), text]
}

#[test]
fn parquet_is_written_in_groups_that_are_ready_one_by_one() {
    let columns =
        vec![Column { name: "number", kind: Kind::Integer }, Column { name: "text", kind: Kind::Text }];
    let mut writer = Writer::new(Format::Parquet, columns).unwrap();
    let (mut file, mut ready) = (Vec::new(), Vec::new());
    for batch in 0..45 {
        let bytes = writer.write((batch * 1_000..(batch + 1) * 1_000).map(row).collect()).unwrap();
        ready.extend((bytes.len() > 4).then_some(batch));
        file.extend(bytes);
    }
    file.extend(writer.finish().unwrap());
    assert_eq!(ready, [19, 39], "a group at 20,000 rows, and another");
    let read = read_parquet(&file);
    assert_eq!(read["groups"], 3);
    let rows = read["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 45_000);
    assert!(rows.iter().zip(0..).all(|(row, number)| row["number"] == number));
    assert_eq!((&rows[44_998]["text"], &rows[44_999]["text"]), (&"row 44998".into(), &"row 44999".into()));
    assert!(rows[3]["text"].is_null());
}

#[test]
fn a_table_without_rows_has_its_columns() {
    let columns = || dendro::service::tables::Table::Scores.columns();
    for (format, expected) in [(Format::JsonLines, ""), (Format::Csv, "score_id,target_type,")] {
        let mut writer = Writer::new(format, columns()).unwrap();
        let text = String::from_utf8(writer.finish().unwrap()).unwrap();
        assert!(text.starts_with(expected) && text.lines().count() <= 1, "{text}");
    }
    let mut writer = Writer::new(Format::Parquet, columns()).unwrap();
    let mut file = writer.write(Vec::new()).unwrap();
    file.extend(writer.finish().unwrap());
    let read = read_parquet(&file);
    assert_eq!(read["kinds"].as_object().unwrap().len(), columns().len());
    assert_eq!(read["rows"].as_array().unwrap().len(), 0);
}
