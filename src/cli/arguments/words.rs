//! What is wrong with a value, in words of ours and not in those of the parser that did not take it.

use std::error::Error as _;
use std::net::AddrParseError;
use std::num::{IntErrorKind, ParseFloatError, ParseIntError, TryFromIntError};
use std::str::ParseBoolError;

use clap::error::{ContextKind, ContextValue};
use ordersys_command::printable;

/// The same error, with what the argument takes as its reason.
pub(super) fn explained(error: clap::Error) -> clap::Error {
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        _ => String::new(),
    };
    let (argument, value) = (context(ContextKind::InvalidArg), context(ContextKind::InvalidValue));
    let negative = value.starts_with('-').then_some("a whole number, not less than 0");
    let known = error.source().and_then(takes).map(|takes| match negative {
        Some(words) if takes == WHOLE => words.to_owned(),
        _ => takes.to_owned(),
    });
    let Some(takes) = known.or_else(|| error.source().and_then(range)) else { return error };
    let value = printable(&value);
    let message = format!(
        "invalid value '{value}' for '{argument}': it takes {takes}\n\nFor more information, try '--help'.\n"
    );
    clap::Error::raw(error.kind(), message)
}

/// What a number that is read has to be.
const WHOLE: &str = "a whole number";

/// The range that a number was not in, in words.
fn range(reason: &(dyn std::error::Error + 'static)) -> Option<String> {
    let reason = reason.to_string();
    let (_, range) = reason.split_once(" is not in ")?;
    let (least, most) = range.split_once("..=")?;
    Some(format!("a whole number from {least} to {most}"))
}

/// What an argument takes whose value a parser that knows nothing of arguments did not take.
fn takes(reason: &(dyn std::error::Error + 'static)) -> Option<&'static str> {
    if let Some(error) = reason.downcast_ref::<ParseIntError>() {
        return Some(match error.kind() {
            IntErrorKind::PosOverflow | IntErrorKind::NegOverflow => "a smaller whole number",
            _ => WHOLE,
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
