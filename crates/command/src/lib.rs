//! What every command shares, whatever it does: how it fails, how it is cancelled, what it reports meanwhile.
//! Nothing here parses a command line or prints.

mod cancellation;
mod failure;
mod pasted;
pub mod progress;
mod signals;

pub use cancellation::{Cancellation, Cancelled};
pub use failure::{Exit, Failure, OrFail, Outcome};
pub use pasted::Pasted;
pub use progress::{Events, Progress};
pub use signals::Signals;
