//! A schema with one of everything that a transport can meet.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use async_graphql::{
    Context, Error, ErrorExtensions, ID, InputObject, Interface, Json, Object, Result, Schema, SimpleObject,
    Subscription,
};
use dendro::http::{Executor, Prepared};
use futures_util::{Stream, StreamExt, stream};

pub type ToySchema = Schema<Query, Mutation, Feed>;

/// What a test can see of the inside.
#[derive(Debug, Default)]
pub struct Probe {
    /// Subscriptions that are open.
    pub open: AtomicI64,
    /// Items that subscriptions have made.
    pub made: AtomicI64,
    /// Queries that began to be slow, less those that ended, however they did.
    pub slow: AtomicI64,
}

/// Counts while it lives.
struct Counted<'a>(&'a AtomicI64);

impl<'a> Counted<'a> {
    fn new(count: &'a AtomicI64) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(count)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

struct Open(Arc<Probe>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::SeqCst);
    }
}

pub fn schema() -> ToySchema {
    Schema::build(Query, Mutation, Feed).limit_recursive_depth(200).finish()
}

/// The schema, showing its inside to `probe`.
pub fn executor(probe: &Arc<Probe>) -> Arc<dyn Executor> {
    let probe = Arc::clone(probe);
    Arc::new(Prepared::new(schema(), move |request| request.data(Arc::clone(&probe))))
}

#[derive(Interface)]
#[graphql(field(name = "id", ty = "&ID"))]
pub enum Node {
    Leaf(Leaf),
}

#[derive(Clone, SimpleObject)]
pub struct Leaf {
    id: ID,
    name: String,
}

#[derive(InputObject)]
pub struct RecordInput {
    name: String,
    payload: Option<Json<serde_json::Value>>,
    #[graphql(validator(maximum = 10))]
    weight: Option<i32>,
}

pub struct Tree(u32);

#[Object]
impl Tree {
    async fn depth(&self) -> u32 {
        self.0
    }
    async fn child(&self) -> Tree {
        Tree(self.0 + 1)
    }
    async fn children(&self) -> Vec<Tree> {
        vec![Tree(self.0 + 1)]
    }
}

pub struct Query;

#[Object]
impl Query {
    async fn hello(&self, name: Option<String>) -> String {
        format!("Hello, {}!", name.as_deref().unwrap_or("world"))
    }
    async fn echo(&self, value: Option<Json<serde_json::Value>>) -> Option<Json<serde_json::Value>> {
        value
    }
    async fn node(&self, id: ID) -> Option<Node> {
        (id != "none").then(|| Node::Leaf(Leaf { id, name: "leaf".to_owned() }))
    }
    async fn tree(&self) -> Tree {
        Tree(0)
    }
    async fn text(&self, bytes: usize) -> String {
        "abcdefgh ".chars().cycle().take(bytes).collect()
    }
    async fn slow(&self, ctx: &Context<'_>, ms: u64) -> bool {
        let _counted = Counted::new(&ctx.data_unchecked::<Arc<Probe>>().slow);
        tokio::time::sleep(Duration::from_millis(ms)).await;
        true
    }
    /// The error within the option leaves the other fields alone; around it, it would not.
    async fn refused(&self) -> Option<Result<bool>> {
        Some(Err(Error::new("There is none.").extend_with(|_, values| values.set("code", "NOT_FOUND"))))
    }
    async fn panics(&self, #[graphql(default = true)] really: bool) -> bool {
        assert!(!really, "as asked");
        false
    }
}

pub struct Mutation;

#[Object]
impl Mutation {
    async fn record(&self, input: RecordInput) -> Leaf {
        let _ = (input.payload, input.weight);
        Leaf { id: ID::from("1"), name: input.name }
    }
}

#[derive(Clone, SimpleObject)]
pub struct Change {
    revision: u64,
    name: String,
    text: String,
}

pub struct Feed;

#[Subscription]
impl Feed {
    /// Changes with a revision above `after`, up to `to`, then the end.
    #[allow(clippy::unused_async, reason = "the macro wants resolvers to be async")]
    async fn changes(
        &self,
        ctx: &Context<'_>,
        after: Option<String>,
        #[graphql(default = 1_000_000)] to: u64,
        #[graphql(default = 10)] every: u64,
        #[graphql(default = 0)] bytes: usize,
    ) -> Result<impl Stream<Item = Change>> {
        let after: u64 = match after {
            Some(after) => after.parse().map_err(|_| {
                Error::new("after is no revision").extend_with(|_, e| e.set("code", "BAD_CURSOR"))
            })?,
            None => 0,
        };
        let probe = Arc::clone(ctx.data_unchecked::<Arc<Probe>>());
        probe.open.fetch_add(1, Ordering::SeqCst);
        let open = Open(Arc::clone(&probe));
        let text = "x".repeat(bytes);
        Ok(stream::iter(after + 1..=to).then(move |revision| {
            let _open = &open;
            let change = Change { revision, name: format!("change {revision}"), text: text.clone() };
            let probe = Arc::clone(&probe);
            async move {
                if every > 0 {
                    tokio::time::sleep(Duration::from_millis(every)).await;
                }
                probe.made.fetch_add(1, Ordering::SeqCst);
                change
            }
        }))
    }
    /// Nothing, ever.
    async fn silence(&self) -> impl Stream<Item = bool> {
        stream::pending()
    }
    async fn panics(&self) -> impl Stream<Item = bool> {
        stream::iter([true]).map(|really| {
            assert!(!really, "as asked");
            false
        })
    }
}
