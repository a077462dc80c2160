//! A repository with faults in it.

/// A fault that somebody reports.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::demo) struct Bug {
    /// What is reported. The scripts know it by these words.
    pub report: &'static str,
    pub file: &'static str,
    /// What the file holds.
    pub code: &'static str,
}

pub(in crate::demo) const BUGS: [Bug; 6] = [
    Bug {
        report: "Week numbers are wrong at the turn of the year",
        file: "src/dates.rs",
        code: "/// The ISO week of a day.
pub fn week(day: Date) -> u32 {
    let first = Date::new(day.year(), 1, 1);
    (day.ordinal() + first.weekday() - 1) / 7
    // edge cases: see the tests
}
",
    },
    Bug {
        report: "The total is off by a cent",
        file: "src/cart.rs",
        code: "/// What is to be paid.
pub fn total(lines: &[Line]) -> Cents {
    let total: f64 = lines.iter().map(|line| line.price * f64::from(line.count)).sum();
    Cents::from(total * (1.0 + VAT))
    // edge cases: see the tests
}
",
    },
    Bug {
        report: "Searching for C++ finds nothing",
        file: "src/search.rs",
        code: "/// Pages that have the words.
pub fn search(index: &Index, query: &str) -> Vec<Hit> {
    let pattern = Regex::new(query).unwrap_or_else(|_| never());
    index.pages().filter_map(|page| page.find(&pattern)).collect()
    // edge cases: see the tests
}
",
    },
    Bug {
        report: "Large uploads fail on slow lines",
        file: "src/upload.rs",
        code: "/// Takes a file, chunk by chunk.
pub async fn receive(mut body: Body, file: &mut File) -> Result<u64, UploadError> {
    timeout(LIMIT, copy(&mut body, file)).await?
    // edge cases: see the tests
}
",
    },
    Bug {
        report: "Logging out in one tab leaves the other logged in",
        file: "src/session.rs",
        code: "/// Ends a session.
pub fn log_out(store: &Store, id: SessionId) {
    store.remove(id);
    // edge cases: see the tests
}
",
    },
    Bug {
        report: "The export forgets the last row",
        file: "src/export.rs",
        code: "/// Rows as CSV.
pub fn csv(rows: &[Row]) -> String {
    let mut text = String::new();
    for pair in rows.windows(2) {
        text.push_str(&pair[0].line());
    }
    text
    // edge cases: see the tests
}
",
    },
];

pub(in crate::demo) const CHANGELOG: &str = "# Changelog

## Unreleased

- Faster start: the index is read when it is first asked for.
- The API says which field is wrong.
- Dates before 1970 are read.
";
