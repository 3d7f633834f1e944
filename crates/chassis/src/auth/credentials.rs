//! The fixed credentials of a project: the admin's, and the one between services.

use std::path::{Path, PathBuf};

use ordersys_contract::{MIN_CREDENTIAL, Secret};
use subtle::{Choice, ConstantTimeEq};

/// File name of the credential between services.
pub const SERVICE_FILE: &str = "service.token";
/// File name of the admin's credential.
pub const ADMIN_FILE: &str = "admin.token";

/// Most credentials a file may hold: the one in use, and the one before or after it.
const MAX_ACCEPTED: usize = 2;

/// The credentials a service accepts.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// None are configured: every caller may do everything. Only for a loopback address.
    Open,
    /// Callers present one of these.
    Closed {
        /// The other services' credential.
        service: Accepted,
        /// The admin's credential.
        admin: Accepted,
    },
}

/// A credential file cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the credential file {} cannot be used", path.display())]
pub struct CredentialError {
    path: PathBuf,
    source: std::io::Error,
}

/// A credential and, while it is replaced, its successor or predecessor: both are accepted.
#[derive(Debug, Clone)]
pub struct Accepted {
    /// The one to present.
    current: Secret,
    /// The other one to accept.
    other: Option<Secret>,
}

impl Accepted {
    /// Reads the lines of a file: the first is presented, a second one is accepted too.
    fn read(path: &Path) -> std::io::Result<Self> {
        let invalid = |why: &'static str| std::io::Error::new(std::io::ErrorKind::InvalidData, why);
        let text = std::fs::read_to_string(path)?;
        let lines: Vec<_> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        if lines.len() > MAX_ACCEPTED {
            return Err(invalid("holds more than two credentials"));
        }
        if lines.iter().any(|line| line.len() < MIN_CREDENTIAL) {
            return Err(invalid("holds a credential of less than 32 characters"));
        }
        let secrets: Option<Vec<_>> = lines.into_iter().map(Secret::new).collect();
        let mut secrets = secrets.unwrap_or_default().into_iter();
        let current = secrets.next().ok_or_else(|| invalid("holds no usable credential"))?;
        Ok(Self { current, other: secrets.next() })
    }

    /// Whether this is one of them; the time it takes says nothing.
    pub(crate) fn accepts(&self, presented: &str) -> bool {
        let is = |secret: &Secret| secret.expose().as_bytes().ct_eq(presented.as_bytes());
        let other = self.other.as_ref().map_or(Choice::from(0), is);
        bool::from(is(&self.current) | other)
    }
}

impl From<Secret> for Accepted {
    fn from(current: Secret) -> Self {
        Self { current, other: None }
    }
}

impl Credentials {
    /// Reads both credentials from their files in `dir`.
    pub fn read(dir: &Path) -> Result<Self, CredentialError> {
        let read = |name: &str| {
            let path = dir.join(name);
            Accepted::read(&path).map_err(|source| CredentialError { path, source })
        };
        Ok(Self::Closed { service: read(SERVICE_FILE)?, admin: read(ADMIN_FILE)? })
    }

    /// The credential to present to other services.
    #[must_use]
    pub fn service(&self) -> Option<Secret> {
        match self {
            Self::Open => None,
            Self::Closed { service, .. } => Some(service.current.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_holds_one_credential_or_two() {
        let dir = std::env::temp_dir().join(format!("ordersys-credentials-{}", std::process::id()));
        let read = |text: &str| {
            std::fs::write(&dir, text).expect("writes");
            Accepted::read(&dir)
        };
        let [a, b, c] = ["a", "b", "c"].map(|digit| digit.repeat(MIN_CREDENTIAL));
        let two = read(&format!("{a}\n{b}\n")).expect("two");
        assert_eq!(two.current.expose(), a);
        assert!(two.accepts(&a) && two.accepts(&b));
        assert!(!two.accepts(&c) && !two.accepts("") && !two.accepts(&format!("{a}{b}")));
        let one = read(&a).expect("one");
        assert!(one.accepts(&a) && !one.accepts(&b) && !one.accepts(""));
        let wrong = [
            String::new(),
            "\n\n".to_owned(),
            format!("{a}\n{b}\n{c}"),
            format!("{a} {b}"),
            format!("{a}\n{}", "\u{e9}".repeat(MIN_CREDENTIAL)),
            a[1..].to_owned(),
            format!("{a}\nb"),
        ];
        for wrong in wrong {
            let error = read(&wrong).expect_err(&wrong).to_string();
            assert!(!error.contains("aaa"), "{error}");
        }
        std::fs::remove_file(&dir).expect("removes");
    }
}
