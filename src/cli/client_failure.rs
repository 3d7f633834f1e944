//! A failed call of a service as a failed command.

use ordersys_command::{Exit, Failure};
use ordersys_contract::{ClientError, Code, Problem};

/// A failed call as a failed command: the right exit code, and a next step where there is one.
pub(crate) fn client_failure(error: ClientError) -> Failure {
    let exit = match &error {
        ClientError::Refused { problem } => match problem.code {
            Code::NotFound | Code::UnknownUser | Code::UnknownProduct => Exit::NotFound,
            _ => Exit::Failed,
        },
        ClientError::Unreachable { .. } => Exit::Environment,
        ClientError::TimedOut { .. } => Exit::TimedOut,
        ClientError::BadAnswer { .. } => Exit::Failed,
    };
    let hint = match &error {
        ClientError::Unreachable { .. } | ClientError::TimedOut { .. } => {
            Some("`ordersys status` shows what is running, `ordersys up` starts it".to_owned())
        }
        ClientError::Refused { problem } => refusal_hint(problem),
        ClientError::BadAnswer { .. } => None,
    };
    Failure { exit, error: error.into(), hint }
}

fn refusal_hint(problem: &Problem) -> Option<String> {
    match (problem.code, problem.retry_after) {
        (Code::Unauthenticated, _) => Some(
            "log in (`ordersys user login --help`), or choose whose credential is sent with --as or --token-file"
                .to_owned(),
        ),
        (Code::TooManyRequests, Some(seconds)) => Some(format!("try again in {seconds} s")),
        _ => None,
    }
}
