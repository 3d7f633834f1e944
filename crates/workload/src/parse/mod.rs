//! The small languages of options, such as `order=80,read=20`, and where a text of them is wrong.

pub mod error;
pub mod token;
