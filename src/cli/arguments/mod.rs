//! The command line as it was typed, read. What is wrong with it is said in words of ours, and without the flags that
//! only variables gave.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{ArgMatches, Command, Parser};

mod habits;
mod services;
mod switch;
mod tree;
mod unused;
mod variables;
mod words;

pub(super) use services::Services;
pub(super) use switch::switch;
pub(super) use unused::refused;

/// A command line, and where each value in it came from.
pub(super) struct Read<P> {
    pub(super) parsed: P,
    pub(super) origins: ArgMatches,
}

/// Reads the command line, or says what it ends with: the help that was asked for, or what is wrong.
pub(super) fn parse<P: Parser>() -> Result<Read<P>, clap::Error> {
    let typed: Vec<OsString> = std::env::args_os().collect();
    read(&typed)
}

/// Most command lines are right at once. All commands are described only to explain what is wrong with one, to help,
/// and where an empty variable has to be passed over: that takes memory.
fn read<P: Parser>(typed: &[OsString]) -> Result<Read<P>, clap::Error> {
    if !variables::any_is_empty()
        && let Ok(read) = attempt(P::command(), typed)
    {
        return Ok(read);
    }
    let whole = tree::whole(P::command());
    let error = match attempt::<P>(whole.clone(), typed) {
        Err(error) if error.use_stderr() => error,
        read_or_help => return read_or_help,
    };
    let plain = tree::without_variables_of_global_flags(whole.clone());
    let error = if error.kind() == ErrorKind::MissingSubcommand {
        help::<P>(&plain, &error).unwrap_or(error)
    } else {
        let same = attempt::<P>(plain, typed).err().filter(|other| is_same(other, &error));
        variables::named(same.unwrap_or(error), &whole, typed)
    };
    Err(words::explained(habits::suggested(error, &whole)))
}

fn attempt<P: Parser>(mut command: Command, typed: &[OsString]) -> Result<Read<P>, clap::Error> {
    let origins = command.try_get_matches_from_mut(typed)?;
    let parsed = P::from_arg_matches(&origins).map_err(|error| error.format(&mut command))?;
    Ok(Read { parsed, origins })
}

/// The help of a command that lacks its subcommand.
fn help<P: Parser>(plain: &Command, missing: &clap::Error) -> Option<clap::Error> {
    let Some(ContextValue::String(command)) = missing.get(ContextKind::InvalidSubcommand) else {
        return None;
    };
    let alone: Vec<OsString> = command.split_whitespace().map(OsString::from).collect();
    attempt::<P>(plain.clone(), &alone).err()
}

/// Whether both errors say the same but for the usage.
fn is_same(one: &clap::Error, other: &clap::Error) -> bool {
    let about = |error: &clap::Error| {
        [ContextKind::InvalidArg, ContextKind::InvalidValue, ContextKind::InvalidSubcommand]
            .map(|kind| error.get(kind).cloned())
    };
    one.kind() == other.kind() && about(one) == about(other)
}
