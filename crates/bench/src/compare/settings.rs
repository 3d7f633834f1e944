//! Whether runs may be compared at all: the load must be the same, the systems may differ.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::result::RunResult;

/// Settings that belong to the system under test: what a comparison is about.
const SYSTEM: [&str; 5] = ["urls", "runtime", "topology", "durability", "version"];
/// Settings that change nothing of what is sent.
const HARMLESS: [&str; 1] = ["slo"];

/// A setting in which two runs differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Its name in the stored result.
    pub setting: String,
    /// Its value on the first side.
    pub a: String,
    /// Its value on the second.
    pub b: String,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { setting, a, b } = self;
        match setting.as_str() {
            "durationSeconds" => write!(f, "a ran {a} s, b {b} s"),
            "warmupSeconds" => write!(f, "a warmed up for {a} s, b for {b} s"),
            "timeoutMillis" => write!(f, "a waited up to {a} ms for an answer, b up to {b} ms"),
            "count" => write!(f, "a sent {a} requests, b {b}"),
            "concurrency" => write!(f, "a had {a} connections, b {b}"),
            "urls" => write!(f, "a is at {a}, b at {b}"),
            _ => write!(f, "{} of a: {a}, of b: {b}", words(setting)),
        }
    }
}

/// `serverCpu` as `server cpu`.
fn words(name: &str) -> String {
    let letter = |letter: char| {
        let space = if letter.is_uppercase() { " " } else { "" };
        format!("{space}{}", letter.to_lowercase())
    };
    name.chars().map(letter).collect()
}

/// A value as a reader expects it: no quotes, no braces.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => "unset".to_owned(),
        Value::String(text) => text.clone(),
        Value::Number(number) => {
            number.as_f64().map_or_else(|| number.to_string(), |number| number.to_string())
        }
        Value::Array(items) if items.is_empty() => "none".to_owned(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        Value::Object(members) => match (members.get("min"), members.get("max")) {
            (Some(min), Some(max)) if min == max => plain(min),
            (Some(min), Some(max)) => format!("{}..{}", plain(min), plain(max)),
            _ => members.values().filter(|value| !value.is_null()).map(plain).collect::<Vec<_>>().join(" "),
        },
        Value::Bool(flag) => flag.to_string(),
    }
}

/// In what two runs differ.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Differences {
    /// In the load or the machine: they cannot be compared.
    pub load: Vec<Difference>,
    /// In the system under test.
    pub system: Vec<Difference>,
}

impl Differences {
    /// In what two runs differ.
    #[must_use]
    pub fn between(a: &RunResult, b: &RunResult) -> Self {
        Self::of(&members(a), &members(b))
    }

    fn of(a: &Map<String, Value>, b: &Map<String, Value>) -> Self {
        let mut differences = Self::default();
        let names: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
        for name in names.into_iter().filter(|name| !HARMLESS.contains(&name.as_str())) {
            let (a, b) = (a.get(name).unwrap_or(&Value::Null), b.get(name).unwrap_or(&Value::Null));
            if a != b {
                let difference = Difference { setting: name.clone(), a: plain(a), b: plain(b) };
                let system = SYSTEM.contains(&name.as_str());
                if system { &mut differences.system } else { &mut differences.load }.push(difference);
            }
        }
        differences
    }
}

/// The settings of a run and the machine it ran on.
fn members(run: &RunResult) -> Map<String, Value> {
    let object = |value: serde_json::Result<Value>| value.ok().and_then(|value| value.as_object().cloned());
    let mut members = object(serde_json::to_value(&run.core.settings)).unwrap_or_default();
    members.insert("host".to_owned(), serde_json::to_value(&run.host).unwrap_or_default());
    members
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::profile::Profile;
    use crate::result::sample::{Simulated, report};

    #[test]
    fn the_load_must_be_the_same_and_the_system_may_differ() {
        let map = |value: Value| value.as_object().cloned().expect("an object");
        let a = map(json!({"rate": 100, "topology": "services", "slo": ["p99<1ms"]}));
        let b = map(json!({"rate": 200, "topology": "monolith", "slo": [], "seed": 1}));
        let differences = Differences::of(&a, &b);
        let names = |list: &[Difference]| list.iter().map(|one| one.setting.clone()).collect::<Vec<_>>();
        assert_eq!(names(&differences.load), ["rate", "seed"]);
        assert_eq!(names(&differences.system), ["topology"]);
        assert_eq!(differences.load[0].to_string(), "rate of a: 100, of b: 200");
        let said = |name: &str, a: Value, b: Value| {
            let (a, b) = (map(json!({name: a})), map(json!({name: b})));
            let differences = Differences::of(&a, &b);
            let one =
                differences.load.first().or_else(|| differences.system.first()).map(ToString::to_string);
            one.unwrap_or_default()
        };
        assert_eq!(said("durationSeconds", json!(1.0), json!(15.0)), "a ran 1 s, b 15 s");
        assert_eq!(
            said("lines", json!({"min": 1, "max": 3}), json!({"min": 2, "max": 2})),
            "lines of a: 1..3, of b: 2"
        );
        assert_eq!(
            said("urls", json!({"user": "http://one"}), json!({"user": "http://two"})),
            "a is at http://one, b at http://two"
        );
        assert_eq!(said("warmupSeconds", json!(1.5), Value::Null), "a warmed up for 1.5 s, b for unset s");
        assert_eq!(Differences::of(&a, &a), Differences::default());
    }

    #[test]
    fn runs_of_one_profile_differ_in_what_was_set_and_where_they_ran() {
        let profile = Profile::default();
        let mut a = RunResult::of(&report(&profile, Simulated::default()));
        a.host.name = Some("here".to_owned());
        let mut b = RunResult::of(&report(&Profile { seed: 7, ..profile }, Simulated::default()));
        b.host.name = Some("there".to_owned());
        assert_eq!(Differences::between(&a, &a), Differences::default());
        let load: Vec<_> = Differences::between(&a, &b).load.into_iter().map(|one| one.setting).collect();
        assert_eq!(load, ["host", "seed"]);
    }
}
