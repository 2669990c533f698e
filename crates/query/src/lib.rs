//! Questions about a store: SQL and search, over the lake's files and the rows still in the WAL.
//!
//! The only crate that names the query engine (DataFusion); plain structs come out. Reads only: must never write a file or change the store.

mod dialect;
mod engine;
mod error;
mod footers;
mod functions;
mod guard;
mod network;
mod open;
mod pattern;
mod provider;
mod rows;
pub mod search;
mod views;

pub use engine::{Answer, Cursor, Engine, Limits, Snapshot, Table};
pub use error::{Blame, QueryError};
pub use footers::Footers;
pub use guard::SQL_BYTES_MAX;
pub use provider::DataFile;
pub use rows::Row;
pub use search::Search;
