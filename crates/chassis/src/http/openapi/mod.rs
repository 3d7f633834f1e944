//! The OpenAPI document of a service, and the page to read and try it.

mod document;
mod member_order;
mod problems;
mod static_text;

pub(crate) use document::{COMMON, complete};
pub(crate) use problems::{all_problems, one_problem};
pub(crate) use static_text::StaticText;
