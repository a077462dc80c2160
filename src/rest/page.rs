//! Pages of lists: `limit` and `after` in, `items` and `next` out.

use axum::http::Uri;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    answer::{Answer, ROOT},
    problem::Problem,
    scalar::Written,
};
use crate::model::page::{Page, PageRequest};

/// Entries of a page where the client names no number.
const DEFAULT_LIMIT: usize = 50;

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Listed<T> {
    /// The entries.
    pub(super) items: Vec<T>,
    /// The cursor to go on from, as `after`; null at the end. A filter may leave the next page empty.
    pub(super) next: Option<String>,
}

impl<T> Listed<T> {
    /// The page.
    pub(super) fn of<U>(page: Page<U>, view: impl FnMut((crate::model::page::Cursor, U)) -> T) -> Self {
        let end = page.end.or_else(|| page.items.last().map(|(cursor, _)| cursor.clone()));
        let next = end.filter(|_| page.has_next).map(|cursor| cursor.encode());
        Self { items: page.items.into_iter().map(view).collect(), next }
    }
}

impl<T: Serialize> Listed<T> {
    /// The page as the answer to a request for `uri`.
    pub(super) fn answer(&self, uri: &Uri) -> Result<Answer, Problem> {
        let next = self.next.as_deref().map(|cursor| address(uri, cursor));
        Ok(Answer::ok(self)?.followed_by(next))
    }
}

/// The page that `limit` and `after` ask for.
pub(super) fn request(
    limit: Option<Written<u32>>,
    after: Option<String>,
    (usual, most): (usize, usize),
) -> Result<PageRequest, Problem> {
    let first = match limit {
        None => usual.min(most),
        Some(Written(limit)) => match usize::try_from(limit) {
            Ok(limit) if (1..=most).contains(&limit) => limit,
            _ => return Err(Problem::of_url("limit", format!("must be from 1 to {most}, not {limit}"))),
        },
    };
    Ok(PageRequest { first, after })
}

/// The usual length of a page, and the largest.
pub(super) const fn usual(most: usize) -> (usize, usize) {
    (DEFAULT_LIMIT, most)
}

/// The address of the next page: that of this one with another `after`. A cursor has only letters that need no
/// escape.
fn address(uri: &Uri, cursor: &str) -> String {
    let others = uri.query().unwrap_or_default().split('&');
    let others = others.filter(|pair| !pair.is_empty() && *pair != "after" && !pair.starts_with("after="));
    let after = format!("after={cursor}");
    let query: Vec<_> = others.chain([after.as_str()]).collect();
    format!("{ROOT}{}?{}", uri.path(), query.join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_address_keeps_all_but_the_cursor() {
        for (uri, next) in [
            ("/traces", "/api/v1/traces?after=abc"),
            ("/traces?name=a%20b&after=x&limit=2", "/api/v1/traces?name=a%20b&limit=2&after=abc"),
        ] {
            assert_eq!(address(&uri.parse().unwrap(), "abc"), next);
        }
    }
}
