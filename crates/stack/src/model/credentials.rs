//! The fingerprint of a project's credentials: services made with others have to be replaced.

use sha2::{Digest, Sha256};

use crate::model::project::{ADMIN_FILE, Project, SERVICE_FILE};
use ordersys_contract::hex;

/// Names the project's credentials without showing them: they have 256 random bits each, so that a
/// hash cannot be searched back. Empty while there are none.
pub(crate) fn fingerprint(project: &Project) -> String {
    let mut hash = Sha256::new();
    for name in [SERVICE_FILE, ADMIN_FILE] {
        match std::fs::read(project.secrets_dir().join(name)) {
            Ok(content) => hash.update(Sha256::digest(content)),
            Err(_) => return String::new(),
        }
    }
    if let Some(password) = project.database_password() {
        hash.update(Sha256::digest(password.expose()));
    }
    hex(&hash.finalize())[..16].to_owned()
}

#[cfg(test)]
mod tests {
    use ordersys_contract::Secret;

    use super::*;

    #[test]
    fn other_credentials_have_another_fingerprint() {
        let dir = tempfile::tempdir().expect("a directory");
        let project = Project::new("p".parse().expect("a name"), dir.path());
        assert_eq!(fingerprint(&project), "");
        project.prepare().expect("prepared");
        let first = fingerprint(&project);
        assert_eq!((first.len(), &fingerprint(&project)), (16, &first));
        std::fs::write(project.secrets_dir().join(ADMIN_FILE), "other").expect("written");
        let second = fingerprint(&project);
        assert_ne!(second, first);
        project.keep_database_password(&Secret::random()).expect("written");
        assert_ne!(fingerprint(&project), second);
    }
}
