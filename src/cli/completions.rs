//! `ordersys completions`: what a shell needs to complete commands, flags and names.

use clap::{Command, CommandFactory as _};
use clap_complete::Shell;

use crate::cli::{Cli, Globals};

/// Print what a shell needs to complete commands and flags
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  source <(ordersys completions bash)
  ordersys completions zsh > ~/.zfunc/_ordersys
  ordersys completions fish > ~/.config/fish/completions/ordersys.fish")]
pub(super) struct Args {
    /// Which shell
    shell: Shell,
}

pub(super) fn run(args: &Args, globals: &Globals) {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut offered(&Cli::command()), "ordersys", &mut text);
    globals.printer().out(&String::from_utf8_lossy(&text));
}

/// The same command without hidden ones, which this program calls itself: completions would offer them.
fn offered(command: &Command) -> Command {
    let texts = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect::<Vec<_>>();
    let mut copy = Command::new(command.get_name().to_owned())
        .args(command.get_arguments().cloned())
        .groups(command.get_groups().cloned())
        .visible_aliases(texts(command.get_visible_aliases().collect()))
        .subcommands(command.get_subcommands().filter(|one| !one.is_hide_set()).map(offered));
    if let Some(about) = command.get_about() {
        copy = copy.about(about.clone());
    }
    if let Some(version) = command.get_version() {
        copy = copy.version(version.to_owned());
    }
    copy
}
