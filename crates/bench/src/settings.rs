//! The conditions of a run, printed and stored with every result.

use std::collections::BTreeMap;
use std::sync::Arc;

use ordersys_command::counted;
use ordersys_contract::client::Endpoints;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::profile::{Profile, UserKind};
use crate::verdict::slo::Objective;
use ordersys_stack::ops::chaos::Chaos;
use ordersys_verify::system::ApiContract;
use ordersys_workload::model::{Arrivals, CountRange, LoadModel, StopCondition};
use ordersys_workload::plan::key::Keys;
use ordersys_workload::plan::mix::Mix;
use ordersys_workload::plan::skew::Skew;

/// The system under test, as far as the caller knows it.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// The command line that asked for the run, without secrets.
    pub command: Option<String>,
    /// Processes of the services, for their processor time.
    pub server_pids: Vec<u32>,
    /// Docker or processes.
    pub runtime: Option<String>,
    /// Three services or one process.
    pub topology: Option<String>,
    /// When a commit counts as durable.
    pub durability: Option<String>,
    /// What can be done to it, if it is the project's own stack.
    pub chaos: Option<Arc<Chaos>>,
}

/// What keys were before there was a choice.
fn earlier() -> Keys {
    Keys::Random
}

/// From so many to so many, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Range {
    /// The smallest number.
    pub min: u32,
    /// The largest number.
    pub max: u32,
}

impl Range {
    fn of(range: CountRange) -> Self {
        Self { min: range.least(), max: range.most() }
    }

    /// With what it counts: `1 line`, `1..3 lines`.
    fn counted(self, what: &str) -> String {
        let Self { min, max } = self;
        if min == max { counted(min, what) } else { format!("{min}..{max} {what}s") }
    }
}

/// The conditions of a run: everything two runs must share to be compared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Settings {
    #[serde(rename = "loop")]
    pacing: String,
    rate: Option<f64>,
    stages: Option<String>,
    arrivals: Option<Arrivals>,
    concurrency: u32,
    threads: u32,
    duration_seconds: Option<f64>,
    count: Option<u64>,
    warmup_seconds: f64,
    timeout_millis: f64,
    lines: Range,
    quantity: Range,
    mix: String,
    skew: String,
    #[serde(default = "earlier")]
    keys: Keys,
    retries: u32,
    users: u32,
    #[serde(default)]
    registered: bool,
    products: usize,
    stock: Option<u64>,
    seed: u64,
    slo: Vec<String>,
    faults: Vec<String>,
    contract: String,
    #[schemars(with = "BTreeMap<String, String>")]
    urls: Endpoints,
    runtime: Option<String>,
    topology: Option<String>,
    durability: Option<String>,
    cores: usize,
    version: String,
    build: String,
}

/// What was ready before the first request.
#[derive(Debug, Clone, Copy)]
pub struct RunContext<'a> {
    /// Where the services are.
    pub endpoints: &'a Endpoints,
    /// What is known of them.
    pub environment: &'a Environment,
    /// What they promise.
    pub contract: ApiContract,
    /// How many products are ordered.
    pub products: usize,
}

impl Settings {
    /// The conditions of a run.
    #[must_use]
    pub fn new(profile: &Profile, ground: RunContext<'_>) -> Self {
        let (pacing, rate, stages) = match &profile.pace {
            LoadModel::ClosedLoop => ("closed", None, None),
            LoadModel::OpenLoop { rate, .. } => ("open", Some(*rate), None),
            LoadModel::Ramping { stages, .. } => ("open", None, Some(stages.to_string())),
        };
        let (duration_seconds, count) = match profile.stop_condition {
            StopCondition::For(duration) => (Some(duration.as_secs_f64()), None),
            StopCondition::Count(count) => (None, Some(count)),
        };
        let (contract, stock) = match ground.contract {
            ApiContract::Full => ("full", Some(profile.stock)),
            ApiContract::Article => ("article", None),
        };
        Self {
            pacing: pacing.to_owned(),
            rate,
            stages,
            arrivals: profile.pace.arrivals(),
            concurrency: profile.connections,
            threads: profile.threads,
            duration_seconds,
            count,
            warmup_seconds: profile.warmup.as_secs_f64(),
            timeout_millis: profile.timeout.as_secs_f64() * 1e3,
            lines: Range::of(profile.lines),
            quantity: Range::of(profile.quantity),
            mix: profile.mix.to_string(),
            skew: profile.skew.to_string(),
            keys: profile.keys,
            retries: profile.retries,
            users: profile.users,
            registered: profile.buyers == UserKind::Registered,
            products: ground.products,
            stock,
            seed: profile.seed,
            slo: profile.objectives.iter().map(ToString::to_string).collect(),
            faults: profile.faults.iter().map(ToString::to_string).collect(),
            contract: contract.to_owned(),
            // The load goes to the first service of each role.
            urls: Endpoints { further: BTreeMap::new(), ..ground.endpoints.clone() },
            runtime: ground.environment.runtime.clone(),
            topology: ground.environment.topology.clone(),
            durability: ground.environment.durability.clone(),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            build: if cfg!(debug_assertions) { "debug" } else { "release" }.to_owned(),
        }
    }

    /// Whether requests left on a plan.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.pacing == "open"
    }

    /// The objectives that bound response times from above, each with its limit in milliseconds.
    #[must_use]
    pub fn time_limits(&self) -> Vec<(String, f64)> {
        let limit = |text: &String| Some((text.clone(), text.parse::<Objective>().ok()?.time_limit()?));
        self.slo.iter().filter_map(limit).collect()
    }

    /// What differs from single orders of any product.
    fn unusual(&self) -> String {
        let mut text = String::new();
        let usual = [Mix::default().to_string(), Skew::Uniform.to_string(), 0.to_string()];
        let found = [self.mix.clone(), self.skew.clone(), self.retries.to_string()];
        for ((name, found), usual) in ["mix", "skew", "retries"].into_iter().zip(found).zip(usual) {
            if found != usual {
                text = format!("{text}, {name} {found}");
            }
        }
        if self.keys == Keys::Random {
            text.push_str(", random keys");
        }
        text
    }

    /// The conditions in two lines.
    #[must_use]
    pub fn lines(&self) -> [String; 2] {
        let rate = self.rate.map(|rate| format!("{rate}/s")).or_else(|| self.stages.clone());
        let pace = match (rate, self.arrivals) {
            (Some(rate), Some(arrivals)) => format!("open loop {rate} {arrivals:?}").to_lowercase(),
            _ => "closed loop".to_owned(),
        };
        let unknown = || "unknown".to_owned();
        let stock = self.stock.map_or_else(|| "its own".to_owned(), |stock| stock.to_string());
        [
            format!(
                "{pace}, {} on {}, {} of {}, {}, {} with stock {stock}, seed {}{}",
                counted(self.concurrency, "connection"),
                counted(self.threads, "thread"),
                self.lines.counted("line"),
                self.quantity.counted("unit"),
                counted(self.users, if self.registered { "registered user" } else { "user" }),
                counted(self.products, "product"),
                self.seed,
                self.unusual(),
            ),
            format!(
                "durability {}, topology {}, runtime {}, {} cores shared with the generator, version {} ({} build)",
                self.durability.clone().unwrap_or_else(unknown),
                self.topology.clone().unwrap_or_else(unknown),
                self.runtime.clone().unwrap_or_else(unknown),
                self.cores,
                self.version,
                self.build
            ),
        ]
    }
}
