//! A terminal of a test's own, and all that was written to it.

use std::fs::File;
use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

use crate::LIMIT;

/// What is written to a terminal when a command has ended.
const END: &str = "<the end>";

/// A terminal.
pub struct Terminal {
    /// What is written to this was typed.
    pub master: File,
    slave: File,
    seen: Arc<Mutex<Vec<u8>>>,
}

impl Terminal {
    /// A terminal with so many columns; it does not tell its width if these are 0.
    pub fn open(columns: u16) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&master).expect("is ours");
        unlockpt(&master).expect("is ours");
        let name = ptsname(&master, Vec::new()).expect("has a name");
        let path = std::ffi::OsStr::from_bytes(name.as_bytes());
        let slave = File::options().read(true).write(true).open(path).expect("opens");
        let size = Winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&slave, size).expect("has a size");
        let (master, seen) = (File::from(master), Arc::new(Mutex::new(Vec::new())));
        let (mut reader, all) = (master.try_clone().expect("a copy"), Arc::clone(&seen));
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut bytes) {
                all.lock().expect("not poisoned").extend_from_slice(&bytes[..count]);
            }
        });
        Self { master, slave, seen }
    }

    /// The side that a command has.
    pub fn side(&self) -> Stdio {
        OwnedFd::from(self.slave.try_clone().expect("a copy")).into()
    }

    /// All that was written so far.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.seen.lock().expect("not poisoned")).into_owned()
    }

    /// Waits until this was written.
    pub fn until(&self, part: &str) {
        let began = Instant::now();
        while !self.text().contains(part) {
            assert!(began.elapsed() < LIMIT, "{part} does not come: {}", self.text());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Whether it shows what is typed and waits for whole lines, as a shell expects it.
    pub fn is_as_usual(&self) -> bool {
        let usual = LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG;
        tcgetattr(&self.slave).expect("tells").local_modes.contains(usual)
    }

    /// Runs a command on it, and returns how it ended and all that it wrote.
    pub fn run(mut self, command: &mut Command) -> (ExitStatus, String) {
        command.stdin(Stdio::null()).stdout(self.side()).stderr(self.side());
        let status = command.status().expect("runs");
        std::io::Write::write_all(&mut self.slave, END.as_bytes()).expect("writes");
        self.until(END);
        let text = self.text().replace("\r\n", "\n");
        (status, text.trim_end_matches(END).to_owned())
    }
}
