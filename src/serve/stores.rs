//! Where the services keep their data.

use std::path::PathBuf;

use ordersys_contract::settings::DatabaseAddress;
use ordersys_contract::{Role, Secret};
use ordersys_store::{Durability, Location};

/// Where the services keep their data.
#[derive(Debug, Clone)]
pub enum Stores {
    /// Each role's data in a directory of its own below this one.
    Directory {
        /// Which directory.
        dir: PathBuf,
        /// What a commit means.
        durability: Durability,
    },
    /// Each role's data in a schema of its own of a PostgreSQL database.
    Database {
        /// The database.
        address: DatabaseAddress,
        /// The password of its role, where one is asked for.
        password: Option<Secret>,
    },
}

impl Stores {
    pub(super) fn of(&self, role: Role) -> Location {
        match self {
            Self::Directory { dir, durability } => {
                Location::Directory { dir: dir.join(role.name()), durability: *durability }
            }
            Self::Database { address, password } => {
                Location::Database { address: address.clone(), password: password.clone() }
            }
        }
    }
}
