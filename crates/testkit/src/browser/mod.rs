//! A real browser, and web sites for it.

pub mod chromium;
pub mod site;
