//! What callers send and what they are answered: documents, access, bad input, limits, pages, browsers, traces.

mod article;
mod bad_input;
mod browsers;
mod documents;
mod endless_lists;
#[cfg(target_os = "linux")]
mod limits;
mod matrix;
mod money;
mod parsers;
mod policy;
mod requests;
mod searches;
mod tracing;
