//! Durable group commit: one writer, many commands, one sync
