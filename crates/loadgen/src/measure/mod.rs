//! What is measured: distributions, counters, second by second and in total.

pub mod counters;
pub mod cpu;
pub mod distribution;
pub mod recording;
pub mod recovery;
pub mod series;
pub mod snapshot;
pub mod totals;
