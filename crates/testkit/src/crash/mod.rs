//! Real service processes that are killed under buyers, and the judge of what is left.

pub mod buyer;
pub mod judge;
pub mod kill_loop;
pub mod processes;
