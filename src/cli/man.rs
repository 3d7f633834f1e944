//! `ordersys man`: manual pages, made from the same source as `--help`.

use std::path::PathBuf;

use anyhow::Context as _;

use crate::cli::{Globals, command};
use ordersys_command::{Exit, Failure, Outcome};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ordersys man | man -l -
  ordersys man --out ~/.local/share/man/man1")]
pub(super) struct Args {
    /// Write ordersys.1, ordersys-up.1 and so on into this directory
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub(super) fn run(args: &Args, globals: &Globals) -> Outcome {
    let printer = globals.printer();
    let Some(dir) = &args.out else {
        let mut page = Vec::new();
        clap_mangen::Man::new(command()).render(&mut page)?;
        printer.out(&String::from_utf8_lossy(&page));
        return Ok(());
    };
    let write = || {
        std::fs::create_dir_all(dir)?;
        clap_mangen::generate_to(command(), dir)
    };
    if dir.is_file() {
        return Err(Failure::new(
            Exit::Usage,
            format!("{} is a file; --out takes a directory", dir.display()),
        ));
    }
    write().with_context(|| format!("cannot write manual pages into {}", dir.display()))?;
    printer.say(format!("wrote the manual pages into {}", dir.display()));
    Ok(())
}
