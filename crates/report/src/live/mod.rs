//! What is shown of a run while it goes on: text from figures, without a terminal.

mod bars;
mod view;

pub use crate::live::view::{Size, View};
