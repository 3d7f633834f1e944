//! Where services keep their data, as `serve` and `migrate` are told.

use std::path::{Path, PathBuf};

use ordersys_command::{Exit, Failure, OrFail as _, Outcome};
use ordersys_contract::Secret;
use ordersys_contract::settings::{Durability, Store};

use crate::serve::Stores;

#[derive(Debug, Clone, clap::Args)]
pub(super) struct StoreArgs {
    /// What data is kept in: `sqlite`, in the directory of --data-dir, or a PostgreSQL database, as
    /// `postgres://USER@HOST[:PORT][,HOST...]/DATABASE`, of which all hosts are tried
    #[arg(long, env = "ORDERSYS_STORE", default_value = "sqlite", value_name = "STORE")]
    pub(super) store: Store,
    /// A file with the password of the database's role in its first line
    #[arg(long, env = "ORDERSYS_STORE_PASSWORD_FILE", value_name = "FILE")]
    pub(super) store_password_file: Option<PathBuf>,
}

impl StoreArgs {
    /// Where each service's data is.
    pub(super) fn stores(&self, data_dir: Option<&Path>, durability: Durability) -> Outcome<Stores> {
        match &self.store {
            Store::Sqlite => {
                let dir = data_dir.ok_or_else(|| {
                    Failure::new(Exit::Usage, "where is the data to live?")
                        .hint("name a directory with --data-dir, or a database with --store")
                })?;
                Ok(Stores::Directory { dir: dir.to_owned(), durability })
            }
            Store::Postgres(_) if durability != Durability::Full => {
                let what = "what a commit of PostgreSQL means is a setting of its server";
                Err(Failure::new(Exit::Usage, what).hint("leave out --durability"))
            }
            Store::Postgres(address) => {
                Ok(Stores::Database { address: address.clone(), password: self.password()? })
            }
        }
    }

    pub(super) fn password(&self) -> Outcome<Option<Secret>> {
        self.store_password_file.as_deref().map(password).transpose()
    }
}

/// The password in the first line of a file.
pub(super) fn password(file: &Path) -> Outcome<Secret> {
    let hint = format!("{} must hold the password of the database's role in its first line", file.display());
    Secret::read(file).exit(Exit::Environment).hint(hint)
}
