//! What a run is asked to do, before anything is known about the system under test.

use std::path::PathBuf;
use std::time::Duration;

use crate::faults::Faults;
use crate::verdict::slo::Objective;
use ordersys_command::{Exit, Failure, Outcome};
use ordersys_contract::{MAX_ORDER_LINES, Quantity};
use ordersys_loadgen::engine::Load;
use ordersys_workload::model::{CountRange, LoadModel, StopCondition, Verification};
use ordersys_workload::plan::key::Keys;
use ordersys_workload::plan::mix::Mix;
use ordersys_workload::plan::skew::Skew;

/// Most connections of one run.
pub const MAX_CONNECTIONS: u32 = 65_536;
/// Most users or products of one run; the plan and the verification keep a row for each.
pub const MAX_POOL: u32 = 100_000;

/// Most registered users of one run: a service hashes a password of each of them, which is slow on purpose.
pub const MAX_REGISTERED: u32 = 64;

/// What a run is asked to do.
#[derive(Debug, Clone)]
pub struct Profile {
    /// When requests leave.
    pub pace: LoadModel,
    /// When the run is over.
    pub stop_condition: StopCondition,
    /// How long requests are sent before any of them counts.
    pub warmup: Duration,
    /// Connections, each with one request at a time.
    pub connections: u32,
    /// Generator threads the connections are spread over.
    pub threads: u32,
    /// How long an answer may take.
    pub timeout: Duration,
    /// The same seed plans the same requests.
    pub seed: u64,
    /// Lines of an order.
    pub lines: CountRange,
    /// Units of a line.
    pub quantity: CountRange,
    /// What share of the requests does what.
    pub mix: Mix,
    /// Which products are ordered more than others.
    pub skew: Skew,
    /// How idempotency keys follow each other.
    pub keys: Keys,
    /// How often a request is sent again after a failure, with the same key.
    pub retries: u32,
    /// Users that order.
    pub users: u32,
    /// Who they are.
    pub buyers: UserKind,
    /// Products that are ordered.
    pub products: u32,
    /// Units each product of the run starts with.
    pub stock: u64,
    /// Whether the stock that a system has may be sold, where it lets us make no products.
    pub existing: ExistingStock,
    /// Whether the books of the system are checked afterwards.
    pub verification: Verification,
    /// What the run has to reach.
    pub objectives: Vec<Objective>,
    /// What is done to the system meanwhile.
    pub faults: Faults,
    /// Where the distribution of each second is logged.
    pub log: Option<PathBuf>,
}

impl Default for Profile {
    /// The defaults of `ordersys bench`.
    fn default() -> Self {
        let connections = 64;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            pace: LoadModel::ClosedLoop,
            stop_condition: StopCondition::For(Duration::from_secs(10)),
            warmup: Duration::from_secs(1),
            connections,
            threads: default_threads(connections, u32::try_from(cores).unwrap_or(u32::MAX)),
            timeout: Duration::from_secs(5),
            seed: 1,
            lines: CountRange::ONE,
            quantity: CountRange::ONE,
            mix: Mix::default(),
            skew: Skew::Uniform,
            keys: Keys::default(),
            retries: 0,
            users: 16,
            buyers: UserKind::Guests,
            products: 100,
            stock: 1_000_000_000,
            existing: ExistingStock::Kept,
            verification: Verification::On,
            objectives: Vec::new(),
            faults: Faults::default(),
            log: None,
        }
    }
}

impl Profile {
    /// Refuses what no system could do, or what would show nothing, before anything is made.
    pub fn refuse_the_pointless(&self) -> Outcome {
        let refuse = |what: String, hint: &str| Err(Failure::new(Exit::Usage, what).hint(hint));
        if self.quantity.most() > Quantity::MAX {
            let what = format!(
                "no order may have {} units of a product: at most {}",
                self.quantity.most(),
                Quantity::MAX
            );
            return refuse(what, "lower --quantity");
        }
        if self.lines.most() as usize > MAX_ORDER_LINES {
            let what = format!("no order may have {} lines: at most {MAX_ORDER_LINES}", self.lines.most());
            return refuse(what, "lower --lines");
        }
        if u64::from(self.quantity.least()) > self.stock {
            let (units, stock) = (self.quantity.least(), self.stock);
            let what = format!(
                "no order could be filled: each wants {units} of a product, and each product has {stock}"
            );
            return refuse(what, "raise --stock, or lower --quantity");
        }
        if self.load().asks_for_nothing() {
            let what = "the plan has no request in the time that is measured".to_owned();
            return refuse(what, "raise --rate or --duration");
        }
        Ok(())
    }

    /// What of it the generator has to know.
    #[must_use]
    pub fn load(&self) -> Load {
        Load {
            pace: self.pace.clone(),
            stop_condition: self.stop_condition,
            warmup: self.warmup,
            connections: self.connections,
            threads: self.threads,
            seed: self.seed,
            retries: self.retries,
            verification: self.verification,
            keeps_acceptances: !self.faults.is_empty(),
        }
    }
}

/// What a run may do with stock that is not its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExistingStock {
    /// Nothing: a system that lets it make no products is not loaded.
    Kept,
    /// Sell it.
    Sold,
}

/// Who orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserKind {
    /// Users without a password, who do not log in.
    Guests,
    /// Users with a password, each of whom logs in and orders with an access token of its own.
    Registered,
}

/// Generator threads for so many connections on so many cores: one per two connections, at most half
/// the cores, since the system under test usually runs beside.
#[must_use]
pub fn default_threads(connections: u32, cores: u32) -> u32 {
    connections.div_ceil(2).min(cores / 2).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_system_could_do_and_a_plan_without_a_request_are_refused() {
        let even = |rate, seconds| Profile {
            pace: LoadModel::OpenLoop { rate, arrivals: ordersys_workload::model::Arrivals::Even },
            stop_condition: StopCondition::For(Duration::from_secs(seconds)),
            ..Profile::default()
        };
        let range = |count| CountRange::new(1, count).expect("a range");
        let three = CountRange::new(3, 3).expect("a range");
        for (profile, said) in [
            (Profile { quantity: range(10_001), ..Profile::default() }, Some("at most 10000")),
            (Profile { quantity: range(10_000), ..Profile::default() }, None),
            (Profile { lines: range(101), products: 200, ..Profile::default() }, Some("at most 100")),
            (Profile { quantity: three, stock: 2, ..Profile::default() }, Some("each wants 3")),
            (Profile { quantity: three, stock: 3, ..Profile::default() }, None),
            (even(0.2, 3), Some("no request")),
            (even(1.0, 3), None),
            (
                Profile { stop_condition: StopCondition::For(Duration::ZERO), ..Profile::default() },
                Some("no request"),
            ),
        ] {
            let failure = profile.refuse_the_pointless().err();
            let found = failure.map(|failure| (failure.exit, failure.error.to_string()));
            match (said, found) {
                (None, None) => {}
                (Some(said), Some((Exit::Usage, found))) if found.contains(said) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn the_generator_leaves_half_of_the_machine_to_the_system() {
        for (connections, cores, threads) in [(1, 8, 1), (64, 2, 1), (64, 1, 1), (64, 16, 8), (6, 16, 3)] {
            assert_eq!(default_threads(connections, cores), threads, "{connections} on {cores}");
        }
    }
}
