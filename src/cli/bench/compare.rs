//! `ordersys bench compare`: do two groups of runs differ?

use std::path::{Path, PathBuf};

use clap::Parser as _;

use crate::cli::bench::run::RunArgs;
use crate::cli::bench::{Exit, Failure, Globals, OrFail, Outcome, block_on};
use crate::render::comparison::text;
use crate::render::export;
use ordersys_bench::compare::{Comparison, Decision, Differences, MOST_RUNS, Metric, Sample, Side, order};
use ordersys_bench::profile::Profile;
use ordersys_bench::result::{FILE, RunResult};
use ordersys_bench::verdict::Grade;

/// Do two groups of runs differ, more than by chance?
///
/// A and B are directories that hold several stored runs each. With --a and --b the runs are made now, in
/// turns (ABBA), so that a drift of the machine meets both sides alike. Each metric is judged by the exact
/// Mann-Whitney test with Holm's correction; the shift is Hodges' and Lehmann's. Runs with different
/// settings of the load are refused; the systems may differ.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ordersys bench compare before after                 two directories of stored runs
  ordersys bench compare --a '--project one' --b '--project two' --runs 8
  ordersys bench compare --a '--project one -d 5s' --b '--project two -d 5s' --out cmp
  ordersys bench compare cmp/a cmp/b -o json | jq -r .decision
  ordersys bench compare --aa --a '-d 5s'             is this machine quiet enough to compare?")]
pub(super) struct Args {
    /// Two directories that hold stored runs: their own result.json, or one in each subdirectory
    #[arg(value_names = ["A", "B"], num_args = 2, conflicts_with_all = ["a", "b", "aa"])]
    stored: Vec<PathBuf>,
    /// Flags of `ordersys bench` for the first side, in one argument
    #[arg(long, value_name = "FLAGS", allow_hyphen_values = true)]
    a: Option<String>,
    /// Flags of `ordersys bench` for the second side, in one argument
    #[arg(long, value_name = "FLAGS", allow_hyphen_values = true, requires = "a", conflicts_with = "aa")]
    b: Option<String>,
    /// Compare the first side with itself: exit code 8 if that finds a difference
    #[arg(long)]
    aa: bool,
    /// Runs of each side
    #[arg(long, value_name = "N", default_value_t = 6, value_parser = clap::value_parser!(u32).range(1..=50))]
    runs: u32,
    /// Metrics to compare, instead of all
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    metric: Vec<Metric>,
    /// Keep the runs made now in this directory, as a/NN and b/NN
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// The flags of one side.
#[derive(Debug, clap::Parser)]
#[command(name = "ordersys bench", no_binary_name = true, args_override_self = true)]
struct Flags {
    #[command(flatten)]
    globals: Globals,
    #[command(flatten)]
    run: RunArgs,
}

/// The runs of both sides.
#[derive(Debug, Default)]
struct Runs {
    a: Vec<RunResult>,
    b: Vec<RunResult>,
    interrupted: bool,
}

impl Runs {
    fn of(&mut self, side: Side) -> &mut Vec<RunResult> {
        match side {
            Side::A => &mut self.a,
            Side::B => &mut self.b,
        }
    }
}

pub(super) fn run(args: &Args, globals: &Globals) -> Outcome {
    let runs = match args.stored.as_slice() {
        [a, b] => Runs { a: stored(a)?, b: stored(b)?, interrupted: false },
        _ => make(args, globals)?,
    };
    let systems = comparable(&runs)?;
    let metrics = if args.metric.is_empty() { &Metric::ALL[..] } else { &args.metric };
    let samples = |runs: &[RunResult]| runs.iter().map(Sample::of_run).collect::<Vec<_>>();
    let comparison = Comparison::of(metrics, &samples(&runs.a), &samples(&runs.b), systems);
    globals.printer().data(&comparison, || text(&comparison));
    if runs.interrupted {
        return Err(Failure::new(Exit::Interrupted, "interrupted; compared are the runs before"));
    }
    if args.aa && comparison.decision == Decision::Different {
        let what = "the same system seems to differ from itself: this machine is not quiet enough to compare";
        return Err(Failure::new(Exit::InvalidRun, what).hint("stop what else runs, or make longer runs"));
    }
    Ok(())
}

/// The runs stored in a directory.
fn stored(dir: &Path) -> Outcome<Vec<RunResult>> {
    if dir.join(FILE).is_file() {
        return Ok(vec![RunResult::read(dir)?]);
    }
    let entries = std::fs::read_dir(dir).map_err(|error| {
        let error = anyhow::Error::new(error).context(format!("cannot read {}", dir.display()));
        Failure { exit: Exit::NotFound, error, hint: None }
    });
    let entries: Result<Vec<_>, _> = entries.hint("name a directory that holds stored runs")?.collect();
    let mut dirs: Vec<_> = entries?.into_iter().map(|entry| entry.path()).collect();
    dirs.retain(|path| path.join(FILE).is_file());
    dirs.sort();
    match dirs.len() {
        0 => Err(Failure::new(Exit::NotFound, format!("{} holds no stored run", dir.display()))
            .hint("store runs there with `ordersys bench --out` and a directory for each")),
        many if many > MOST_RUNS => {
            let what = format!("{} holds {many} runs; at most {MOST_RUNS} are compared", dir.display());
            Err(Failure::new(Exit::Usage, what))
        }
        _ => dirs.iter().map(|dir| RunResult::read(dir)).collect(),
    }
}

/// How the systems differ, if all runs had the same load and measured a system.
fn comparable(runs: &Runs) -> Outcome<Vec<ordersys_bench::compare::Difference>> {
    let all: Vec<_> = runs.a.iter().chain(&runs.b).collect();
    if let Some((place, _)) =
        all.iter().enumerate().find(|(_, run)| run.interrupted || run.core.verdict == Grade::Invalid)
    {
        let what = format!("run {} of {} is invalid or was interrupted", place + 1, all.len());
        return Err(Failure::new(Exit::Usage, what).hint("take it out: it does not describe the system"));
    }
    let mut systems = Vec::new();
    for run in all.iter().skip(1) {
        let differences = Differences::between(all[0], run);
        if let Some(first) = differences.load.first() {
            let what = format!("the runs cannot be compared: {first}");
            return Err(
                Failure::new(Exit::Usage, what).hint("compare runs of the same load on the same machine")
            );
        }
        for difference in differences.system {
            if !systems.contains(&difference) {
                systems.push(difference);
            }
        }
    }
    Ok(systems)
}

fn make(args: &Args, globals: &Globals) -> Outcome<Runs> {
    if args.b.is_none() && !args.aa {
        return Err(Failure::new(Exit::Usage, "nothing to compare with")
            .hint("name two directories, or --a and --b, or --aa; see --help"));
    }
    let first = args.a.as_deref().unwrap_or_default();
    let a = flags("--a", first, globals)?;
    let b = flags("--b", args.b.as_deref().unwrap_or(first), globals)?;
    let profiles = [a.run.profile()?, b.run.profile()?];
    let printer = globals.printer();
    let (mut runs, order) = (Runs::default(), order(args.runs as usize));
    for (index, side) in order.iter().enumerate() {
        printer.say(format!("run {} of {}: {}", index + 1, order.len(), side.letter()));
        let (flags, profile) = match side {
            Side::A => (&a, &profiles[0]),
            Side::B => (&b, &profiles[1]),
        };
        let number = runs.of(*side).len() + 1;
        let dir = args.out.as_ref().map(|out| out.join(side.letter()).join(format!("{number:02}")));
        let profile = Profile { log: dir.clone(), ..profile.clone() };
        match one(flags, &profile, dir.as_deref(), globals) {
            Ok(result) => runs.of(*side).push(result),
            Err(failure) if failure.exit == Exit::Interrupted => {
                runs.interrupted = true;
                break;
            }
            Err(failure) => return Err(failure),
        }
    }
    Ok(runs)
}

fn one(flags: &Flags, profile: &Profile, dir: Option<&Path>, globals: &Globals) -> Outcome<RunResult> {
    let (client, printer) = (flags.globals.client()?, globals.printer());
    let report = block_on(async {
        let environment = flags.run.environment(&flags.globals).await?;
        crate::render::run(profile, &client, &environment, &printer).await
    })?;
    if let Some(dir) = dir {
        export::write(&report, dir).hint("name another directory with --out")?;
    }
    match report.failure() {
        Some(failure) if failure.exit != Exit::ObjectiveMissed => Err(failure),
        _ => Ok(RunResult::of(&report)),
    }
}

/// The flags of a side; those of the command itself count where the side says nothing.
fn flags(name: &str, text: &str, globals: &Globals) -> Outcome<Flags> {
    let words = shlex::split(text)
        .ok_or_else(|| Failure::new(Exit::Usage, format!("{name} '{text}' has a quote without its end")))?;
    let mut all = vec!["--project".to_owned(), globals.project.to_string()];
    if let Some(dir) = &globals.state_dir {
        all.extend(["--state-dir".to_owned(), dir.display().to_string()]);
    }
    let urls = [
        ("--user-url", &globals.user_url),
        ("--product-url", &globals.product_url),
        ("--order-url", &globals.order_url),
    ];
    for (flag, url) in urls {
        all.extend(url.iter().flat_map(|url| [flag.to_owned(), url.clone()]));
    }
    let flags = Flags::try_parse_from(all.into_iter().chain(words)).map_err(|error| {
        let text = error.to_string();
        let text = text.strip_prefix("error: ").unwrap_or(&text);
        Failure::new(Exit::Usage, format!("{name}: {}", text.trim_end()))
    })?;
    if let Some(own) = flags.run.own() {
        return Err(Failure::new(Exit::Usage, format!("{name} must not have {own}"))
            .hint("`bench compare` shows its runs in its own way, and with --out keeps each of them apart"));
    }
    Ok(flags)
}
