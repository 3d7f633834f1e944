//! Who calls: the credentials and access tokens that a service accepts, and what callers may do by them.

pub mod authentication;
pub mod caller;
pub mod credentials;
pub mod smoothed_clock;
pub mod tokens;

pub use authentication::Authenticator;
pub(crate) use caller::RequestInfo;
pub use caller::{AdminOnly, Caller, Holder, Internal, InternalOrAdmin, bad_credential};
pub use credentials::Credentials;
pub use tokens::{KeySource, RemoteKeys, Tokens};
