//! What every command shares, whatever it does: how it fails, how it is cancelled, what it reports meanwhile,
//! and how text of others is shown.
//! Nothing here parses a command line or prints.

mod cancellation;
mod counted;
mod failure;
mod pasted;
mod printable;
pub mod progress;
mod signals;

pub use cancellation::{Cancellation, Cancelled};
pub use counted::counted;
pub use failure::{Exit, Failure, OrFail, Outcome};
pub use pasted::Pasted;
pub use printable::{printable, printable_lines, steers};
pub use progress::{Events, Progress};
pub use signals::Signals;
