//! The text of a page: its markup left out, its lines kept. One pass, no nesting, whatever the page is.

/// Elements whose content is no text.
const HIDDEN: &[&str] = &["script", "style", "template", "svg", "noscript", "iframe", "object"];

/// Elements that begin a line, and those that stand apart.
const LINES: &[&str] =
    &["br", "dd", "div", "dt", "figcaption", "hr", "option", "tr", "header", "footer", "nav", "main"];
const APART: &[&str] = &[
    "article",
    "blockquote",
    "dl",
    "figure",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "ol",
    "p",
    "pre",
    "section",
    "table",
    "title",
    "ul",
];

/// Characters by name that are common in texts.
const NAMED: &[(&str, &str)] = &[
    ("amp", "&"),
    ("lt", "<"),
    ("gt", ">"),
    ("quot", "\""),
    ("apos", "'"),
    ("nbsp", " "),
    ("shy", ""),
    ("ndash", "–"),
    ("mdash", "—"),
    ("hellip", "…"),
    ("lsquo", "‘"),
    ("rsquo", "’"),
    ("ldquo", "“"),
    ("rdquo", "”"),
    ("laquo", "«"),
    ("raquo", "»"),
    ("bull", "•"),
    ("middot", "·"),
    ("times", "×"),
    ("deg", "°"),
    ("euro", "€"),
    ("pound", "£"),
    ("copy", "©"),
    ("reg", "®"),
    ("trade", "™"),
    ("rarr", "→"),
    ("larr", "←"),
];

/// The longest name or number between `&` and `;`.
const LONGEST_NAME: usize = 10;

/// The text of an HTML page.
pub(super) fn text(html: &str) -> String {
    let mut page = Page::default();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        let (before, tag) = rest.split_at(at);
        page.write(before);
        rest = match tag.as_bytes().get(1) {
            Some(b'!') if tag.starts_with("<!--") => after(tag, "-->"),
            Some(b'!' | b'?') => after(tag, ">"),
            Some(b'/' | b'a'..=b'z' | b'A'..=b'Z') => {
                let (inside, rest) = tag_and_rest(tag);
                page.element(inside, rest)
            }
            _ => {
                page.write("<");
                tag.strip_prefix('<').unwrap_or_default()
            }
        };
    }
    page.write(rest);
    page.text.trim_end().to_owned()
}

#[derive(Default)]
struct Page {
    text: String,
    /// Whether space came that is not written yet.
    space: bool,
    /// Whether space stays as it is.
    as_it_is: bool,
}

impl Page {
    fn write(&mut self, raw: &str) {
        let mut rest = raw;
        while let Some(at) = rest.find('&') {
            let (before, reference) = rest.split_at(at);
            self.characters(before);
            let (character, after) = resolved(reference);
            self.characters(&character);
            rest = after;
        }
        self.characters(rest);
    }

    fn characters(&mut self, text: &str) {
        if self.as_it_is {
            self.text.push_str(text);
            return;
        }
        for character in text.chars() {
            if character.is_whitespace() {
                self.space = true;
                continue;
            }
            if self.space && !self.text.is_empty() && !self.text.ends_with(['\n', ' ']) {
                self.text.push(' ');
            }
            self.space = false;
            self.text.push(character);
        }
    }

    /// Begins a new line, after so many line ends.
    fn line(&mut self, ends: usize) {
        self.space = false;
        self.text.truncate(self.text.trim_end_matches(' ').len());
        let there = self.text.chars().rev().take_while(|character| *character == '\n').count();
        if !self.text.is_empty() {
            self.text.extend(std::iter::repeat_n('\n', ends.saturating_sub(there)));
        }
    }

    /// Takes a tag, and gives what is left after it.
    fn element<'a>(&mut self, tag: &str, rest: &'a str) -> &'a str {
        let (is_end, tag) = tag.strip_prefix('/').map_or((false, tag), |tag| (true, tag));
        let name = tag.split(|character: char| !character.is_ascii_alphanumeric()).next().unwrap_or_default();
        let name = name.to_ascii_lowercase();
        let name = name.as_str();
        if HIDDEN.contains(&name) && !is_end && !tag.ends_with('/') {
            return after_element(rest, name);
        }
        if APART.contains(&name) {
            self.line(2);
        } else if LINES.contains(&name) {
            self.line(1);
        }
        match name {
            "pre" => self.as_it_is = !is_end,
            "li" if !is_end => {
                self.line(1);
                self.text.push_str("- ");
            }
            "td" | "th" => self.space = true,
            _ => {}
        }
        rest
    }
}

/// What comes after the first `end`; nothing where there is none.
fn after<'a>(text: &'a str, end: &str) -> &'a str {
    text.split_once(end).map_or("", |(_, rest)| rest)
}

/// What is inside a tag, and what is after it. A `>` in quotes does not end it.
fn tag_and_rest(tag: &str) -> (&str, &str) {
    let mut quote = None;
    for (at, byte) in tag.bytes().enumerate().skip(1) {
        match (quote, byte) {
            (Some(open), _) if open == byte => quote = None,
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, b'>') => {
                let inside = tag.get(1..at).unwrap_or_default();
                return (inside, tag.get(at.saturating_add(1)..).unwrap_or_default());
            }
            _ => {}
        }
    }
    ("", "")
}

/// What comes after the end of an element whose content is no text.
fn after_element<'a>(text: &'a str, name: &str) -> &'a str {
    let mut rest = text;
    while let Some((_, end)) = rest.split_once("</") {
        if end.get(..name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name)) {
            return after(end, ">");
        }
        rest = end;
    }
    ""
}

/// The character that a text beginning with `&` means, and what comes after; `&` itself where it means none.
fn resolved(reference: &str) -> (String, &str) {
    let after = reference.strip_prefix('&').unwrap_or_default();
    let meant =
        after.split_once(';').filter(|(name, _)| name.len() <= LONGEST_NAME).and_then(|(name, rest)| {
            let number = name.strip_prefix('#').map(|digits| {
                digits
                    .strip_prefix(['x', 'X'])
                    .map_or_else(|| digits.parse().ok(), |digits| u32::from_str_radix(digits, 16).ok())
            });
            let character = match number {
                Some(number) => char::from_u32(number?)?.to_string(),
                None => NAMED.iter().find(|(known, _)| *known == name).map(|(_, text)| (*text).to_owned())?,
            };
            Some((character, rest))
        });
    meant.unwrap_or_else(|| ("&".to_owned(), after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_becomes_its_text() {
        let html = "<!DOCTYPE html><html><head><title>A &amp; B</title><style>p { a: b }</style>\
                    <SCRIPT>if (a < b) { '</p>' }</SCRIPT></head><body class=\"a>b\"><!-- <p>no</p> -->\n\
                    <h1>Head\n  line</h1><p>1 &lt; 2 &#8364; &#x20AC; &unknown; &</p><ul><li>one<li>two</ul>\
                    <table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>\
                    <pre>let a = 1;\n  b &lt; c</pre>end <b>bo</b>ld<br/>last 3 < 4</body></html>";
        let expected = "A & B\n\nHead line\n\n1 < 2 € € &unknown; &\n\n- one\n- two\n\na b\nc\n\n\
                        let a = 1;\n  b < c\n\nend bold\nlast 3 < 4";
        assert_eq!(text(html), expected);
    }

    #[test]
    fn broken_pages_end() {
        for (html, expected) in [
            ("", ""),
            ("<", "<"),
            ("a<b", "a"),
            ("a<!--b", "a"),
            ("a<script>b", "a"),
            ("a<p title=\"b", "a"),
            ("&#x110000;&#xD800;&;", "&#x110000;&#xD800;&;"),
            ("ü<ü>ü", "ü<ü>ü"),
        ] {
            assert_eq!(text(html), expected, "{html}");
        }
        assert_eq!(text(&"<div>".repeat(100_000)), "");
        assert_eq!(text(&"<script></".repeat(10_000)), "");
        assert_eq!(text(&"&".repeat(10_000)).len(), 10_000);
    }
}
