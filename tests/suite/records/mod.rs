//! What lies in databases that exist: the bytes of keys and records of every format that was released.
//! A change that would make them unreadable fails here.

mod keys;
mod samples;
mod values;
mod words;

use dendro::store::{
    codec::{self, Record},
    key::Key,
    keyspace::Table,
};

/// An entry of a table, with a record in which every field says something.
struct Entry {
    table: &'static str,
    key: Vec<u8>,
    record: Box<dyn Kept>,
}

impl Entry {
    fn of<K: Key, R: Kept + 'static>(table: Table<K, R>, key: K, record: R) -> Self {
        Self { table: table.name, key: key.encode(), record: Box::new(record) }
    }
}

/// A record whatever its type.
trait Kept {
    /// The name of its type.
    fn name(&self) -> &'static str;
    /// The version that is written today.
    fn version(&self) -> u8;
    /// Its bytes as they are written today.
    fn bytes(&self) -> Vec<u8>;
    /// Reads bytes of this type; whether they are this record, or what is wrong with them.
    fn is(&self, bytes: &[u8]) -> Result<(), String>;
    /// Reads bytes of this type.
    fn reads(&self, bytes: &[u8]) -> Result<(), String>;
}

impl<R: Record + PartialEq + std::fmt::Debug> Kept for R {
    fn name(&self) -> &'static str {
        std::any::type_name::<R>().rsplit("::").next().unwrap()
    }

    fn version(&self) -> u8 {
        R::VERSION
    }

    fn bytes(&self) -> Vec<u8> {
        codec::encode("test", self).unwrap()
    }

    fn is(&self, bytes: &[u8]) -> Result<(), String> {
        let read: R = codec::decode("test", bytes).map_err(|error| error.to_string())?;
        if read == *self { Ok(()) } else { Err(format!("it is read as {read:#?}")) }
    }

    fn reads(&self, bytes: &[u8]) -> Result<(), String> {
        codec::decode::<R>("test", bytes).map(drop).map_err(|error| error.to_string())
    }
}
