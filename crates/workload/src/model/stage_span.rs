//! When each stage of a run was planned, for reports.

use std::time::Duration;

use crate::model::LoadModel;
use crate::model::stages::Stage;

/// When a stage was planned, and with which rate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageSpan {
    /// The rate as it was written; none in a closed loop.
    pub rate: Option<String>,
    /// When it begins, after the warm-up.
    pub start: Duration,
    /// How long it lasts.
    pub lasts: Duration,
}

/// The stages of a pace; one that lasts as long as the run where none were asked for.
#[must_use]
pub fn spans(pace: &LoadModel, elapsed: Duration) -> Vec<StageSpan> {
    let whole = |rate| vec![StageSpan { rate, start: Duration::ZERO, lasts: elapsed }];
    match pace {
        LoadModel::ClosedLoop => whole(None),
        LoadModel::OpenLoop { rate, .. } => whole(Some(format!("{rate}/s"))),
        LoadModel::Ramping { stages, .. } => {
            let mut end = Duration::ZERO;
            let span = |stage: &Stage| {
                let start = end;
                end += stage.lasts;
                StageSpan { rate: Some(stage.rate()), start, lasts: stage.lasts }
            };
            stages.list().iter().map(span).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Arrivals;

    #[test]
    fn stages_follow_each_other_and_a_run_without_any_is_one() {
        let arrivals = Arrivals::Even;
        let stages = "1/s:2s,3..4/s:5s,6/s:1s".parse().expect("stages");
        let run = Duration::from_secs(9);
        for (pace, expected) in [
            (LoadModel::ClosedLoop, vec![(None, 0, 9)]),
            (LoadModel::OpenLoop { rate: 2.5, arrivals }, vec![(Some("2.5/s"), 0, 9)]),
            (
                LoadModel::Ramping { stages, arrivals },
                vec![(Some("1/s"), 0, 2), (Some("3..4/s"), 2, 5), (Some("6/s"), 7, 1)],
            ),
        ] {
            let found = spans(&pace, run);
            let found: Vec<_> = found
                .iter()
                .map(|span| (span.rate.as_deref(), span.start.as_secs(), span.lasts.as_secs()))
                .collect();
            assert_eq!(found, expected);
        }
    }
}
