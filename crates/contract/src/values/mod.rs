//! Values of one member: each parsed once into a type that cannot be wrong.

pub mod base_url;
pub(crate) mod currency;
pub mod email;
pub(crate) mod hex;
pub mod id;
pub mod money;
pub mod quantity;
pub mod secret;
pub mod strict;
pub mod time;
