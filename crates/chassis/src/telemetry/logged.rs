//! What a piece of work logs, for tests.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use tracing::Dispatch;
use tracing::subscriber::NoSubscriber;

#[derive(Clone, Default)]
struct Output(Arc<Mutex<Vec<u8>>>);

impl Write for Output {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("not poisoned").write(line)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The text of what `work` logs in this thread, from `info` on.
pub(crate) fn logged(work: impl FnOnce()) -> String {
    let output = Output::default();
    let writer = output.clone();
    let lines = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    // With one subscriber alone, a line that the thread of another test comes to first would be left out for all.
    let _second = Dispatch::new(NoSubscriber::default());
    tracing::subscriber::with_default(lines, work);
    let bytes = output.0.lock().expect("not poisoned").clone();
    String::from_utf8(bytes).expect("text")
}
