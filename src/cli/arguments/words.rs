//! What is wrong with a value, in words of ours and not in those of the parser that did not take it.

use std::error::Error as _;
use std::net::AddrParseError;
use std::num::{IntErrorKind, ParseFloatError, ParseIntError, TryFromIntError};
use std::str::ParseBoolError;

use clap::error::{ContextKind, ContextValue};
use ordersys_command::printable;

/// The same error, with what the argument takes as its reason.
pub(super) fn explained(error: clap::Error) -> clap::Error {
    let Some(takes) = error.source().and_then(takes) else { return error };
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        _ => String::new(),
    };
    let (argument, value) = (context(ContextKind::InvalidArg), context(ContextKind::InvalidValue));
    let value = printable(&value);
    let message = format!(
        "invalid value '{value}' for '{argument}': it takes {takes}\n\nFor more information, try '--help'.\n"
    );
    clap::Error::raw(error.kind(), message)
}

/// What an argument takes whose value a parser that knows nothing of arguments did not take.
fn takes(reason: &(dyn std::error::Error + 'static)) -> Option<&'static str> {
    if let Some(error) = reason.downcast_ref::<ParseIntError>() {
        return Some(match error.kind() {
            IntErrorKind::PosOverflow | IntErrorKind::NegOverflow => "a smaller whole number",
            _ => "a whole number",
        });
    }
    let known = [
        (reason.is::<TryFromIntError>(), "a smaller whole number"),
        (reason.is::<ParseFloatError>(), "a number"),
        (reason.is::<humantime::DurationError>(), "a time with its unit, such as 30s, 5m or 250ms"),
        (reason.is::<ParseBoolError>(), "true or false"),
        (reason.is::<AddrParseError>(), "an IP address such as 127.0.0.1"),
    ];
    known.into_iter().find_map(|(is_it, takes)| is_it.then_some(takes))
}
