//! Services with one known mistake each, under load: the check that is meant for it finds it. And right
//! services, with and without faults: no check complains.

use std::process::{Command, Output, Stdio};
use std::time::Instant;

use ordersys_store::defect::Defect;
use ordersys_testkit::{binary, quiet_blocking};
use serde_json::Value;

/// A stack of three processes whose services make one mistake, or none.
struct Shop {
    state: tempfile::TempDir,
    defect: Option<Defect>,
}

impl Shop {
    fn open(defect: Option<Defect>) -> Self {
        let shop = Self { state: tempfile::tempdir().expect("a directory"), defect };
        let up = shop.run(&["up", "--runtime", "process", "--durability", "memory"]);
        assert!(up.status.success(), "{defect:?}: {}", String::from_utf8_lossy(&up.stderr));
        shop
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(binary());
        command.args(["--project", "defects", "--state-dir"]).arg(self.state.path()).args(arguments);
        command.env("ORDERSYS_PORTS", "auto").env("DEFECT", self.defect.map_or("", Defect::name));
        command.stdin(Stdio::null()).output().expect("runs")
    }

    /// The exit code of a run, the checks that failed in it, and all it said.
    fn bench(&self, arguments: &[&str]) -> (Option<i32>, Vec<String>, String) {
        let output = self.run(&[&["bench", "-o", "json"], arguments].concat());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{said}"));
        let checks = report["verification"].as_array().expect("a list").iter();
        let failed = checks.filter(|check| check["result"] == "FAIL");
        let failed = failed.filter_map(|check| check["id"].as_str().map(str::to_owned)).collect();
        (output.status.code(), failed, format!("{said}\n{report:#}"))
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        let _ = self.run(&["down", "--volumes"]);
    }
}

/// The check that has to find a mistake.
fn finder(defect: Defect) -> &'static str {
    match defect {
        Defect::LostOrder => "V4",
        Defect::TakenTwice | Defect::PartialSaga => "V1",
        Defect::PhantomOrder => "V5",
        Defect::DuplicateOnRetry => "V6",
        Defect::BelowZero => "V2",
        Defect::FalseShortage => "V9",
        Defect::WrongTotal => "V10",
        Defect::AppliedHalf => "V7",
        Defect::RefusedButStored => "V8",
    }
}

#[test]
fn each_mistake_is_found_by_the_check_that_is_meant_for_it() {
    for defect in Defect::ALL {
        let shop = Shop::open(Some(defect));
        // Enough orders for the rarest mistake, which strikes one in a thousand.
        let load = ["--count", "2500", "--lines", "2..3", "--stock"];
        let stock = if defect == Defect::BelowZero { "20" } else { "1000000" };
        let turn = quiet_blocking();
        let began = Instant::now();
        let (code, failed, said) = shop.bench(&[&load[..], &[stock]].concat());
        let took = began.elapsed();
        drop(turn);
        assert!(failed.iter().any(|id| id == finder(defect)), "{defect:?}: {failed:?}: {said}");
        assert_eq!(code, Some(7), "{defect:?}: {said}");
        assert!(took.as_secs() < 10, "{defect:?} was found only after {took:?}");
    }
}

#[test]
fn twenty_runs_against_right_services_half_of_them_with_faults_raise_no_alarm() {
    const FAULTS: [&str; 5] = [
        "kill:product@300ms",
        "kill:order@300ms",
        "pause:user@200ms+500ms",
        "cut:product@200ms+400ms",
        "pause:order@200ms+300ms,kill:user@400ms",
    ];
    let shop = Shop::open(None);
    for run in 0..20 {
        let seed = run.to_string();
        let mut load = vec!["--warmup", "0s", "--lines", "1..3", "--timeout", "1s", "--seed", &seed];
        load.extend(["--duration", if run < 10 { "1s" } else { "2s" }]);
        if run % 2 == 1 {
            load.extend(["--stock", "200"]); // sells out
        }
        if run >= 10 {
            load.extend(["--faults", FAULTS[run % 5]]);
        }
        let turn = quiet_blocking();
        let (code, failed, said) = shop.bench(&load);
        drop(turn);
        assert_eq!(failed, Vec::<String>::new(), "run {run}: {said}");
        assert!(matches!(code, Some(0 | 8)), "run {run} ends with {code:?}: {said}");
    }
}
