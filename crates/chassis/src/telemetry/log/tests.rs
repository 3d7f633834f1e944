//! Lines as readers get them, and readers that do not read.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use super::*;

#[derive(Clone, Default)]
struct Output(Arc<Mutex<Vec<u8>>>);

impl Output {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("not poisoned").clone()).expect("text")
    }
}

impl Write for Output {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("not poisoned").write(line)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn members_keep_their_names_types_and_text() {
    let nasty = "quote \" backslash \\ newline \n tab \t bell \u{7} \u{e9} \u{1f600}";
    let output = Output::default();
    let make = {
        let output = output.clone();
        move || output.clone()
    };
    tracing::subscriber::with_default(json_lines(make, EnvFilter::new("info")), || {
        let (none, error) = (None::<u8>, io::Error::other(nasty));
        tracing::debug!("is left out");
        tracing::warn!(service = "order", count = 7_u64, below = -7, yes = true, half = 0.5, none, nasty,
                       not = f64::NAN, shown = %nasty, debug = ?Some(1), error = &error as &dyn std::error::Error,
                       "it said {nasty}");
    });
    let text = output.text();
    assert!(text.ends_with("}\n"), "{text}");
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let mut expected = serde_json::json!({
        "level": "WARN", "service": "order", "count": 7, "below": -7, "yes": true, "half": 0.5, "not": null,
        "nasty": nasty, "shown": nasty, "debug": "Some(1)", "error": nasty, "message": format!("it said {nasty}"),
    });
    expected["timestamp"] = lines[0]["timestamp"].clone();
    assert_eq!(lines, [expected]);
    let time = lines[0]["timestamp"].as_str().expect("text");
    assert!(time.len() == "2026-01-01T00:00:00.123456Z".len() && time.ends_with('Z'), "{time}");
}

#[test]
fn every_line_is_written_in_its_order() {
    let output = Output::default();
    let (lines, guard) = queue(output.clone());
    for number in 0..8_000 {
        lines.clone().write_all(format!("{number}\n").as_bytes()).expect("is taken");
    }
    drop(guard);
    let expected: Vec<_> = (0..8_000).map(|number: u32| number.to_string()).collect();
    assert_eq!(output.text().lines().collect::<Vec<_>>(), expected);
}

/// Takes nothing until it is let go, like a full pipe that is not read.
struct Stuck(mpsc::Receiver<()>, Output);

impl Write for Stuck {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let _ = self.0.recv(); // no more than once: then the sender is gone
        self.1.write(line)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn write_too_many(lines: &NonBlocking) {
    for number in 0..3 * MAX_WAITING_LINES {
        lines.clone().write_all(format!("{number}\n").as_bytes()).expect("is taken or dropped");
    }
}

#[test]
fn a_reader_that_stands_still_holds_up_neither_lines_nor_the_end() {
    let (_never, released) = mpsc::channel();
    let (lines, guard) = queue(Stuck(released, Output::default()));
    write_too_many(&lines);
    assert!(lines.error_counter().dropped_lines() >= MAX_WAITING_LINES);
    let began = Instant::now();
    drop(guard);
    assert!(began.elapsed() < 2 * FLUSH_TIMEOUT, "{:?}", began.elapsed());
}

#[test]
fn lines_that_were_dropped_are_reported_with_their_number() {
    let (release, released) = mpsc::channel();
    let stuck = Stuck(released, Output::default());
    let (mut lines, _guard) = NonBlockingBuilder::default().buffered_lines_limit(1).finish(stuck);
    while lines.error_counter().dropped_lines() < 3 {
        lines.write_all(b"x\n").expect("is taken or dropped");
    }
    drop(release);
    let dropped = DropCount::default();
    dropped.connect(lines.error_counter());
    let mut batched = Batched::new(Output::default(), dropped);
    let reported = Output::default();
    let make = {
        let reported = reported.clone();
        move || reported.clone()
    };
    tracing::subscriber::with_default(json_lines(make, EnvFilter::new("info")), || {
        for _ in 0..2 {
            batched.write_all(b"a line\n").and_then(|()| batched.flush()).expect("is taken");
        }
    });
    let text = reported.text();
    assert!(text.lines().count() == 1 && text.contains(r#""dropped":3"#), "{text}");
}
