//! The directory that holds a project: its mark, its lock, and whether its files may be believed.

pub mod lock;
pub mod mark;
pub mod trust;
