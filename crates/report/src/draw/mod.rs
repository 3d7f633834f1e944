//! How tables, words and lines are drawn: what fits a terminal, and in which colours. Nothing here writes.

pub mod ink;
pub(crate) mod table;
pub mod terminal;
pub mod words;
