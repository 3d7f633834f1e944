//! A PostgreSQL server of one's own, from the installation of this machine: found, its data directory made, and the
//! command that runs it. Starting and ending it is its owner's business, except for one of tests and measurements.

mod cluster;
mod installation;
mod temporary;

pub use cluster::{Cluster, ClusterError, DATABASE, ROLE};
pub use installation::{Installation, NotInstalled};
pub use temporary::{Syncing, Temporary, is_here};
