//! What was planned and what clients were answered: all that is needed to judge a system, and the generator, later.

pub mod answer;
pub mod audit;
pub mod ledger;
pub mod reconcile;
