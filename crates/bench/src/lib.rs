//! One load run and what is made of it: profile -> prepare -> load and faults -> verify -> verdict -> report; runs
//! that search a limit, and runs that are compared.

pub mod calibrate;
pub mod compare;
pub mod faults;
mod fd_limit;
pub mod prepare;
pub mod profile;
pub mod result;
pub mod run;
pub mod saturate;
pub mod settings;
pub mod stats;
pub mod stop;
pub mod verdict;

pub use run::run;
