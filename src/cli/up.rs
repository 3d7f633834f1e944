//! `ordersys up`.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use ordersys_contract::settings::Durability;
use ordersys_contract::settings::HostName;

use crate::cli::listing::object;
use crate::cli::store::{Told, password};
use crate::cli::tracing::TracingArgs;
use crate::cli::{Globals, block_on, logs};
use ordersys_chassis::telemetry::log;
use ordersys_command::Signals;
use ordersys_command::{Exit, Failure, Outcome};
use ordersys_report::stack as shown;
use ordersys_stack as stack;
use ordersys_stack::model::record::Topology;
use ordersys_stack::model::replicas::ReplicasFlag;
use ordersys_stack::plan::ImagePolicy;
use ordersys_stack::{Memory, OnFailure, PortChoices, PortFlag, RuntimeChoice, UpOptions, Wanted};

#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "flags of the command line")]
#[command(after_help = "Examples:
  ordersys up                               as last time; at first in Docker, or as processes
  ordersys up --runtime process             without Docker
  ordersys up --topology monolith           all three roles in one process
  ordersys up --port order=18003            another port for one service
  ordersys up --port auto --project test    a second stack beside the first
  ordersys up --allowed-host shop.example   answer to this name too, e.g. behind a proxy
  ordersys up --otlp http://127.0.0.1:4318  traces to a collector on this machine
  ordersys up --store postgres://shop@db1,db2/shop --store-password-file ./password
  ordersys up --replicas order=2,product=2  several of one role, on that database
  ordersys up --dry-run                     what would be done, and why")]
pub(super) struct Args {
    /// Where the services run [default: as last time, else auto]
    #[arg(long, env = "ORDERSYS_RUNTIME", value_name = "RUNTIME")]
    runtime: Option<RuntimeChoice>,
    /// Three services, or one process that is all three [default: as last time, else services]
    #[arg(long, env = "ORDERSYS_TOPOLOGY", value_name = "TOPOLOGY")]
    topology: Option<Topology>,
    /// How many services play a role, 1 to 16: several need a PostgreSQL database and three services; each further one
    /// has a free port [default: as last time, else 1]
    #[arg(long, env = "ORDERSYS_REPLICAS", value_delimiter = ',', value_name = "ROLE=COUNT")]
    replicas: Vec<ReplicasFlag>,
    /// A service's port, or `auto` for free ones [default: as last time, else 3001, 3002, 3003]
    #[arg(long = "port", env = "ORDERSYS_PORTS", value_delimiter = ',', value_name = "SERVICE=N|auto")]
    ports: Vec<PortFlag>,
    /// The address ports are published on [default: as last time, else 127.0.0.1]
    #[arg(long, env = "ORDERSYS_BIND", value_name = "ADDRESS")]
    bind: Option<IpAddr>,
    /// A further name under which clients reach the services, as in the `Host` they send; repeat it for several.
    /// Published on loopback, the services refuse all names but localhost, 127.0.0.1, their own and these; published
    /// elsewhere they accept any unless one is named here
    #[arg(long = "allowed-host", env = "ORDERSYS_ALLOWED_HOST", value_delimiter = ',', value_name = "NAME")]
    allowed_hosts: Vec<HostName>,
    /// What a commit means: full (on disk), normal, memory; anything but full is for measuring [default: as last
    /// time, else full]
    #[arg(long, env = "ORDERSYS_DURABILITY", value_name = "LEVEL")]
    durability: Option<Durability>,
    /// What data is kept in: `sqlite`, in the project's own directories or volumes, or a PostgreSQL database, as
    /// `postgres://USER@HOST[:PORT][,HOST...]/DATABASE` [default: as last time, else sqlite]
    #[arg(long, env = "ORDERSYS_STORE", value_name = "STORE")]
    store: Option<Told>,
    /// A file with the password of the database's role in its first line; it is kept with the project's credentials
    #[arg(long, env = "ORDERSYS_STORE_PASSWORD_FILE", value_name = "FILE")]
    store_password_file: Option<PathBuf>,
    /// What the services log, e.g. `debug` or `info,hyper=warn` [default: as last time, else info]
    #[arg(long, env = "ORDERSYS_LOG", value_name = "FILTER", value_parser = log::filter)]
    log: Option<String>,
    /// Forget what the project was started with: what no flag names is as at the first start
    #[arg(long)]
    defaults: bool,
    /// The program the services run [default: this one]
    #[arg(long, env = "ORDERSYS_BINARY", value_name = "PATH")]
    binary: Option<PathBuf>,
    /// Load the image again, even if it is there
    #[arg(long)]
    build: bool,
    /// Print what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Show the services' logs once everything is ready; Ctrl-C ends that, not the stack
    #[arg(long)]
    attach: bool,
    /// As it is anyway: the services run in the background
    #[arg(short, long, hide = true, conflicts_with = "attach")]
    detach: bool,
    /// As it is anyway: waits until everything is ready
    #[arg(long, hide = true)]
    wait: bool,
    /// How long to wait until everything is ready
    #[arg(long, env = "ORDERSYS_TIMEOUT", default_value = "60s", value_name = "DURATION", value_parser = humantime::parse_duration)]
    timeout: Duration,
    /// Leave what was made when something fails, for a look
    #[arg(long)]
    keep_on_failure: bool,
    #[command(flatten)]
    tracing: TracingArgs,
}

impl Args {
    fn options(self, globals: &Globals) -> Outcome<UpOptions> {
        let ports = PortChoices::from_flags(&self.ports).map_err(|error| Failure::new(Exit::Usage, error))?;
        Ok(UpOptions {
            wanted: Wanted {
                runtime: self.runtime,
                topology: self.topology,
                replicas: self.replicas,
                ports,
                bind: self.bind,
                allowed_hosts: Some(self.allowed_hosts).filter(|hosts| !hosts.is_empty()),
                durability: self.durability,
                store: self.store.map(|told| told.store()).transpose()?,
                store_password: self.store_password_file.as_deref().map(password).transpose()?,
                log: self.log,
                tracing: self.tracing.settings(),
            },
            memory: if self.defaults { Memory::Forget } else { Memory::Keep },
            binary: self.binary,
            image: if self.build { ImagePolicy::Always } else { ImagePolicy::WhenMissing },
            timeout: self.timeout,
            on_failure: if self.keep_on_failure { OnFailure::Keep } else { OnFailure::RollBack },
            ..UpOptions::new(globals.engine.lookup())
        })
    }
}

pub(super) fn run(args: Args, globals: &Globals) -> Outcome {
    let (project, printer) = (globals.project()?, globals.printer());
    let (dry_run, attach, started) = (args.dry_run, args.attach, jiff::Timestamp::now());
    let options = args.options(globals)?;
    if dry_run {
        let changes = block_on(stack::preview(&options, &project, &printer.events()))?;
        printer.data(&object("changes", &changes), || shown::changes(&changes));
        printer.say("nothing was done: leave out --dry-run to do it");
        return Ok(());
    }
    let up = block_on(stack::up(&options, &project, &printer.events()))?;
    printer.data(&up.report, || shown::up(&up.report));
    if attach {
        printer.say("the services' logs follow; Ctrl-C ends them, `ordersys down` the stack");
        return block_on(async {
            let mut signals = Signals::listen()?;
            tokio::select! {
                shown = logs::show(logs::Args::follow_from(started), globals) => shown,
                () = signals.next() => Ok(()),
            }
        });
    }
    printer.say(format!(
        "the API in a browser: {}/docs; `ordersys down` ends the stack",
        up.record.endpoints.order
    ));
    printer.next("ordersys seed");
    Ok(())
}
