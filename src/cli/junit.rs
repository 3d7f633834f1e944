//! Results of a smoke test in the form that CI systems read. The only user of quick-junit.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use crate::smoke::{Ended, Journey, Step};
use ordersys_bench::result::files::create_shared;

/// The file of results, made before there are any: one that cannot be written is told at once.
#[derive(Debug)]
pub(super) struct ResultFile<'a> {
    path: &'a Path,
    file: File,
}

impl<'a> ResultFile<'a> {
    /// Makes the file.
    pub(super) fn make(path: &'a Path) -> anyhow::Result<Self> {
        let file = create_shared(path).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self { path, file })
    }

    /// Writes a test case for each step.
    pub(super) fn write(mut self, journey: &Journey) -> anyhow::Result<()> {
        let text = text(journey)?;
        let written = self.file.write_all(text.as_bytes());
        written.with_context(|| format!("cannot write {}", self.path.display()))
    }
}

fn text(journey: &Journey) -> anyhow::Result<String> {
    let mut suite = TestSuite::new("smoke");
    suite.add_test_cases(journey.steps.iter().map(case));
    let mut report = Report::new("ordersys");
    report.add_test_suite(suite);
    Ok(report.to_string()?)
}

fn case(step: &Step) -> TestCase {
    let status = match step.result {
        Ended::Passed => TestCaseStatus::success(),
        Ended::Skipped => TestCaseStatus::skipped(),
        Ended::Failed => {
            let mut failure = TestCaseStatus::non_success(NonSuccessKind::Failure);
            failure.set_message(step.detail.as_deref().unwrap_or("no reason is known"));
            failure
        }
    };
    let mut case = TestCase::new(step.name, status);
    case.set_classname("ordersys.smoke");
    case.set_time(Duration::from_millis(u64::try_from(step.millis).unwrap_or(u64::MAX)));
    case
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_is_a_case_with_its_time_and_reason() {
        let step = |name, result, detail: Option<&str>| Step {
            name,
            result,
            millis: 1500,
            detail: detail.map(str::to_owned),
        };
        let steps = vec![
            step("works", Ended::Passed, None),
            step("fails", Ended::Failed, Some("1 < 2 & \u{1b}[1mbold")),
            step("never", Ended::Skipped, None),
        ];
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("smoke.xml");
        ResultFile::make(&path).expect("made").write(&Journey { steps }).expect("written");
        let text = std::fs::read_to_string(&path).expect("readable");
        assert!(text.contains(r#"tests="3""#) && text.contains(r#"failures="1""#), "{text}");
        assert!(text.contains(r#"name="works" classname="ordersys.smoke" time="1.500""#), "{text}");
        assert!(text.contains("1 &lt; 2 &amp; bold") && text.contains("<skipped"), "{text}");
        let error = ResultFile::make(dir.path()).expect_err("a directory").to_string();
        assert!(error.starts_with("cannot write "), "{error}");
    }
}
