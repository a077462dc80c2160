//! Reads an expression and works it out on the way. It goes through the text once, and no deeper than
//! [`MAX_DEPTH`].

use super::{Outcome, functions, number::Number};

/// How deep parentheses, signs, powers and calls may be nested in each other.
const MAX_DEPTH: usize = 64;

/// Decimal places of a number that are kept exactly.
const EXACT_PLACES: usize = 30;

/// The value of an expression.
pub(super) fn value(expression: &str) -> Outcome {
    let mut reader = Reader { rest: expression, at: 1, depth: 0 };
    let value = reader.sum()?;
    reader.skip_space();
    match reader.rest.chars().next() {
        None => Ok(value),
        Some(found) => Err(format!("at character {}: `{found}` where an operator would be", reader.at)),
    }
}

struct Reader<'a> {
    rest: &'a str,
    /// Which character `rest` begins with, counted from 1.
    at: usize,
    depth: usize,
}

impl<'a> Reader<'a> {
    fn sum(&mut self) -> Outcome {
        let mut value = self.product()?;
        loop {
            if self.takes(&["+"]) {
                value = value.plus(self.product()?)?;
            } else if self.takes(&["-", "−"]) {
                value = value.minus(self.product()?)?;
            } else {
                return Ok(value);
            }
        }
    }

    fn product(&mut self) -> Outcome {
        let mut value = self.signed()?;
        loop {
            if self.takes(&["*", "×", "·"]) {
                value = value.times(self.signed()?)?;
            } else if self.takes(&["/", "÷"]) {
                value = value.over(self.signed()?)?;
            } else if self.takes(&["%"]) {
                value = value.remainder(self.signed()?)?;
            } else {
                return Ok(value);
            }
        }
    }

    /// All that nests goes through here.
    fn signed(&mut self) -> Outcome {
        self.depth = self.depth.saturating_add(1);
        if self.depth > MAX_DEPTH {
            return Err(format!("it is nested more than {MAX_DEPTH} deep"));
        }
        let value = if self.takes(&["-", "−"]) {
            self.signed()?.negated()?
        } else if self.takes(&["+"]) {
            self.signed()?
        } else {
            let base = self.atom()?;
            if self.takes(&["**", "^"]) { base.power(self.signed()?)? } else { base }
        };
        self.depth = self.depth.saturating_sub(1);
        Ok(value)
    }

    fn atom(&mut self) -> Outcome {
        self.skip_space();
        let Some(first) = self.rest.chars().next() else {
            return Err("it ends where a number would be".to_owned());
        };
        if first.is_ascii_digit() || first == '.' {
            return self.number();
        }
        if first.is_ascii_alphabetic() {
            return self.name();
        }
        let at = self.at;
        if self.takes(&["("]) {
            let value = self.sum()?;
            return self.closed(at).map(|()| value);
        }
        Err(format!("at character {at}: `{first}` where a number would be"))
    }

    fn number(&mut self) -> Outcome {
        let at = self.at;
        let whole = self.take_while(|character| character.is_ascii_digit());
        let places =
            if self.takes_here(".") { self.take_while(|character| character.is_ascii_digit()) } else { "" };
        let mut exponent = String::new();
        if let Some(after) = self.rest.strip_prefix(['e', 'E']) {
            let digits = after.strip_prefix(['+', '-']).unwrap_or(after);
            if digits.starts_with(|character: char| character.is_ascii_digit()) {
                self.skip(1);
                let sign = self.take_while(|character| matches!(character, '+' | '-'));
                let digits = self.take_while(|character| character.is_ascii_digit());
                exponent = format!("{sign}{digits}");
            }
        }
        exact(whole, places, &exponent).map_or_else(
            || {
                let exponent = if exponent.is_empty() { "0" } else { &exponent };
                let float = format!("{whole}.{places}e{exponent}").parse();
                Number::near(float.map_err(|_| format!("at character {at}: this is no number"))?)
            },
            Ok,
        )
    }

    fn name(&mut self) -> Outcome {
        let name = self.take_while(|character| character.is_ascii_alphanumeric() || character == '_');
        let lower = name.to_ascii_lowercase();
        let at = self.at;
        if self.takes(&["("]) {
            let mut arguments = vec![self.sum()?];
            while self.takes(&[","]) {
                arguments.push(self.sum()?);
            }
            self.closed(at)?;
            return functions::call(&lower, &arguments);
        }
        match lower.as_str() {
            "pi" => Ok(Number::Near(std::f64::consts::PI)),
            "e" => Ok(Number::Near(std::f64::consts::E)),
            known if functions::is_known(known) => Err(format!("`{name}` is called as {known}(…)")),
            _ => {
                Err(format!("there is no `{name}`; there are pi, e and the functions {}", functions::names()))
            }
        }
    }

    fn closed(&mut self, opened: usize) -> Result<(), String> {
        if self.takes(&[")"]) {
            return Ok(());
        }
        self.skip_space();
        let found = self.rest.chars().next().map_or("the end".to_owned(), |found| format!("`{found}`"));
        Err(format!("at character {}: {found} where `)` would close the `(` at character {opened}", self.at))
    }

    fn skip_space(&mut self) {
        self.take_while(char::is_whitespace);
    }

    /// Takes one of these, with the space before it.
    fn takes(&mut self, words: &[&str]) -> bool {
        self.skip_space();
        words.iter().any(|word| self.takes_here(word))
    }

    fn takes_here(&mut self, word: &str) -> bool {
        // `**` is a power, not a product.
        let is_it = self.rest.starts_with(word) && !(word == "*" && self.rest.starts_with("**"));
        if is_it {
            self.skip(word.chars().count());
        }
        is_it
    }

    fn take_while(&mut self, belongs: impl Fn(char) -> bool) -> &'a str {
        let length = self.rest.chars().take_while(|character| belongs(*character)).count();
        self.skip(length)
    }

    /// Goes on by so many characters, and gives them.
    fn skip(&mut self, characters: usize) -> &'a str {
        let end = self.rest.char_indices().nth(characters).map_or(self.rest.len(), |(end, _)| end);
        let (taken, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));
        self.rest = rest;
        self.at = self.at.saturating_add(characters);
        taken
    }
}

/// A number exactly, where it has a place in 128 bits.
fn exact(whole: &str, places: &str, exponent: &str) -> Option<Number> {
    let places = places.trim_end_matches('0');
    if places.len() > EXACT_PLACES || (whole.is_empty() && places.is_empty()) {
        return None;
    }
    let digits: i128 = format!("{whole}{places}").parse().ok()?;
    let exponent: i32 = if exponent.is_empty() { 0 } else { exponent.parse().ok()? };
    let shift = exponent.checked_sub(i32::try_from(places.len()).ok()?)?;
    let unit = 10_i128.checked_pow(shift.unsigned_abs())?;
    if shift < 0 { Number::fraction(digits, unit) } else { digits.checked_mul(unit).map(Number::whole) }
}
