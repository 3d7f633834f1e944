//! `ordersys completions`: what a shell needs to complete commands, flags and names.

use clap::Command;
use clap_complete::Shell;

use crate::cli::{Globals, command};

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
    let (mut text, mut all) = (Vec::new(), command());
    all.build();
    clap_complete::generate(args.shell, &mut offered(&all), "ordersys", &mut text);
    globals.printer().out(&String::from_utf8_lossy(&text));
}

/// The same command without hidden ones, which this program calls itself: completions would offer them. What clap
/// adds to each command is left out, too, since it is added to this one again.
fn offered(whole: &Command) -> Command {
    let texts = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect::<Vec<_>>();
    let mut copy = Command::new(whole.get_name().to_owned())
        .args(
            whole.get_arguments().filter(|one| !matches!(one.get_id().as_str(), "help" | "version")).cloned(),
        )
        .groups(whole.get_groups().cloned())
        .visible_aliases(texts(whole.get_visible_aliases().collect()))
        .subcommands(
            whole.get_subcommands().filter(|one| !one.is_hide_set() && one.get_name() != "help").map(offered),
        );
    if let Some(about) = whole.get_about() {
        copy = copy.about(about.clone());
    }
    if let Some(version) = whole.get_version() {
        copy = copy.version(version.to_owned());
    }
    copy
}
