//! What kind of failure an error of the database is, and so what may be done about it.

use tokio_postgres::error::SqlState;

/// What a statement or a transaction came to.
pub type PgResult<T> = Result<T, PgError>;

/// Why something asked of the database did not happen, or may not have happened.
#[derive(Debug, thiserror::Error)]
pub enum PgError {
    /// The server, or the way to it, says no.
    #[error("{}", told(.0))]
    Server(#[from] tokio_postgres::Error),
    /// No answer came in time: the session is given up.
    #[error("the database did not answer within {0} s")]
    Silent(u64),
    /// A row holds what is never written.
    #[error("a row cannot be read: {0}")]
    Unreadable(String),
    /// A command came upon what must not be, and panicked: its transaction is rolled back.
    #[error("a command panicked")]
    Panicked,
    /// A lock did not hold what it must: the transaction is run again.
    #[error("the rows changed under their lock")]
    Unguarded,
}

/// What may be done about a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Another transaction was in the way: the same again, at once.
    Contended,
    /// The session is no good any more, or is one with a server that cannot be written: another one.
    Lost,
    /// The server's disk is full.
    Full,
    /// The server has no connections or no memory left.
    Exhausted,
    /// The statement itself: it fails whenever it is tried.
    Statement,
    /// What is stored makes no sense.
    Damaged,
}

impl PgError {
    pub(crate) fn fault(&self) -> Fault {
        match self {
            Self::Server(error) => error.code().map_or(Fault::Lost, of_state),
            Self::Silent(_) => Fault::Lost,
            Self::Unreadable(_) => Fault::Damaged,
            Self::Panicked => Fault::Statement,
            Self::Unguarded => Fault::Contended,
        }
    }

    /// A row that holds what is never written.
    pub fn unreadable(why: impl std::fmt::Display) -> Self {
        Self::Unreadable(why.to_string())
    }
}

/// The server's own words, which the error as such does not show.
fn told(error: &tokio_postgres::Error) -> String {
    let detail = |error: &tokio_postgres::error::DbError| match error.detail() {
        Some(detail) => format!("{} ({detail})", error.message()),
        None => error.message().to_owned(),
    };
    let source = || std::error::Error::source(error).map(ToString::to_string);
    error.as_db_error().map(detail).or_else(source).unwrap_or_else(|| error.to_string())
}

fn of_state(state: &SqlState) -> Fault {
    match state.code() {
        // Serialization, deadlock, a guard that counted on a lock, a key that another transaction took first.
        "40001" | "40P01" | "22012" | "23505" => Fault::Contended,
        "53100" => Fault::Full,
        "53000" | "53200" | "53300" | "53400" => Fault::Exhausted,
        // A standby, or a transaction that a failed statement ended.
        "25006" | "25P02" | "25P03" => Fault::Lost,
        "XX001" | "XX002" | "58030" | "58P01" => Fault::Damaged,
        code if code.starts_with("08") || code.starts_with("57P") => Fault::Lost,
        _ => Fault::Statement,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_state_has_its_remedy() {
        for (code, fault) in [
            ("40001", Fault::Contended),
            ("40P01", Fault::Contended),
            ("22012", Fault::Contended),
            ("23505", Fault::Contended),
            ("57P01", Fault::Lost),
            ("57P03", Fault::Lost),
            ("25006", Fault::Lost),
            ("08006", Fault::Lost),
            ("53100", Fault::Full),
            ("53300", Fault::Exhausted),
            ("23514", Fault::Statement),
            ("42P01", Fault::Statement),
            ("XX001", Fault::Damaged),
        ] {
            assert_eq!(of_state(&SqlState::from_code(code)), fault, "{code}");
        }
    }
}
