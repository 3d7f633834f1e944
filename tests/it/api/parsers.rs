//! Bytes of a stranger, by the same functions that the fuzz targets call: random ones, and good ones
//! that were damaged.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::string::FromUtf8Error;

use ordersys_contract::{Secret, Timestamp};
use ordersys_token::{PublicKeys, RefreshToken, Refused};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, TestRunner};

#[expect(unreachable_pub, reason = "a library of the fuzz workspace")]
#[path = "../../../fuzz/src/lib.rs"]
mod readers;

use readers::READERS;

/// What parsers stumble over.
const PIECES: [&[u8]; 16] = [
    b"\"",
    b"{",
    b"}",
    b"[",
    b"]",
    b":",
    b",",
    b"\\u0000",
    b"\\ud83d",
    b"-",
    b"1e999",
    b"0.",
    b"null",
    b"\xff",
    b"\xc3\xa9",
    b"18446744073709551616",
];

/// One damage done to a text.
#[derive(Debug, Clone)]
enum Damage {
    Set(Index, u8),
    Cut(Index, Index),
    Double(Index, Index),
    Insert(Index, &'static [u8]),
}

impl Damage {
    fn apply(mut text: Vec<u8>, damage: &Self) -> Vec<u8> {
        let range = |from: &Index, to: &Index, len: usize| {
            let (from, to) = (from.index(len + 1), to.index(len + 1));
            from.min(to)..from.max(to)
        };
        match damage {
            Self::Set(at, byte) if !text.is_empty() => {
                let at = at.index(text.len());
                text[at] = *byte;
            }
            Self::Set(..) => {}
            Self::Cut(from, to) => drop(text.drain(range(from, to, text.len()))),
            Self::Double(from, to) => {
                let range = range(from, to, text.len());
                let copy = text[range.clone()].to_vec();
                text.splice(range.end..range.end, copy);
            }
            Self::Insert(at, piece) => {
                let at = at.index(text.len() + 1);
                text.splice(at..at, piece.iter().copied());
            }
        }
        text
    }
}

fn damage() -> impl Strategy<Value = Damage> {
    let index = any::<Index>;
    prop_oneof![
        (index(), any::<u8>()).prop_map(|(at, byte)| Damage::Set(at, byte)),
        (index(), index()).prop_map(|(from, to)| Damage::Cut(from, to)),
        (index(), index()).prop_map(|(from, to)| Damage::Double(from, to)),
        (index(), select(&PIECES[..])).prop_map(|(at, piece)| Damage::Insert(at, piece)),
    ]
}

fn fuzz_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz")
}

/// The texts in a reader's directory of seeds.
fn seeds(reader: &str) -> Vec<Vec<u8>> {
    let files = fs::read_dir(fuzz_dir().join("seeds").join(reader)).expect("seeds");
    files.map(|file| fs::read(file.expect("a file").path()).expect("reads")).collect()
}

#[test]
fn no_bytes_break_a_promise() {
    let config = Config { failure_persistence: None, ..Config::default() };
    for (name, read) in READERS {
        let seeds = seeds(name);
        for seed in &seeds {
            read(seed);
        }
        let damaged = (select(seeds), vec(damage(), 1..8))
            .prop_map(|(text, damages)| damages.iter().fold(text, Damage::apply));
        let bytes = prop_oneof![vec(any::<u8>(), 0..200), damaged];
        let bytes = bytes.prop_map(|bytes| String::from_utf8(bytes).map_err(FromUtf8Error::into_bytes));
        let run = TestRunner::new(config.clone()).run(&bytes, |bytes| {
            read(bytes.as_ref().map_or_else(Vec::as_slice, String::as_bytes));
            Ok(())
        });
        assert!(run.is_ok(), "{name}: {}", run.expect_err("failed"));
    }
}

#[test]
fn each_fuzz_target_is_tested_here() {
    let files = fs::read_dir(fuzz_dir().join("fuzz_targets")).expect("targets");
    let targets: BTreeSet<_> = files
        .map(|file| file.expect("a file").path().file_stem().expect("a name").display().to_string())
        .collect();
    assert_eq!(targets, READERS.iter().map(|(name, _)| (*name).to_owned()).collect());
}

/// Without tokens and keys that are good, their readers would be fed with refusals alone.
#[test]
fn the_good_seeds_are_accepted() {
    let seed = |name: &str| fs::read_to_string(fuzz_dir().join("seeds").join(name)).expect("reads");
    let keys = |name: &str| PublicKeys::new(&serde_json::from_str(&seed(name)).expect("a set of keys"));
    let now = Timestamp::from_millis(1_800_000_000_000);
    let (good, ours) = (seed("access_token/good"), keys("key_set/ours"));
    assert!(ours.verify(&good, now).is_ok() && keys("key_set/two").verify(&good, now).is_ok());
    for bad in ["no_algorithm", "expired", "other_audience"] {
        assert_eq!(ours.verify(&seed(&format!("access_token/{bad}")), now), Err(Refused::Bad), "{bad}");
    }
    let unknown = seed("access_token/other_key");
    assert_eq!(ours.verify(&unknown, now), Err(Refused::UnknownKey));
    assert!(keys("key_set/two").verify(&unknown, now).is_ok(), "signed well, with the other key");
    assert!(keys("key_set/weak").is_empty());
    assert_eq!(seed("authorization/token"), format!("Bearer {good}"));
    let refresh = |name: &str| RefreshToken::read(&Secret::new(&seed(name)).expect("a text"));
    assert!(refresh("refresh_token/whole").is_some() && refresh("refresh_token/short").is_none());
}
