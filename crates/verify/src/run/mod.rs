//! The checks of a run: what clients were answered, held against what the system tells afterwards. Judging
//! (`expectations`, `orders`, `unacknowledged`, `stock`, `generator_checks`) does no IO.

mod chi_square;
pub mod coverage;
pub mod expectations;
pub mod generator_checks;
pub mod orders;
pub(crate) mod read;
pub(crate) mod resolve;
pub mod stock;
mod unacknowledged;

#[cfg(test)]
mod tests;
