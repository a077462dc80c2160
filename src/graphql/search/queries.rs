//! The root that searches.

use std::sync::Arc;

use async_graphql::{Context, Object};

use super::SearchHit;
use crate::{
    graphql::{
        error::Result,
        page::{self, Connection, Edge, Nodes, PageInfo},
        request,
        scalar::{Given, int},
    },
    model::search::TextKind,
};

/// What traces say, by its words.
#[derive(Default)]
pub(in crate::graphql) struct SearchQuery;

/// See [`SearchQuery`].
#[Object]
impl SearchQuery {
    /// Traces, spans and messages that have some words in their texts, those of the newest traces first: of traces that
    /// are over, usually within a second, and of the newest ones that go on, with 5,000 spans together by default. Of
    /// each text its beginning is searched, 32 KiB by default.
    async fn search(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "What to look for: words, of which all must be there; `\"a phrase\"`; `-word` or `-\"a phrase\"`, \
                    which must not be there; `begin*`, the beginning of a word. A word is a run of letters and \
                    digits, whatever their case and accents; several joined by other signs, as in `get_weather`, \
                    are a phrase."
        )]
        text: String,
        #[graphql(name = "in", desc = "Only texts of these kinds; null or empty: of any.")] kinds: Option<
            Vec<TextKind>,
        >,
        #[graphql(desc = "Entries of the page at most.", default_with = "page::default_first()")]
        first: Option<Given<i32>>,
        #[graphql(desc = "Go on behind this cursor.")] after: Option<String>,
    ) -> Result<SearchConnection> {
        let data = request::of(ctx)?;
        let request = page::request(first, after, data.limits.most)?;
        let search = &data.services.search;
        let asked = Arc::new(search.asked("text", &text, kinds.unwrap_or_default())?);
        let found = search.page(&asked, &request, page::is_counted(ctx)).await?;
        let page = found.page.map(|hit| SearchHit { hit, asked: Arc::clone(&asked) });
        let page = Connection::new(page, &request, found.total);
        Ok(SearchConnection { page, running: found.running })
    }
}

/// What was found, and how much was not looked at.
struct SearchConnection {
    page: Connection<SearchHit>,
    /// Traces that go on and were looked through.
    running: usize,
}

/// A page of a list. To go on, ask again with `after` set to `pageInfo.endCursor`.
#[Object(name = "SearchHitConnection")]
impl SearchConnection {
    /// The entries of the page with their cursors.
    async fn edges(&self) -> &[Edge<SearchHit>] {
        self.page.parts().0
    }

    /// The entries of the page without their cursors.
    async fn nodes(&self) -> Nodes<'_, SearchHit> {
        Nodes(self.page.parts().0)
    }

    /// How to go on.
    async fn page_info(&self) -> &PageInfo {
        self.page.parts().1
    }

    /// How many entries the whole list has; null where counting them would mean reading them all.
    async fn total_count(&self) -> Option<i32> {
        self.page.parts().2
    }

    /// How many traces say something that was not searched, counted up to 10,000: those that ended a moment ago or have
    /// changed since, and those that go on beyond what is looked through. While the index is filled for the first time,
    /// those that are not in it yet.
    async fn unsearched_trace_count(&self, ctx: &Context<'_>) -> Result<i32> {
        Ok(int(request::of(ctx)?.services.search.not_searched(self.running).await?))
    }
}
