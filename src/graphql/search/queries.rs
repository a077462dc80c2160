//! The root that searches.

use std::sync::Arc;

use async_graphql::{Context, Object};

use super::SearchHit;
use crate::{
    graphql::{
        error::Result,
        page::{self, Connection},
        request,
        scalar::Given,
    },
    model::search::TextKind,
};

/// What traces say, by its words.
#[derive(Default)]
pub(in crate::graphql) struct SearchQuery;

/// See [`SearchQuery`].
#[Object]
impl SearchQuery {
    /// Traces, spans and messages that have some words in their texts, those of the newest traces first. Traces are
    /// searched once they are over, usually within a second; of each text its beginning, 32 KiB by default.
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
    ) -> Result<Connection<SearchHit>> {
        let data = request::of(ctx)?;
        let request = page::request(first, after, data.limits.most)?;
        let search = &data.services.search;
        let asked = Arc::new(search.asked("text", &text, kinds.unwrap_or_default())?);
        let page = search.page(&asked, &request).await?;
        let total = if page::is_counted(ctx) { Some(search.count(&asked).await?) } else { None };
        let page = page.map(|hit| SearchHit { hit, asked: Arc::clone(&asked) });
        Ok(Connection::new(page, &request, total))
    }
}
