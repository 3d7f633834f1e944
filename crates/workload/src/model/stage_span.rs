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
