//! Pages of lists, and the cursors that go on from one page to the next.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::Refusal;

/// A place in a list: the stored key of an entry, with the list that it is of.
///
/// Never an offset: entries may come and go between two pages without shifting the rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// Which list, with its filter and order: a cursor of another list is refused.
    list: [u8; 8],
    /// The key of the entry.
    key: Vec<u8>,
}

/// Names a list: what is listed, of what, filtered and ordered how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListId([u8; 8]);

impl ListId {
    /// The list with this description. The same description gives the same list on every server.
    #[must_use]
    pub fn of(description: &str) -> Self {
        let hash = blake3::hash(description.as_bytes());
        let mut id = [0; 8];
        id.copy_from_slice(hash.as_bytes().first_chunk::<8>().unwrap_or(&[0; 8]));
        Self(id)
    }
}

impl Cursor {
    /// The place of `key` in `list`.
    #[must_use]
    pub fn new(list: ListId, key: &[u8]) -> Self {
        Self { list: list.0, key: key.to_vec() }
    }

    /// The cursor as clients see it.
    #[must_use]
    pub fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode([self.list.as_slice(), &self.key].concat())
    }

    /// The key that a client's cursor of `list` stands for.
    pub fn decode(list: ListId, text: &str) -> Result<Vec<u8>, Refusal> {
        let (id, key) = Self::parts(text)?;
        if id != list.0 {
            return Err(Refusal::invalid(
                "after",
                "a cursor of another list; filter and order must stay the same from page to page",
            ));
        }
        Ok(key)
    }

    /// The key of a cursor that the program kept for itself, of whatever list it is.
    pub fn key_of(text: &str) -> Result<Vec<u8>, Refusal> {
        Self::parts(text).map(|(_, key)| key)
    }

    fn parts(text: &str) -> Result<([u8; 8], Vec<u8>), Refusal> {
        let malformed = || Refusal::invalid("after", "not a cursor; take one from `pageInfo.endCursor`");
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| malformed())?;
        let (id, key) = bytes.split_first_chunk::<8>().ok_or_else(malformed)?;
        Ok((*id, key.to_vec()))
    }
}

/// Which page of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct PageRequest {
    /// Entries at most.
    pub first: usize,
    /// The cursor of the entry before the page.
    pub after: Option<String>,
}

/// A page of a list.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// The entries with their cursors.
    pub items: Vec<(Cursor, T)>,
    /// Whether more may follow.
    pub has_next: bool,
    /// Where to go on: past the last entry that was looked at, which a filter may have left out.
    pub end: Option<Cursor>,
}

impl<T> Default for Page<T> {
    fn default() -> Self {
        Self::empty()
    }
}

impl<T> Page<T> {
    /// A page without entries.
    #[must_use]
    pub fn empty() -> Self {
        Self { items: Vec::new(), has_next: false, end: None }
    }

    /// The same page of other things.
    pub fn map<U>(self, mut change: impl FnMut(T) -> U) -> Page<U> {
        let items = self.items.into_iter().map(|(cursor, item)| (cursor, change(item))).collect();
        Page { items, has_next: self.has_next, end: self.end }
    }
}
