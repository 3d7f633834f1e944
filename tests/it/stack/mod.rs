//! The orchestrator: stacks of containers and of local processes, their state, their logs.

mod addresses;
mod container_logs;
mod drift;
mod everywhere;
mod interrupted;
mod local_stack;
mod logs;
mod mistakes;
mod pasted;
mod processes;
mod remembered;
mod state;
mod stopped;
mod trace;
mod up_and_down;
