//! All commands with their flags, as clap describes them, changed in one place for what holds for all of them.

use clap::{Arg, Command};

use super::variables;

/// Below the help of each command, in place of the flags that every command takes.
const GLOBAL_OPTIONS: &str = "Global options: ordersys --help";

/// All commands. Empty variables count as unset, a number may be negative (whether it is in range is said by what
/// reads it), and flags that all commands take are in the help of the program alone.
pub(super) fn whole(mut command: Command) -> Command {
    command.build();
    command.mut_args(tolerant).mut_subcommands(described)
}

fn described(command: Command) -> Command {
    let help = command
        .get_after_help()
        .map_or_else(|| GLOBAL_OPTIONS.to_owned(), |text| format!("{GLOBAL_OPTIONS}\n\n{text}"));
    let hidden = |arg: Arg| if arg.is_global_set() { arg.hide(true) } else { arg };
    command.after_help(help).mut_args(|arg| hidden(tolerant(arg))).mut_subcommands(described)
}

fn tolerant(arg: Arg) -> Arg {
    let arg = if variables::is_empty(&arg) { arg.env(None::<&'static str>) } else { arg };
    if arg.get_action().takes_values() { arg.allow_negative_numbers(true) } else { arg }
}

/// The same, in which a flag that all commands take is given only if it was typed.
pub(super) fn without_variables_of_global_flags(command: Command) -> Command {
    let plain = |arg: Arg| if arg.is_global_set() { arg.env(None::<&'static str>) } else { arg };
    command.mut_args(plain).mut_subcommands(without_variables_of_global_flags)
}
