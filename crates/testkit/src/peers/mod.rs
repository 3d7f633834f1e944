//! What services talk to: a peer that spoils answers, and a collector of spans.

pub mod collector;
pub mod faulty_peer;
