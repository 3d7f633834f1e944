//! `ordersys completions`: what a shell needs to complete commands, flags and names.

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::{Cli, Globals};

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
    clap_complete::generate(args.shell, &mut Cli::command(), "ordersys", &mut text);
    globals.printer().out(&String::from_utf8_lossy(&text));
}
