//! `ordersys bench compare`: do two groups of runs differ?

use std::path::{Path, PathBuf};

use clap::Parser as _;

use crate::cli::bench::out::OutArgs;
use crate::cli::bench::run::RunArgs;
use crate::cli::bench::stock;
use crate::cli::bench::{Exit, Failure, Globals, OrFail, Outcome, block_on};
use crate::cli::globals::joined;
use ordersys_bench::compare::{
    Comparison, Decision, Differences, MOST_RUNS, Margin, Metric, Sample, Side, order,
};
use ordersys_bench::profile::Profile;
use ordersys_bench::result::{FILE, RunResult};
use ordersys_bench::verdict::Grade;
use ordersys_report::comparison::{figures, text};
use ordersys_report::export;
use ordersys_report::export::COMPARISON_PAGE;

/// Do two groups of runs differ, more than by chance?
///
/// A and B are directories that hold several stored runs each. With --a and --b the runs are made now, in
/// turns (ABBA), so that a drift of the machine meets both sides alike. Each metric is judged by the exact
/// Mann-Whitney test with Holm's correction; the shift is Hodges' and Lehmann's. "The same" means that every
/// metric was shown to differ by less than --margin. Runs with different settings of the load are refused;
/// the systems may differ.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ordersys bench compare before after                 two directories of stored runs
  ordersys bench compare --a '--project one' --b '--project two' --runs 8
  ordersys bench compare --a '--project one' --b '--project two' --out cmp -- -d 5s --lines 1..3
  ordersys bench compare cmp/a cmp/b -o json | jq -r .decision
  ordersys bench compare --aa -- -d 5s                is this machine quiet enough to compare?")]
pub(super) struct Args {
    /// Two directories that hold stored runs: their own result.json, or one in each subdirectory
    #[arg(value_names = ["A", "B"], num_args = 1..=2, conflicts_with_all = ["a", "b", "aa"])]
    stored: Vec<PathBuf>,
    /// Flags of `ordersys bench` for the first side alone, in one argument
    #[arg(long, value_name = "FLAGS", allow_hyphen_values = true)]
    a: Option<String>,
    /// Flags of `ordersys bench` for the second side alone, in one argument
    #[arg(long, value_name = "FLAGS", allow_hyphen_values = true, conflicts_with = "aa")]
    b: Option<String>,
    /// Compare the first side with itself: exit code 8 if that finds a difference
    #[arg(long)]
    aa: bool,
    /// Runs of each side
    #[arg(long, value_name = "N", default_value_t = 6, value_parser = clap::value_parser!(u32).range(1..=50))]
    runs: u32,
    /// Up to which part of the first median a difference counts as none
    #[arg(long, value_name = "PERCENT", default_value_t = Margin(0.05))]
    margin: Margin,
    /// Metrics to compare, instead of all
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    metric: Vec<Metric>,
    #[command(flatten)]
    out: OutArgs,
    /// Flags of `ordersys bench` for both sides, after --
    #[arg(last = true, value_name = "FLAGS", conflicts_with = "stored")]
    both: Vec<String>,
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
    let printer = globals.printer();
    let (runs, out) = match args.stored.as_slice() {
        [a, b] => {
            let runs = Runs { a: stored(a)?, b: stored(b)?, interrupted: false };
            (runs, args.out.claim()?)
        }
        [a] => {
            let what = format!("name a second directory to compare {} with", a.display());
            return Err(Failure::new(Exit::Usage, what)
                .hint("`ordersys bench compare --help` shows the ways to compare"));
        }
        _ => make(args, globals)?,
    };
    let systems = comparable(&runs)?;
    let metrics = if args.metric.is_empty() { &Metric::ALL[..] } else { &args.metric };
    let samples = |runs: &[RunResult]| runs.iter().map(Sample::of_run).collect::<Vec<_>>();
    let comparison = Comparison::of(metrics, &samples(&runs.a), &samples(&runs.b), args.margin, systems);
    printer.data(&comparison, || text(&comparison));
    if let Some(dir) = out {
        export::comparison(&comparison, dir).hint("name another directory with --out")?;
        printer.say(format!("report: {}", dir.join(COMPARISON_PAGE).display()));
    }
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
    let useless =
        |run: &RunResult| run.interrupted || matches!(run.core.verdict, Grade::Invalid | Grade::Failed);
    if let Some((place, run)) = all.iter().enumerate().find(|(_, run)| useless(run)) {
        let state = if run.interrupted { "was interrupted" } else { run.core.verdict.word() };
        let cause = run.core.cause.as_ref().map_or_else(String::new, |cause| format!(": {cause}"));
        let what = format!("run {} of {} {state}{cause}", place + 1, all.len());
        return Err(Failure::new(Exit::Usage, what).hint("take it out: its figures compare nothing"));
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

fn make<'a>(args: &'a Args, globals: &Globals) -> Outcome<(Runs, Option<&'a Path>)> {
    if args.b.is_none() && !args.aa {
        return Err(Failure::new(Exit::Usage, "nothing to compare with")
            .hint("name two directories, or --a and --b, or --aa; see --help"));
    }
    let first = args.a.as_deref().unwrap_or_default();
    let globals = &stock::at_home(globals);
    let a = flags(("--a", first), &args.both, globals)?;
    let b = flags(("--b", args.b.as_deref().unwrap_or(first)), &args.both, globals)?;
    let profiles = [a.run.profile()?, b.run.profile()?];
    let out = args.out.claim()?;
    let printer = globals.printer();
    let (mut runs, order) = (Runs::default(), order(args.runs as usize));
    for (index, side) in order.iter().enumerate() {
        let (flags, profile) = match side {
            Side::A => (&a, &profiles[0]),
            Side::B => (&b, &profiles[1]),
        };
        let number = runs.of(*side).len() + 1;
        let dir = out.map(|out| out.join(side.letter()).join(format!("{number:02}")));
        let profile = Profile { log: dir.clone(), ..profile.clone() };
        match one(flags, &profile, dir.as_deref(), globals) {
            Ok(result) => {
                let place = format!("run {} of {}", index + 1, order.len());
                printer.say(format!("{place}: {}  {}", side.letter(), figures(&result)));
                runs.of(*side).push(result);
            }
            Err(failure) if failure.exit == Exit::Interrupted => {
                runs.interrupted = true;
                break;
            }
            Err(failure) => return Err(failure),
        }
    }
    Ok((runs, out))
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

/// The flags of a side. Those of both sides count where it says nothing, and those of the command itself where these
/// say nothing.
fn flags((name, text): (&str, &str), both: &[String], globals: &Globals) -> Outcome<Flags> {
    let words = shlex::split(text)
        .ok_or_else(|| Failure::new(Exit::Usage, format!("{name} '{text}' has a quote without its end")))?;
    let named = |flag: &str| both.iter().chain(&words).any(|word| word.split('=').next() == Some(flag));
    let mut all = inherited(globals);
    if !named("--as") && !named("--token-file") {
        all.extend(caller(globals).into_iter().flatten());
    }
    let all = all.into_iter().chain(both.iter().cloned()).chain(words);
    let name = if both.is_empty() { name.to_owned() } else { format!("{name} and what follows --") };
    let flags = Flags::try_parse_from(all).map_err(|error| {
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

/// The project and the URLs that the command itself names.
fn inherited(globals: &Globals) -> Vec<String> {
    let flags = [
        ("--project", Some(globals.project.to_string())),
        ("--state-dir", globals.state_dir.as_ref().map(|dir| dir.display().to_string())),
        ("--user-url", joined(&globals.user_url)),
        ("--product-url", joined(&globals.product_url)),
        ("--order-url", joined(&globals.order_url)),
    ];
    flags.into_iter().filter_map(|(flag, value)| Some([flag.to_owned(), value?])).flatten().collect()
}

/// Who the command itself says that it acts as.
fn caller(globals: &Globals) -> Option<[String; 2]> {
    let file =
        globals.token_file.as_ref().map(|file| ["--token-file".to_owned(), file.display().to_string()]);
    file.or_else(|| globals.acting_as.as_ref().map(|who| ["--as".to_owned(), who.to_string()]))
}
