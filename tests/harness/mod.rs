//! Real service processes to be killed, for every test and tool that kills them.

pub(crate) mod buyer;
pub(crate) mod judge;
pub(crate) mod kill_loop;
pub(crate) mod processes;
