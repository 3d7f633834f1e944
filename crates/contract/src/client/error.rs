//! Why a call gave no usable answer.

use http::StatusCode;

use crate::Problem;

/// Why a call gave no usable answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The service answered with a refusal.
    #[error("{} ({})", problem.detail, problem.code.status().as_u16())]
    Refused {
        /// What it said.
        problem: Box<Problem>,
    },
    /// No connection, or it broke before the whole answer was there: the outcome is unknown.
    #[error("{url} cannot be reached")]
    Unreachable {
        /// What was called.
        url: String,
        /// What the network said.
        #[source]
        source: reqwest::Error,
    },
    /// No answer in time: the outcome is unknown.
    #[error("{url} did not answer in time")]
    TimedOut {
        /// What was called.
        url: String,
    },
    /// An answer that does not follow the contract.
    #[error("{url} answered {status} with something else than the contract says: {detail}")]
    BadAnswer {
        /// What was called.
        url: String,
        /// The status that came.
        status: StatusCode,
        /// What is wrong with it.
        detail: String,
    },
}

impl ClientError {
    /// The refusal, if it is one.
    #[must_use]
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Refused { problem } => Some(problem),
            Self::Unreachable { .. } | Self::TimedOut { .. } | Self::BadAnswer { .. } => None,
        }
    }
}
