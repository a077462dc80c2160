//! Filling a page from an ordered run of entries: the rules of [`ScanPage`] in one place, so that every
//! engine ends its pages alike. It must not know where the entries come from.

use super::{EngineResult, Entry, ScanPage, ScanRequest};

/// Reads a page from `found`, which yields what an engine finds in the range, in the direction asked
/// for. `load` turns one into an entry; it is not called for the one that only proves that there is more.
pub(super) fn fill<T>(
    request: &ScanRequest,
    found: impl IntoIterator<Item = EngineResult<T>>,
    mut load: impl FnMut(T) -> EngineResult<Entry>,
) -> EngineResult<ScanPage> {
    let mut found = found.into_iter();
    let mut page = ScanPage::default();
    let mut bytes = 0_usize;
    while page.entries.len() < request.limit {
        let Some(next) = found.next() else { return Ok(page) };
        let entry = load(next?)?;
        bytes = bytes.saturating_add(entry.key.len()).saturating_add(entry.value.len());
        page.entries.push(entry);
        if bytes >= request.max_bytes {
            break;
        }
    }
    page.more = found.next().transpose()?.is_some();
    Ok(page)
}
