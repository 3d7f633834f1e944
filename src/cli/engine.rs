//! Where to look for a Docker engine: a flag, and what the environment says.

use std::env;
use std::path::PathBuf;

use ordersys_engine::{Lookup, Tls};

/// Flags of every command that may talk to an engine.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct EngineArgs {
    /// The Docker engine [default: as the docker command finds it]
    #[arg(long, global = true, env = "ORDERSYS_DOCKER_HOST", value_name = "URL", hide_short_help = true)]
    pub docker_host: Option<String>,
}

impl EngineArgs {
    /// What flag and environment say, in the docker command's own variables.
    #[must_use]
    pub fn lookup(&self) -> Lookup {
        let home = dirs::home_dir();
        let directory = |name: &str| env::var_os(name).filter(|text| !text.is_empty()).map(PathBuf::from);
        let docker_dir = || home.as_ref().map(|home| home.join(".docker"));
        let tls = env::var("DOCKER_TLS_VERIFY").is_ok_and(|text| !text.is_empty());
        Lookup {
            flag: self.docker_host.clone(),
            host: env::var("DOCKER_HOST").ok(),
            context: env::var("DOCKER_CONTEXT").ok(),
            config_dir: directory("DOCKER_CONFIG").or_else(docker_dir),
            runtime_dir: directory("XDG_RUNTIME_DIR"),
            tls: if tls { Tls::Required } else { Tls::No },
            home,
        }
    }
}
