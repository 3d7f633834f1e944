//! Why a system could not be checked.

use ordersys_contract::ClientError;

use ordersys_contract::Role;

/// A service that could not be read to the end: nothing is known about the system then.
#[derive(Debug, thiserror::Error)]
#[error("the {} service cannot be read, so nothing is known about the system", service.name())]
pub struct CheckError {
    /// Which service.
    pub service: Role,
    /// What it answered, or why it did not.
    #[source]
    pub source: ClientError,
}

/// Names the service that a call went to.
pub(crate) trait Of<T> {
    fn of(self, service: Role) -> Result<T, CheckError>;
}

impl<T> Of<T> for Result<T, ClientError> {
    fn of(self, service: Role) -> Result<T, CheckError> {
        self.map_err(|source| CheckError { service, source })
    }
}
