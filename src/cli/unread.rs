//! The end of a command line that runs no command: it asks for help or the version, or is wrong.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::ErrorKind;
use ordersys_command::Exit;

use crate::cli::unwritten;
use crate::render;
use crate::render::{Output, Printer};
use ordersys_report::draw::terminal::{self, Colour};

/// Prints what was asked for, or what is wrong.
pub(super) fn end(error: &clap::Error) -> ExitCode {
    let output = asked(std::env::args_os().skip(1));
    let text = error.render();
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand && output != Output::Json {
        render::help(&text.to_string());
        return ExitCode::from(Exit::Usage as u8);
    }
    if error.use_stderr() {
        render::usage(&text.to_string(), output);
        return ExitCode::from(Exit::Usage as u8);
    }
    let text = match terminal::stdout().colour {
        Colour::On => text.ansi().to_string(),
        Colour::Off => text.to_string(),
    };
    Printer::new(Output::Table, false).out(&text);
    let Some(lost) = render::lost() else { return ExitCode::SUCCESS };
    let failure = unwritten(&lost);
    render::failure(&failure, output);
    ExitCode::from(failure.exit as u8)
}

/// How errors are to be printed, as far as a command line says it that cannot be read.
fn asked(words: impl Iterator<Item = OsString>) -> Output {
    let words = words.filter_map(|word| word.into_string().ok()).take_while(|word| word != "--");
    let words: Vec<_> = words.collect();
    let mut is_json = std::env::var("ORDERSYS_OUTPUT").is_ok_and(|output| output == "json");
    for (index, word) in words.iter().enumerate() {
        let next = words.get(index + 1).map(String::as_str);
        if let Some(format) = format(word, next) {
            is_json = format == "json";
        }
    }
    if is_json { Output::Json } else { Output::Table }
}

/// The format that a word asks for, alone or with the next one.
fn format<'a>(word: &'a str, next: Option<&'a str>) -> Option<&'a str> {
    if let Some(long) = word.strip_prefix("--") {
        return match long {
            "json" => Some("json"),
            "output" | "format" => next,
            _ => long.strip_prefix("output=").or_else(|| long.strip_prefix("format=")),
        };
    }
    let (_, value) = word.strip_prefix('-')?.split_once('o')?;
    Some(value.trim_start_matches('=')).filter(|value| !value.is_empty()).or(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_of_errors_is_seen_in_a_command_line_that_cannot_be_read() {
        let asked = |line: &str| asked(line.split(' ').map(OsString::from));
        for line in [
            "-o json x",
            "-ojson",
            "-o=json",
            "-qo json",
            "up --output json",
            "--output=json",
            "--format json",
            "--format=json",
            "--json",
            "-o table -o json",
        ] {
            assert_eq!(asked(line), Output::Json, "{line}");
        }
        for line in ["", "-o table", "-- -o json", "--order json", "json", "-o", "-o json -o table"] {
            assert_eq!(asked(line), Output::Table, "{line}");
        }
    }
}
