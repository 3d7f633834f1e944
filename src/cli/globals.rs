//! Flags every command takes, and what they resolve to: a project, a printer, a client.

use std::path::PathBuf;

use ordersys_contract::client::Endpoints;
use ordersys_contract::{BaseUrl, Role};

use crate::cli::arguments::switch;
use crate::cli::caller::As;
use crate::cli::engine::EngineArgs;
use crate::render::{Output, Printer};
use ordersys_command::{Exit, Failure, OrFail, Outcome, Pasted};
use ordersys_stack::model::project::{DEFAULT_NAME, Project, ProjectName, quoted};
use ordersys_stack::model::record::StackRecord;
use ordersys_stack::ops::projects::none_runs;
use ordersys_stack::state::trust::{Distrust, check_project};

/// Flags every command takes.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Global options")]
pub struct Globals {
    /// Which stack: keeps names, network, volumes, ports and state apart
    #[arg(long, global = true, env = "ORDERSYS_PROJECT", default_value = DEFAULT_NAME, value_name = "NAME")]
    pub project: ProjectName,
    /// Where projects keep their state [default: the user's state directory]
    #[arg(long, global = true, env = "ORDERSYS_STATE_DIR", value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
    /// How data is printed
    #[arg(
        short,
        long,
        global = true,
        env = "ORDERSYS_OUTPUT",
        default_value = "table",
        value_name = "FORMAT",
        visible_alias = "format"
    )]
    pub output: Output,
    /// Print data as JSON: the same as `--output json`
    #[arg(long, global = true, hide_short_help = true)]
    pub json: bool,
    /// Print data and errors only
    #[arg(short, long, global = true, env = "ORDERSYS_QUIET", value_parser = switch)]
    pub quiet: bool,
    /// The user service, instead of the project's stack; repeat it for several replicas
    #[arg(
        long,
        global = true,
        env = "ORDERSYS_USER_URL",
        value_delimiter = ',',
        value_name = "URL",
        hide_short_help = true
    )]
    pub user_url: Vec<BaseUrl>,
    /// The product service, instead of the project's stack; repeat it for several replicas
    #[arg(
        long,
        global = true,
        env = "ORDERSYS_PRODUCT_URL",
        value_delimiter = ',',
        value_name = "URL",
        hide_short_help = true
    )]
    pub product_url: Vec<BaseUrl>,
    /// The order service, instead of the project's stack; repeat it for several replicas
    #[arg(
        long,
        global = true,
        env = "ORDERSYS_ORDER_URL",
        value_delimiter = ',',
        value_name = "URL",
        hide_short_help = true
    )]
    pub order_url: Vec<BaseUrl>,
    /// Who acts: the address of an account that logged in, `admin` or `anyone`
    #[arg(
        long = "as",
        global = true,
        env = "ORDERSYS_AS",
        value_name = "WHO",
        conflicts_with = "token_file",
        hide_short_help = true
    )]
    pub acting_as: Option<As>,
    /// Send the bearer token in the first line of this file, and no other credential
    #[arg(long, global = true, env = "ORDERSYS_TOKEN_FILE", value_name = "FILE", hide_short_help = true)]
    pub token_file: Option<PathBuf>,
    /// Where the Docker engine is.
    #[command(flatten)]
    pub engine: EngineArgs,
}

impl Globals {
    /// The printer these flags ask for.
    #[must_use]
    pub fn printer(&self) -> Printer {
        let output = if self.json { Output::Json } else { self.output };
        Printer::new(output, self.quiet).pasting(self.pasted())
    }

    /// The flags that further commands need to mean the same as this one.
    #[must_use]
    pub fn pasted(&self) -> Pasted {
        let urls = |flag, urls: &[BaseUrl]| joined(urls).map(|urls| (flag, quoted(&urls)));
        let path = |flag, path: &Option<PathBuf>| {
            let absolute = |path: &PathBuf| std::path::absolute(path).unwrap_or_else(|_| path.clone());
            path.as_ref().map(|path| (flag, quoted(&absolute(path).display().to_string())))
        };
        let name = self.project.to_string();
        let project = (name != DEFAULT_NAME).then_some(("--project", name));
        let acting = self.acting_as.as_ref().map(|who| ("--as", quoted(&who.to_string())));
        Pasted {
            project: project.into_iter().chain(path("--state-dir", &self.state_dir)).collect(),
            engine: self.engine.docker_host.iter().map(|host| ("--docker-host", quoted(host))).collect(),
            services: [
                urls("--user-url", &self.user_url),
                urls("--product-url", &self.product_url),
                urls("--order-url", &self.order_url),
            ]
            .into_iter()
            .flatten()
            .collect(),
            caller: acting.into_iter().chain(path("--token-file", &self.token_file)).collect(),
        }
    }

    /// The project these flags name. Fails where others could have written what its directory holds.
    pub fn project(&self) -> Outcome<Project> {
        let project = self.unchecked_project()?;
        check_project(&project).map_err(Distrust::into_failure)?;
        Ok(project)
    }

    /// The same, whatever its directory holds: for commands that look at that themselves.
    pub fn unchecked_project(&self) -> Outcome<Project> {
        let state_dir = match &self.state_dir {
            Some(dir) => return Ok(Project::new(self.project.clone(), dir)),
            None => dirs::state_dir()
                .or_else(dirs::data_local_dir)
                .map(|dir| dir.join("ordersys"))
                .ok_or_else(|| Failure::new(Exit::Environment, "there is no home directory to keep state in"))
                .hint("name a directory with --state-dir")?,
        };
        Ok(Project::new(self.project.clone(), &state_dir).in_the_usual_place())
    }

    /// Where the services are: as the flags say, else as the project's stack is up.
    pub fn endpoints(&self) -> Outcome<Endpoints> {
        let named = [
            (Role::User, &self.user_url),
            (Role::Product, &self.product_url),
            (Role::Order, &self.order_url),
        ];
        let named = named.map(|(role, urls)| (role, urls.iter().map(BaseUrl::to_string).collect::<Vec<_>>()));
        let instead = |of: Endpoints| named.iter().fold(of, |of, (role, urls)| of.with(*role, urls));
        if named.iter().all(|(_, urls)| !urls.is_empty()) {
            return Ok(instead(Endpoints::default()));
        }
        let project = self.project()?;
        let stack = StackRecord::load(&project)?.ok_or_else(|| {
            let none = none_runs(&project);
            let up = none.hint.clone().unwrap_or_default();
            none.hint(format!("{up}, or name the services with --user-url, --product-url and --order-url"))
        })?;
        Ok(instead(stack.endpoints))
    }
}

/// Several addresses of one service as a flag takes them.
pub(super) fn joined(urls: &[BaseUrl]) -> Option<String> {
    let urls: Vec<&str> = urls.iter().map(BaseUrl::as_str).collect();
    (!urls.is_empty()).then(|| urls.join(","))
}
