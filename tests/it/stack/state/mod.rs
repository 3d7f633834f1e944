//! State directories: what is deleted, whose processes are commanded, what is believed, and what happens where there
//! is no room.

mod dirs;
mod full;
mod looks;
