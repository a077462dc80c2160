//! Lists as Relay connections: edges with cursors, the nodes alone, and what a client needs to go on.

use std::borrow::Cow;

use async_graphql::{
    Context, ContextSelectionSet, Object, OutputType, Positioned, ServerResult, SimpleObject, TypeName,
    Value, parser::types::Field, registry::Registry,
};
use futures_util::future;

use super::{
    error::Result,
    scalar::{Given, OptionalGiven, int},
};
use crate::model::{
    Refusal,
    page::{Page, PageRequest},
};

/// How long lists may be. Part of the schema's data.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PageLimits {
    /// Entries of one page at most.
    pub most: usize,
    /// Spans of one page of a trace at most: they are small, and read together whatever the page.
    pub most_spans: usize,
    /// Spans that one request, or one event of a subscription, may come to by `rootSpans` and `children`,
    /// which have no pages: some trees of the largest size, or very many small ones.
    pub most_tree_spans: usize,
    /// Items of one batch of writes at most.
    pub most_writes: usize,
}

impl Default for PageLimits {
    fn default() -> Self {
        Self { most: 1_000, most_spans: 50_000, most_tree_spans: 200_000, most_writes: 10_000 }
    }
}

/// Entries of a page where the client names no number. It stands in the schema's text too.
const DEFAULT_FIRST: i32 = 50;

/// The value of an argument `first` that is left out.
#[expect(clippy::unnecessary_wraps, reason = "the argument may be null")]
pub(super) fn default_first() -> Option<Given<i32>> {
    Some(Given::from(DEFAULT_FIRST))
}

/// The page that the arguments `first` and `after` ask for.
pub(super) fn request(
    first: Option<Given<i32>>,
    after: Option<String>,
    most: usize,
) -> Result<PageRequest, Refusal> {
    let first = first.read("first")?.unwrap_or(DEFAULT_FIRST);
    match usize::try_from(first) {
        Ok(first) if (1..=most).contains(&first) => Ok(PageRequest { first, after }),
        _ => Err(Refusal::invalid("first", format!("must be from 1 to {most}, not {first}"))),
    }
}

/// Whether the connection that is being resolved is asked for its length.
pub(super) fn is_counted(ctx: &Context<'_>) -> bool {
    ctx.look_ahead().field("totalCount").exists()
}

/// What is listed in connections, with the names of its connection types.
pub(super) trait Listed: OutputType + 'static {
    const CONNECTION: &'static str;
    const EDGE: &'static str;
}

/// A page of a list.
pub(super) struct Connection<T> {
    edges: Vec<Edge<T>>,
    page_info: PageInfo,
    total: Option<u64>,
}

impl<T: Listed> Connection<T> {
    /// The page, of a list whose length is known (`total`) or not.
    pub(super) fn new(page: Page<T>, request: &PageRequest, total: Option<u64>) -> Self {
        let edges: Vec<_> =
            page.items.into_iter().map(|(cursor, node)| Edge { cursor: cursor.encode(), node }).collect();
        let last = || edges.last().map(|edge: &Edge<T>| edge.cursor.clone());
        let page_info = PageInfo {
            has_next_page: page.has_next,
            has_previous_page: request.after.is_some(),
            start_cursor: edges.first().map(|edge| edge.cursor.clone()),
            end_cursor: page.end.map_or_else(last, |end| Some(end.encode())),
        };
        Self { edges, page_info, total }
    }

    /// Its entries, how to go on, and how many there are in all: for a connection that tells more.
    pub(super) fn parts(&self) -> (&[Edge<T>], &PageInfo, Option<i32>) {
        (&self.edges, &self.page_info, self.total.map(int))
    }
}

impl<T: Listed> TypeName for Connection<T> {
    fn type_name() -> Cow<'static, str> {
        T::CONNECTION.into()
    }
}

/// A page of a list. To go on, ask again with `after` set to `pageInfo.endCursor`.
#[Object(name_type)]
impl<T: Listed> Connection<T> {
    /// The entries of the page with their cursors.
    fn edges(&self) -> &[Edge<T>] {
        &self.edges
    }

    /// The entries of the page without their cursors.
    fn nodes(&self) -> Nodes<'_, T> {
        Nodes(&self.edges)
    }

    /// How to go on.
    fn page_info(&self) -> &PageInfo {
        &self.page_info
    }

    /// How many entries the whole list has; null where counting them would mean reading them all.
    fn total_count(&self) -> Option<i32> {
        self.total.map(int)
    }
}

/// The entries of a page without their cursors, as the list that the library makes of a `Vec`.
pub(super) struct Nodes<'a, T>(pub(super) &'a [Edge<T>]);

/// Entries that are resolved at a time. The library takes a whole list at once; what its fields take as long as
/// they are resolved is several times what comes of them.
const AT_A_TIME: usize = 1_000;

impl<T: Listed> OutputType for Nodes<'_, T> {
    fn type_name() -> Cow<'static, str> {
        Vec::<T>::type_name()
    }

    fn qualified_type_name() -> String {
        Vec::<T>::qualified_type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        Vec::<T>::create_type_info(registry)
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
        let mut values = Vec::with_capacity(self.0.len());
        let mut places = 0..self.0.len();
        for edges in self.0.chunks(AT_A_TIME) {
            let resolved = edges.iter().zip(&mut places).map(|(edge, place)| {
                let ctx = ctx.with_index(place);
                async move { edge.node.resolve(&ctx, field).await.map_err(|error| ctx.set_error_path(error)) }
            });
            values.extend(future::try_join_all(resolved).await?);
        }
        Ok(Value::List(values))
    }
}

/// An entry of a page.
pub(super) struct Edge<T> {
    cursor: String,
    node: T,
}

impl<T: Listed> TypeName for Edge<T> {
    fn type_name() -> Cow<'static, str> {
        T::EDGE.into()
    }
}

/// An entry of a page with its place in the list.
#[Object(name_type)]
impl<T: Listed> Edge<T> {
    /// The place of the entry: pass it as `after` to go on behind it.
    fn cursor(&self) -> &str {
        &self.cursor
    }

    /// The entry.
    fn node(&self) -> &T {
        &self.node
    }
}

/// How to go on in a list.
#[derive(Debug, Clone, SimpleObject)]
pub(super) struct PageInfo {
    /// Whether more may follow. A filter may leave the next page empty.
    has_next_page: bool,
    /// Whether the page was asked for with `after`, and so has entries before it.
    has_previous_page: bool,
    /// The cursor of the page's first entry.
    start_cursor: Option<String>,
    /// The cursor to go on from.
    end_cursor: Option<String>,
}
