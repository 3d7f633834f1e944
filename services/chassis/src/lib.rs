//! How every service serves HTTP
