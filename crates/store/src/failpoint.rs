//! Places where tests let a service die or its disk fail; nothing at all without the feature
//! `failpoints`.
//!
//! What happens where is set by the environment variable `FAILPOINTS` of the process, in the
//! notation of the crate `fail`: `order-committed=return` or `product-commit=1*return(io)`.

use std::time::Duration;

/// Reads what is to happen from the environment. To be called once, before any service starts.
pub fn arm() {
    #[cfg(feature = "failpoints")]
    std::mem::forget(fail::FailScenario::setup());
}

/// Ends the process here, as `kill -9` would, if that is set for the point of this name.
#[inline]
pub fn crash<N: AsRef<str>>(name: impl FnOnce() -> N) {
    #[cfg(feature = "failpoints")]
    {
        let name = name();
        let name = name.as_ref();
        if argument(name).is_some() {
            let _ = std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("died at {name}\n"));
            std::process::abort();
        }
    }
    #[cfg(not(feature = "failpoints"))]
    let _ = name;
}

/// How the next commit of a store is to fail: `full`, `io` (not written) or anything else (written).
#[inline]
#[must_use]
pub fn commit_fault(store: &str) -> Option<String> {
    #[cfg(feature = "failpoints")]
    return argument(&format!("{store}-commit"));
    #[cfg(not(feature = "failpoints"))]
    argument(store)
}

/// The time in milliseconds that is set for a point.
#[must_use]
pub fn millis(name: &str) -> Option<Duration> {
    argument(name)?.parse().ok().map(Duration::from_millis)
}

/// The argument that is set for a point; `None` if nothing is to happen.
#[inline]
fn argument(name: &str) -> Option<String> {
    #[cfg(feature = "failpoints")]
    return fail::eval(name, Option::unwrap_or_default);
    #[cfg(not(feature = "failpoints"))]
    {
        let _ = name;
        None
    }
}
