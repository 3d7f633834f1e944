//! The whole terminal for one view, given back however the program ends. The only user of crossterm.

use std::io::{self, IsTerminal as _, Read as _, Write as _};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use crossterm::terminal::{self, Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen};
use crossterm::{cursor, execute, queue, style};
use ordersys_command::printable;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use ordersys_report::draw::words::cut;

/// Whether the terminal is ours at the moment.
static TAKEN: AtomicBool = AtomicBool::new(false);
/// Ctrl-C, as a terminal tells it that shows nothing by itself.
const CTRL_C: u8 = 3;
/// What is taken for the width and height of a terminal that does not say.
const USUAL: (u16, u16) = (80, 24);

/// The terminal; given back when dropped, and before a panic speaks.
#[derive(Debug)]
pub struct Screen(());

impl Screen {
    /// Takes the terminal.
    pub fn take() -> io::Result<Self> {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let before = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |panic| {
                give_back();
                before(panic);
            }));
        });
        TAKEN.store(true, Ordering::SeqCst);
        let screen = Self(()); // from here on it is given back
        if io::stdin().is_terminal() {
            terminal::enable_raw_mode()?;
        }
        execute!(io::stdout(), EnterAlternateScreen, cursor::Hide)?;
        Ok(screen)
    }

    /// How many characters fit into a line, and how many lines.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        let (width, height) = terminal::size().unwrap_or(USUAL);
        let (width, height) = if width == 0 || height == 0 { USUAL } else { (width, height) };
        (width.into(), height.into())
    }

    /// Shows these lines and nothing else. A terminal that went away is not told.
    pub fn draw(&self, lines: &[String]) {
        let _ = self.write(lines);
    }

    fn write(&self, lines: &[String]) -> io::Result<()> {
        let ((width, height), mut out) = (self.size(), io::stdout().lock());
        queue!(out, cursor::MoveTo(0, 0))?;
        for (index, line) in lines.iter().take(height).enumerate() {
            let line = cut(&printable(line), width);
            let row = u16::try_from(index).unwrap_or(u16::MAX);
            queue!(out, cursor::MoveTo(0, row), style::Print(line), Clear(ClearType::UntilNewLine))?;
        }
        queue!(out, Clear(ClearType::FromCursorDown))?;
        out.flush()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

fn give_back() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        let _ = execute!(io::stdout(), cursor::Show, LeaveAlternateScreen); // a failure cannot be shown
        let _ = terminal::disable_raw_mode();
    }
}

/// Hears of each q and Ctrl-C that is typed while the terminal is taken.
#[must_use]
pub fn stops() -> UnboundedReceiver<()> {
    let (sender, receiver) = unbounded_channel();
    if io::stdin().is_terminal() {
        // Nothing ends a read of a terminal, so the thread ends with the program.
        let thread = std::thread::Builder::new().name("keys".to_owned());
        let _ = thread.spawn(move || read_keys(&sender)); // without it signals still end the run
    }
    receiver
}

fn read_keys(stop: &UnboundedSender<()>) {
    let mut typed = [0; 64];
    while let Ok(count @ 1..) = io::stdin().lock().read(&mut typed) {
        let asked = typed[..count].iter().any(|byte| matches!(byte, b'q' | b'Q' | &CTRL_C));
        if asked && stop.send(()).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_gives_the_terminal_back_before_it_speaks() {
        let screen = Screen::take().expect("takes");
        assert!(TAKEN.load(Ordering::SeqCst));
        let panicked = std::thread::spawn(|| panic!("meant to")).join();
        assert!(panicked.is_err() && !TAKEN.load(Ordering::SeqCst));
        drop(screen); // a second time is nothing
        drop(Screen::take().expect("takes again"));
        assert!(!TAKEN.load(Ordering::SeqCst));
    }
}
