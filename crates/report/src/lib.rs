//! What people read, as text: tables and words that fit a terminal, results of load runs as lines, pages and files,
//! the view of a run that goes on, what there is of stacks. Nothing here is printed: that is the binary's.

pub mod bench;
pub mod calibration;
pub mod comparison;
pub mod draw;
pub mod export;
pub(crate) mod html;
pub mod live;
pub mod saturation;
pub mod stack;
#[cfg(test)]
mod tests;

pub use crate::draw::table::Table;
