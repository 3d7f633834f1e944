//! The distribution of each second, by endpoint, as a log in HdrHistogram's interval format (V2, compressed):
//! written while the run goes on, so that its length costs no memory.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{IntervalLogWriter, IntervalLogWriterBuilder, Tag};

use crate::result::files::{create_shared, make_shared_dir};
use ordersys_loadgen::engine::Second;

/// The log's file in the directory of a run.
pub const FILE: &str = "response.hlog";
/// Times are kept in nanoseconds; the column of maxima is in milliseconds.
const NANOS_PER_MILLI: f64 = 1e6;
const SECOND: Duration = Duration::from_secs(1);

/// The file of a log, and what writing into it needs.
pub struct LogFile {
    path: PathBuf,
    file: BufWriter<File>,
    serializer: V2DeflateSerializer,
}

/// A log that is being written.
pub struct IntervalLog<'a> {
    path: &'a Path,
    writer: IntervalLogWriter<'a, 'a, BufWriter<File>, V2DeflateSerializer>,
    error: Option<anyhow::Error>,
}

impl LogFile {
    /// Makes the log of a run in a directory, which is made if it is not there.
    pub fn create(dir: &Path) -> anyhow::Result<Self> {
        let path = dir.join(FILE);
        let made = make_shared_dir(dir).and_then(|()| create_shared(&path));
        let file = BufWriter::new(made.with_context(|| format!("cannot write {}", path.display()))?);
        Ok(Self { path, file, serializer: V2DeflateSerializer::new() })
    }

    /// Begins the log: its seconds count from now, the end of the warm-up is second 0.
    pub fn begin(&mut self) -> anyhow::Result<IntervalLog<'_>> {
        let now = SystemTime::now();
        let mut builder = IntervalLogWriterBuilder::new();
        builder
            .add_comment("[Histogram log format version 1.3]")
            .add_comment("response times in nanoseconds");
        builder.with_start_time(now).with_base_time(now).with_max_value_divisor(NANOS_PER_MILLI);
        let writer = builder.begin_log_with(&mut self.file, &mut self.serializer);
        let writer = writer.with_context(|| format!("cannot write {}", self.path.display()))?;
        Ok(IntervalLog { path: &self.path, writer, error: None })
    }

    /// Writes what is still held back.
    pub fn finish(mut self) -> anyhow::Result<()> {
        self.file.flush().with_context(|| format!("cannot write {}", self.path.display()))
    }
}

impl IntervalLog<'_> {
    /// Adds a second. After an error nothing more is written; [`Self::result`] has the first one.
    pub fn add(&mut self, second: &Second<'_>) {
        if self.error.is_none() {
            self.error = self.write(second).err();
        }
    }

    fn write(&mut self, second: &Second<'_>) -> anyhow::Result<()> {
        let start = Duration::from_secs(second.row.at);
        for entry in second.snapshot.entries().filter(|entry| !entry.recording.response.is_empty()) {
            let (histogram, tag) = (entry.recording.response.histogram(), Tag::new(entry.endpoint.name()));
            self.writer
                .write_histogram(histogram, start, SECOND, tag)
                .with_context(|| format!("cannot write {}", self.path.display()))?;
        }
        Ok(())
    }

    /// The first error.
    pub fn result(self) -> anyhow::Result<()> {
        self.error.map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests {
    use hdrhistogram::Histogram;
    use hdrhistogram::serialization::Deserializer;
    use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};

    use super::*;
    use ordersys_loadgen::measure::series::Series;
    use ordersys_loadgen::measure::snapshot::Snapshot;
    use ordersys_loadgen::measure::totals::RunTotals;
    use ordersys_workload::endpoint::Endpoint;

    #[test]
    fn what_is_read_back_is_what_was_measured() {
        let dir = tempfile::tempdir().expect("a directory");
        let (mut snapshot, mut series) = (Snapshot::default(), Series::default());
        for millis in 1..=100_u64 {
            let recording = snapshot.of(0, Endpoint::Order);
            recording.counters.planned += 1;
            recording.response.record(millis * 1_000_000);
        }
        let row = series.push(snapshot.of(0, Endpoint::Order));
        let mut file = LogFile::create(&dir.path().join("run")).expect("makes the file");
        let mut log = file.begin().expect("begins");
        log.add(&Second { row: &row, snapshot: &snapshot, totals: &RunTotals::default() });
        log.result().expect("was written");
        file.finish().expect("was written");

        let text = std::fs::read(dir.path().join("run").join(FILE)).expect("is there");
        let entries: Vec<_> = IntervalLogIterator::new(&text).map(|entry| entry.expect("an entry")).collect();
        let intervals: Vec<_> = entries
            .iter()
            .filter_map(|entry| match entry {
                LogEntry::Interval(interval) => Some(interval),
                _ => None,
            })
            .collect();
        let [interval] = intervals.as_slice() else { panic!("one interval: {intervals:?}") };
        assert_eq!(interval.tag().map(|tag| tag.as_str()), Some("order"));
        assert_eq!((interval.start_timestamp(), interval.duration()), (Duration::ZERO, SECOND));
        assert!((interval.max() - 100.0).abs() < 0.1, "{}", interval.max());
        let bytes = decode(interval.encoded_histogram());
        let read: Histogram<u64> = Deserializer::new().deserialize(&mut &bytes[..]).expect("a histogram");
        let recorded = snapshot.of(0, Endpoint::Order).response.histogram().clone();
        assert_eq!(read.len(), 100);
        for quantile in [0.5, 0.9, 0.99, 1.0] {
            let (a, b) = (read.value_at_quantile(quantile), recorded.value_at_quantile(quantile));
            assert!(read.equivalent(a, b), "{quantile}: {a} and {b}");
        }
    }

    /// Base 64, as the format has it.
    fn decode(text: &str) -> Vec<u8> {
        let value = |letter: u8| match letter {
            b'A'..=b'Z' => u32::from(letter - b'A'),
            b'a'..=b'z' => u32::from(letter - b'a') + 26,
            b'0'..=b'9' => u32::from(letter - b'0') + 52,
            b'+' => 62,
            _ => 63,
        };
        let letters: Vec<u8> = text.bytes().filter(|letter| *letter != b'=').collect();
        let group = |four: &[u8]| {
            let bits =
                four.iter().fold(0, |bits, letter| bits << 6 | value(*letter)) << (6 * (4 - four.len()));
            bits.to_be_bytes()[1..four.len()].to_vec()
        };
        letters.chunks(4).flat_map(group).collect()
    }
}
