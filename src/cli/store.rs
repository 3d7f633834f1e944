//! Where services keep their data, as `serve` and `migrate` are told.

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use ordersys_command::{Exit, Failure, OrFail as _, Outcome};
use ordersys_contract::Secret;
use ordersys_contract::settings::{Durability, NotADatabase, Store};

use crate::serve::Stores;

#[derive(Debug, Clone, clap::Args)]
pub(super) struct StoreArgs {
    /// What data is kept in: `sqlite`, in the directory of --data-dir, or a PostgreSQL database, as
    /// `postgres://USER@HOST[:PORT][,HOST...]/DATABASE`, of which all hosts are tried
    #[arg(long, env = "ORDERSYS_STORE", default_value = "sqlite", value_name = "STORE")]
    store: Told,
    /// A file with the password of the database's role in its first line
    #[arg(long, env = "ORDERSYS_STORE_PASSWORD_FILE", value_name = "FILE")]
    pub(super) store_password_file: Option<PathBuf>,
}

/// A store as it was told. What is wrong with it is said without it: there may be a password in it.
#[derive(Debug, Clone)]
pub(super) struct Told(Result<Store, NotADatabase>);

impl FromStr for Told {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.parse()))
    }
}

impl Told {
    pub(super) fn store(&self) -> Outcome<Store> {
        self.0.clone().map_err(|error| Failure::new(Exit::Usage, format!("--store: {error}")))
    }
}

impl StoreArgs {
    pub(super) fn store(&self) -> Outcome<Store> {
        self.store.store()
    }

    /// Where each service's data is.
    pub(super) fn stores(&self, data_dir: Option<&Path>, durability: Durability) -> Outcome<Stores> {
        match self.store()? {
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
            Store::Postgres(address) => Ok(Stores::Database { address, password: self.password()? }),
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
