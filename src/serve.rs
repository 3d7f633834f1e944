//! Runs the services in this process.
