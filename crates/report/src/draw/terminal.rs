//! What a stream leads to: how wide it is, whether it has colours, and whether what stands there may be drawn over. The
//! one place that decides this.

use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::os::fd::AsFd;

/// What is taken for the width of a terminal that does not tell it.
const USUAL_WIDTH: usize = 80;

/// Whether there are colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// Escape sequences of a terminal.
    On,
    /// Plain text.
    Off,
}

/// What a stream leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terminal {
    /// How many characters fit into a line; as many as there are where it is no terminal.
    pub width: Option<usize>,
    /// Whether there are colours.
    pub colour: Colour,
    /// Whether what was drawn can be drawn over: not where it is no terminal, and not on a dumb one.
    pub is_live: bool,
}

/// What standard output leads to.
#[must_use]
pub fn stdout() -> Terminal {
    look(&io::stdout())
}

/// What standard error leads to.
#[must_use]
pub fn stderr() -> Terminal {
    look(&io::stderr())
}

fn look(stream: &(impl IsTerminal + AsFd)) -> Terminal {
    if !stream.is_terminal() {
        return decide(None, |_| None);
    }
    let told = rustix::termios::tcgetwinsize(stream).map_or(0, |size| usize::from(size.ws_col));
    decide(Some(told), |name| std::env::var_os(name))
}

/// `told` is the width that a terminal tells, 0 if it does not know.
fn decide(told: Option<usize>, variable: impl Fn(&str) -> Option<OsString>) -> Terminal {
    let Some(told) = told else { return Terminal { width: None, colour: Colour::Off, is_live: false } };
    let columns = || variable("COLUMNS")?.to_str()?.parse().ok().filter(|columns| *columns > 0);
    let width = if told > 0 { told } else { columns().unwrap_or(USUAL_WIDTH) };
    let is_live = variable("TERM").is_none_or(|term| term != "dumb");
    let is_plain = variable("NO_COLOR").is_some_and(|value| !value.is_empty());
    let colour = if is_live && !is_plain { Colour::On } else { Colour::Off };
    Terminal { width: Some(width), colour, is_live }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_is_what_it_tells_and_the_variables_say() {
        let on = |width| Terminal { width: Some(width), colour: Colour::On, is_live: true };
        let pipe = Terminal { width: None, colour: Colour::Off, is_live: false };
        for (told, variables, expected) in [
            (None, &[("COLUMNS", "40")][..], pipe),
            (Some(120), &[("COLUMNS", "40"), ("NO_COLOR", "")], on(120)),
            (Some(0), &[("COLUMNS", "40")], on(40)),
            (Some(0), &[("COLUMNS", "0")], on(80)),
            (Some(80), &[("NO_COLOR", "1")], Terminal { colour: Colour::Off, ..on(80) }),
            (Some(80), &[("TERM", "dumb")], Terminal { width: Some(80), ..pipe }),
        ] {
            let value = |name: &str| {
                variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into())
            };
            assert_eq!(decide(told, value), expected, "{told:?} {variables:?}");
        }
    }
}
