//! Why a command failed, as text or as one JSON object.

use std::fmt::Write as _;

use ordersys_command::{Exit, Failure};
use serde::Serialize;

use crate::render::{Output, json_text, out, set_in};
use ordersys_report::draw::ink::Ink;

/// What is told of a failure; stable, scripts read it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    message: String,
    causes: Vec<String>,
    hint: Option<String>,
    exit_code: u8,
}

/// The document of a failure.
#[derive(Debug, Serialize)]
struct Document<'a> {
    version: u32,
    error: &'a Told,
}

/// Says why a command failed, on stderr: the error, its causes and the next step.
pub fn failure(failure: &Failure, output: Output) {
    let told = Told {
        message: failure.error.to_string(),
        causes: failure.error.chain().skip(1).map(ToString::to_string).collect(),
        hint: failure.hint.clone(),
        exit_code: failure.exit as u8,
    };
    match output {
        Output::Json => {
            let document = Document { version: 1, error: &told };
            out::say(&json_text(&serde_json::to_string(&document).unwrap_or_default()));
        }
        Output::Table | Output::Nothing => out::say(&text(&told)),
    }
}

/// Shows the help of a command that was given no subcommand.
pub fn help(text: &str) {
    out::say(text.trim_end());
}

/// Says what is wrong with a command line, in the words of its parser.
pub fn usage(said: &str, output: Output) {
    let said = said.strip_prefix("error: ").unwrap_or(said).trim_end();
    let (message, hint) = said.split_once("\n\n").map_or((said, None), |(what, more)| (what, Some(more)));
    match output {
        Output::Json => {
            let failed = Failure::new(Exit::Usage, message);
            let hint = hint.map(|hint| hint.trim().to_owned());
            failure(&Failure { hint, ..failed }, output);
        }
        Output::Table | Output::Nothing => out::say(&format!("{} {said}", Ink::Bad.paint("error:"))),
    }
}

/// Each cause on a line of its own.
fn text(told: &Told) -> String {
    let mut text = format!("{} {}", Ink::Bad.paint("error:"), set_in(&told.message, "  "));
    for cause in &told.causes {
        let _ = write!(text, "\n  cause: {}", set_in(cause, "    ")); // writing to a String cannot fail
    }
    if let Some(hint) = &told.hint {
        let _ = write!(text, "\n\nhint: {}", set_in(hint, "  "));
    }
    text
}
