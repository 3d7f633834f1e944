//! Places where tests let a service die or its disk fail; nothing at all without the feature
//! `failpoints`.
//!
//! What happens where is set by the environment variable `FAILPOINTS` of the process, in the
//! notation of the crate `fail`: `order-committed=return` or `product-commit=1*return(io)`.

/// Reads what is to happen from the environment. To be called once, before any service starts.
pub fn arm() {
    #[cfg(feature = "failpoints")]
    std::mem::forget(fail::FailScenario::setup());
}

/// Ends the process here, as `kill -9` would, if that is set.
#[inline]
pub fn crash(name: &str) {
    if argument(name).is_some() {
        let _ = std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("died at {name}\n"));
        std::process::abort();
    }
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

/// The argument that is set for a point; `None` if nothing is to happen.
#[inline]
#[must_use]
pub fn argument(name: &str) -> Option<String> {
    #[cfg(feature = "failpoints")]
    return fail::eval(name, Option::unwrap_or_default);
    #[cfg(not(feature = "failpoints"))]
    {
        let _ = name;
        None
    }
}
