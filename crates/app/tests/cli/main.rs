//! The command line from outside: what it prints, and how it ends.

#![allow(clippy::unwrap_used)]

mod import;
mod parse;
mod serve;
