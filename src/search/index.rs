//! The index: opening it, writing to it, and asking it. Every call blocks.

use std::{
    io,
    panic::{self, AssertUnwindSafe},
    path::Path,
    sync::Arc,
};

use parking_lot::Mutex;
use tantivy::{
    IndexReader, IndexSettings, IndexWriter, ReloadPolicy, TantivyError, Term,
    collector::Count,
    directory::{Directory, MmapDirectory, RamDirectory},
    indexer::{IndexWriterOptions, LogMergePolicy},
    query::{BooleanQuery, Occur, PhraseQuery, Query, RangeQuery, TermQuery},
    schema::{Field, IndexRecordOption},
    store::Compressor,
};

use super::{
    config::SearchConfig,
    document::{Document, Hit},
    fields::{self, Fields},
    folder::Folder,
    newest::{Newest, Window},
    query::{Clause, TextQuery},
    words,
};
use crate::model::{TraceId, search::TextKind};

/// Documents of a segment from which on it is not merged with others: what one merge costs, and how many pages of
/// files it has in memory, stays bounded. Queries mostly end with the newest segments, so they may be many.
const LARGE_SEGMENT: usize = 60_000;

/// Segments of about one size that are merged: fewer means more merging, more means slower queries.
const MERGED_AT_ONCE: usize = 8;

/// The part of a segment's documents that may be removed before it is written anew.
const MOSTLY_REMOVED: f32 = 0.3;

/// Why the index did not do what was asked.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the index of texts failed: {0}")]
pub struct SearchError(String);

impl From<TantivyError> for SearchError {
    fn from(error: TantivyError) -> Self {
        Self(error.to_string())
    }
}

impl From<io::Error> for SearchError {
    fn from(error: io::Error) -> Self {
        Self(error.to_string())
    }
}

/// What a call to the index answers.
type Result<T> = std::result::Result<T, SearchError>;

/// An index that is open.
pub struct Index {
    tantivy: tantivy::Index,
    reader: IndexReader,
    fields: Fields,
    folder: Option<Folder>,
    generation: u32,
    writing: Mutex<Writing>,
    config: SearchConfig,
}

/// What is written with. It takes memory and threads, so it is there only while it is needed.
#[derive(Default)]
struct Writing {
    writer: Option<IndexWriter>,
    /// Whether something is written and not committed.
    is_dirty: bool,
    /// Whether something was written since it was last looked whether the writer is needed.
    is_used: bool,
}

impl Index {
    /// Opens the index in a folder, or begins a new one of the generation `fresh`, where there is none, or one of
    /// another format, or one that is damaged.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn open(path: &Path, config: &SearchConfig, fresh: u32) -> Result<Self> {
        let folder = Folder::at(path);
        let opened = folder.generation().map(|generation| {
            // What reads the files panics at some that are not what was written.
            let open = AssertUnwindSafe(|| Self::in_folder(&folder, config, generation));
            panic::catch_unwind(open)
                .unwrap_or_else(|_| Err(SearchError("its files cannot be read".to_owned())))
        });
        match opened {
            Some(Ok(index)) => return Ok(index),
            Some(Err(error)) => {
                tracing::warn!(%error, folder = %path.display(), "the index of texts is damaged and begun anew");
            }
            None => {}
        }
        folder.empty()?;
        let index = Self::in_folder(&folder, config, fresh)?;
        folder.declare(fresh)?;
        Ok(index)
    }

    /// Has an index that is not kept in step any more begun anew when it is opened next.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn forsake(path: &Path) -> Result<()> {
        Ok(Folder::at(path).disown()?)
    }

    /// An index in memory, which ends with it.
    ///
    /// # Errors
    /// When threads cannot be started.
    pub fn in_memory(config: &SearchConfig, fresh: u32) -> Result<Self> {
        Self::over(RamDirectory::create(), None, config, fresh)
    }

    fn in_folder(folder: &Folder, config: &SearchConfig, generation: u32) -> Result<Self> {
        let directory = MmapDirectory::open(folder.path()).map_err(TantivyError::from)?;
        Self::over(directory, Some(folder.clone()), config, generation)
    }

    fn over(
        directory: impl Into<Box<dyn Directory>>,
        folder: Option<Folder>,
        config: &SearchConfig,
        generation: u32,
    ) -> Result<Self> {
        let (schema, fields) = fields::declare();
        // Nothing is stored, so there is nothing to compress.
        let settings = IndexSettings {
            docstore_compression: Compressor::None,
            docstore_compress_dedicated_thread: false,
            ..IndexSettings::default()
        };
        let index = tantivy::Index::builder().schema(schema).settings(settings).open_or_create(directory)?;
        index.tokenizers().register(fields::WORDS, words::analyzer());
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
        let writing = Mutex::default();
        Ok(Self { tantivy: index, reader, fields, folder, generation, writing, config: config.clone() })
    }

    /// What tells this index from one that was there before it: see [`Index::open`].
    #[must_use]
    pub const fn generation(&self) -> u32 {
        self.generation
    }

    /// What it was opened with.
    #[must_use]
    pub const fn config(&self) -> &SearchConfig {
        &self.config
    }

    /// Removes the documents of these traces and puts others in their place. It is seen and lasts once it is
    /// [committed](Index::commit).
    ///
    /// # Errors
    /// When it cannot be written; then nothing is kept of what was not committed.
    pub fn replace(&self, traces: &[TraceId], documents: &[Document]) -> Result<()> {
        self.write(|writer| {
            for trace in traces {
                writer.delete_term(Term::from_field_bytes(self.fields.trace, trace.bytes()));
            }
            documents
                .iter()
                .try_for_each(|document| writer.add_document(self.fields.write(document)).map(drop))
        })
    }

    /// Makes what was written durable, and visible.
    ///
    /// # Errors
    /// As [`Index::replace`].
    pub fn commit(&self) -> Result<()> {
        let mut writing = self.writing.lock();
        let Writing { writer: Some(writer), is_dirty: true, .. } = &mut *writing else { return Ok(()) };
        if let Err(error) = writer.commit() {
            *writing = Writing::default();
            return Err(error.into());
        }
        writing.is_dirty = false;
        drop(writing);
        Ok(self.reader.reload()?)
    }

    /// Commits, and gives back the memory for writing where nothing was written since the last call.
    ///
    /// # Errors
    /// As [`Index::replace`].
    pub fn tidy(&self) -> Result<()> {
        self.commit()?;
        let mut writing = self.writing.lock();
        if std::mem::take(&mut writing.is_used) || writing.is_dirty {
            return Ok(());
        }
        let Some(writer) = writing.writer.take() else { return Ok(()) };
        // Under the lock: there must not be two writers.
        Ok(writer.wait_merging_threads()?)
    }

    /// Removes all documents, to begin anew. Until [`Index::finish`], who opens it next begins it anew.
    ///
    /// # Errors
    /// As [`Index::replace`].
    pub fn clear(&self) -> Result<()> {
        self.disown();
        self.write(|writer| writer.delete_all_documents().map(drop))?;
        self.commit()
    }

    /// Says that all is in it again.
    ///
    /// # Errors
    /// As [`Index::replace`].
    pub fn finish(&self) -> Result<()> {
        self.commit()?;
        Ok(self.folder.as_ref().map_or(Ok(()), |folder| folder.declare(self.generation))?)
    }

    /// Has it begun anew when it is opened next.
    pub fn disown(&self) {
        if let Some(folder) = &self.folder
            && let Err(error) = folder.disown()
        {
            tracing::warn!(%error, folder = %folder.path().display(), "the index of texts stays as it is");
        }
    }

    fn write(&self, write: impl FnOnce(&IndexWriter) -> tantivy::Result<()>) -> Result<()> {
        let mut writing = self.writing.lock();
        if writing.writer.is_none() {
            writing.writer = Some(self.writer()?);
        }
        (writing.is_used, writing.is_dirty) = (true, true);
        let Some(writer) = &writing.writer else { return Ok(()) };
        if let Err(error) = write(writer) {
            // One that failed does not work any more.
            *writing = Writing::default();
            return Err(error.into());
        }
        Ok(())
    }

    fn writer(&self) -> Result<IndexWriter> {
        let options = IndexWriterOptions::builder()
            .num_worker_threads(1)
            .num_merge_threads(1)
            .memory_budget_per_thread(self.config.writer_bytes)
            .build();
        let writer = self.tantivy.writer_with_options(options)?;
        let mut policy = LogMergePolicy::default();
        policy.set_max_docs_before_merge(LARGE_SEGMENT);
        policy.set_min_num_segments(MERGED_AT_ONCE);
        policy.set_del_docs_ratio_before_merge(MOSTLY_REMOVED);
        writer.set_merge_policy(Box::new(policy));
        Ok(writer)
    }

    /// The documents that have what is looked for in texts of one of these kinds (of any, where none is named), the
    /// newest first.
    ///
    /// # Errors
    /// When the index is damaged.
    pub fn find(&self, query: &TextQuery, kinds: &[TextKind], window: Window) -> Result<Vec<Hit>> {
        if window.most == 0 {
            return Ok(Vec::new());
        }
        let query = self.query(query, kinds);
        Ok(Newest(Arc::new(window)).search(&self.reader.searcher(), &query)?)
    }

    /// How many documents have what is looked for.
    ///
    /// # Errors
    /// When the index is damaged.
    pub fn count(&self, query: &TextQuery, kinds: &[TextKind]) -> Result<u64> {
        Ok(self.reader.searcher().search(&self.query(query, kinds), &Count)? as u64)
    }

    fn query(&self, query: &TextQuery, kinds: &[TextKind]) -> BooleanQuery {
        let fields = self.fields.of_kinds(kinds);
        let clause = |clause: &Clause| {
            let occur = if clause.is_excluded { Occur::MustNot } else { Occur::Must };
            let anywhere = fields.iter().filter_map(|field| in_field(clause, *field)).collect();
            (occur, Box::new(BooleanQuery::union(anywhere)) as Box<dyn Query>)
        };
        BooleanQuery::new(query.clauses().iter().map(clause).collect())
    }
}

/// A word or a phrase in texts of one kind.
fn in_field(clause: &Clause, field: Field) -> Option<Box<dyn Query>> {
    let term = |word: &String| Term::from_field_text(field, word);
    match clause.words.as_slice() {
        [] => None,
        [word] if clause.is_beginning => {
            let start = std::ops::Bound::Included(term(word));
            // No word has this character, which comes after all others.
            let end = std::ops::Bound::Excluded(term(&format!("{word}{}", char::MAX)));
            Some(Box::new(RangeQuery::new(start, end)))
        }
        [word] => Some(Box::new(TermQuery::new(term(word), IndexRecordOption::Basic))),
        words => Some(Box::new(PhraseQuery::new(words.iter().map(term).collect()))),
    }
}

#[cfg(test)]
mod tests;
