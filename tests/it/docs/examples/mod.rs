//! The examples in README, in the pages of `start` and `guide`, and in the help of every command. The command line
//! reads each of them. What a stack of local processes shows in a moment is also run, as a shell runs it, in order, and
//! what the page says about it has to come true.

use std::fs;
use std::path::Path;

use clap::error::ErrorKind;
use ordersys_testkit::busy_blocking;

mod sandbox;

use crate::docs::examples::sandbox::Sandbox;

/// What is not run, by a part of it, with the reason. Each part has to be somewhere.
const ONLY_READ: [(&str, &str); 25] = [
    ("ordersys bench", "takes ten seconds or more"),
    ("ordersys smoke", "makes a stack of its own; other tests run it"),
    ("ordersys serve", "runs until it is stopped"),
    ("logs -f", "runs until it is stopped"),
    ("product -f", "runs until it is stopped"),
    ("--watch", "runs until it is stopped"),
    ("user passwd", "asks for passwords on the terminal"),
    ("logout --as", "the account was logged out before"),
    ("my-request-1", "no such request was made"),
    ("logs --request ID", "no such request was made"),
    ("order=18003", "another program may have this port"),
    ("down --all", "takes down what others started"),
    ("ordersys health", "asks at the usual port"),
    ("--store postgres://", "needs a database"),
    ("--replicas", "needs a database"),
    ("order.2", "needs several services of one role"),
    ("docker", "needs an engine, and images from a registry"),
    ("compose/make-secrets.sh", "belongs to the line after it"),
    ("sudo", "sets up a machine"),
    ("curl --proto", "sets up a machine"),
    ("cargo build", "builds"),
    ("cargo test", "is what runs this"),
    ("cargo run --example", "builds"),
    ("man -l", "needs a viewer of manual pages"),
    ("xdg-open", "needs a browser"),
];
/// What is run all the same.
const SHORT: [&str; 4] = ["bench --count 1000", "bench --duration 2s", "bench schema", "health --url"];
/// The most columns that the help fills.
const COLUMNS: usize = 100;
/// What a command in running text may lack.
const UNFINISHED: [ErrorKind; 1] = [ErrorKind::MissingRequiredArgument];
/// How pages write an id that the reader has to put in.
const PLACEHOLDERS: [&str; 2] = ["ID", "0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b"];

/// A line of shell, and where it stands.
struct Line {
    at: String,
    text: String,
    /// Whether the page says that it is rejected.
    rejected: bool,
}

impl Line {
    fn new(at: String, text: &str) -> Self {
        Self { at, text: text.replace("cargo run --release --", "ordersys"), rejected: false }
    }
}

/// Lines that are run one after the other in one shell.
#[derive(Default)]
struct Block {
    lines: Vec<Line>,
    /// What the page shows below them: the output of the last one.
    shown: Option<String>,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The pages whose examples are held to be true.
fn pages() -> Vec<String> {
    let mut pages = vec!["README.md".to_owned()];
    for folder in ["docs/start", "docs/guide"] {
        let files = fs::read_dir(root().join(folder)).expect("a folder").flatten();
        pages.extend(files.map(|file| format!("{folder}/{}", file.file_name().to_string_lossy())));
    }
    pages.sort();
    pages
}

/// The lines of a shell block: comments are left out, lines that go on are joined.
fn lines(page: &str, block: &[(usize, &str)]) -> Vec<Line> {
    let (mut found, mut text) = (Vec::new(), String::new());
    for (at, line) in block {
        text.push_str(line.trim_start());
        if line.ends_with('\\') {
            text.push('\n');
        } else {
            found.push(Line::new(format!("{page}:{}", at + 1), &std::mem::take(&mut text)));
        }
    }
    found.retain(|line| !line.text.is_empty() && !line.text.starts_with('#'));
    found
}

/// What the last column of a table suggests to try: commands, each perhaps with how it is rejected.
fn tried(page: &str, at: usize, row: &str) -> Vec<Line> {
    let parts: Vec<_> = row.rsplit('|').nth(1).unwrap_or_default().split('`').collect();
    let commands = parts[1..].chunks(2).map(|part| Line {
        rejected: part.last().is_some_and(|after| after.starts_with(" (4")),
        ..Line::new(format!("{page}:{}", at + 1), part[0])
    });
    commands.collect()
}

/// The blocks of a page, and the page without them.
fn blocks(page: &str) -> (Vec<Block>, String) {
    let text = fs::read_to_string(root().join(page)).expect("reads");
    let (mut found, mut prose): (Vec<Block>, _) = (Vec::new(), String::new());
    let (mut follows, mut tries) = (false, false);
    let mut all = text.lines().enumerate();
    while let Some((at, line)) = all.next() {
        let Some(language) = line.trim_start().strip_prefix("```") else {
            prose.extend([line, "\n"]);
            follows &= line.is_empty();
            tries = line.starts_with('|') && (tries || line.ends_with("| try it |"));
            if tries {
                found.push(Block { lines: tried(page, at, line), shown: None });
            }
            continue;
        };
        let inside: Vec<_> =
            all.by_ref().take_while(|(_, line)| !line.trim_start().starts_with("```")).collect();
        let plain = || inside.iter().map(|(_, line)| *line).collect::<Vec<_>>().join("\n");
        match language {
            "sh" | "bash" => found.push(Block { lines: lines(page, &inside), shown: None }),
            "yaml" => {
                let runs = inside.iter().filter_map(|(at, line)| Some((*at, line.split_once("run: ")?.1)));
                found.push(Block { lines: lines(page, &runs.collect::<Vec<_>>()), shown: None });
            }
            "text" | "json" if follows => found.last_mut().expect("a block").shown = Some(plain()),
            "text" | "json" => {}
            other => panic!("{page}:{}: a block of `{other}` is not known here", at + 1),
        }
        follows = matches!(language, "sh" | "bash");
    }
    (found, prose)
}

/// The examples of a command's help and of the commands below it; what explains one stands two spaces behind it.
fn help_blocks(command: &clap::Command, path: &str, found: &mut Vec<Block>) {
    let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let examples = after.lines().skip_while(|line| *line != "Examples:").skip(1);
    let examples = examples.take_while(|line| line.starts_with("  "));
    let example = |line: &str| line.trim().split("  ").next().unwrap_or_default().to_owned();
    let lines = examples.map(|line| Line::new(format!("{path} --help"), &example(line)));
    found.push(Block { lines: lines.collect(), shown: None });
    for below in command.get_subcommands() {
        help_blocks(below, &format!("{path} {}", below.get_name()), found);
    }
}

fn help() -> Vec<Block> {
    let (mut found, mut all) = (Vec::new(), ordersys::cli::command());
    all.build();
    help_blocks(&all, "ordersys", &mut found);
    found
}

/// The commands in a line of shell, each as its words, without what is redirected.
fn commands(line: &str) -> Vec<Vec<String>> {
    let (mut parts, mut quote, mut last) = (vec![String::new()], None, ' ');
    for letter in line.chars() {
        match (quote, letter) {
            _ if last == '\\' => {}
            (None, '#') if last.is_whitespace() => break,
            (None, '\'' | '"') => quote = Some(letter),
            (Some(open), _) if open == letter => quote = None,
            (None, '&' | ';' | '|' | '(' | ')') => parts.push(String::new()),
            _ => {}
        }
        parts.last_mut().expect("one").push(letter);
        last = letter;
    }
    let words = parts.iter().map(|part| {
        let part = part.trim_start_matches(['&', ';', '|', '(', ')']);
        let words = shlex::split(part).unwrap_or_else(|| panic!("`{line}` is no shell"));
        words.into_iter().take_while(|word| !word.starts_with(['<', '>'])).collect()
    });
    words.collect()
}

/// Has the command line read what a line of shell gives it; says how many commands those were.
fn read(at: &str, line: &str, tolerated: &[ErrorKind]) -> usize {
    let line = with_id(&line.replace("COMMAND", "up"), PLACEHOLDERS[1]);
    let ours =
        commands(&line).into_iter().filter(|words| words.first().is_some_and(|word| word == "ordersys"));
    let ours: Vec<_> = ours.collect();
    for words in &ours {
        let error = ordersys::cli::command().try_get_matches_from(words).err();
        // The rest is help that was asked for.
        let error = error.filter(|error| error.use_stderr() && !tolerated.contains(&error.kind()));
        assert!(error.is_none(), "{at}: `{line}`: {}", error.expect("one"));
    }
    ours.len()
}

/// The line with this id where the reader has to put one.
fn with_id(line: &str, id: &str) -> String {
    let line = line.split(' ').map(|word| if PLACEHOLDERS.contains(&word) { id } else { word });
    line.collect::<Vec<_>>().join(" ")
}

/// Whether a line is run.
fn is_run(line: &Line) -> bool {
    let text = &line.text;
    SHORT.iter().any(|part| text.contains(part)) || !ONLY_READ.iter().any(|(part, _)| text.contains(part))
}

/// Runs what can be run of these blocks on a stack of their own.
fn run(mut blocks: Vec<Block>) -> usize {
    for block in &mut blocks {
        let last = block.lines.last().is_some_and(is_run);
        block.shown = block.shown.take().filter(|_| last);
        block.lines.retain(is_run);
    }
    blocks.retain(|block| !block.lines.is_empty());
    if blocks.is_empty() {
        return 0;
    }
    let sandbox = Sandbox::start();
    blocks.iter().map(|block| sandbox.run(block)).sum()
}

#[test]
fn the_command_line_reads_every_example() {
    let (mut all, mut spans) = (help(), 0);
    for page in pages() {
        let (blocks, prose) = blocks(&page);
        all.extend(blocks);
        for paragraph in prose.split("\n\n").flat_map(|text| text.split("\n|")) {
            let code = paragraph.split('`').skip(1).step_by(2).filter(|code| code.starts_with("ordersys "));
            spans += code.map(|code| read(&page, &code.replace('\n', " "), &UNFINISHED)).sum::<usize>();
        }
    }
    let lines: Vec<_> = all.iter().flat_map(|block| &block.lines).collect();
    let commands: usize = lines.iter().map(|line| read(&line.at, &line.text, &[])).sum();
    assert!(commands > 150 && spans > 25, "{commands} in blocks and {spans} in text are too few to be all");
    for part in ONLY_READ.iter().map(|(part, _)| part).chain(&SHORT) {
        assert!(lines.iter().any(|line| line.text.contains(part)), "no line has `{part}` any more");
    }
}

/// Commands without a line of example in their help, or with one that is broken over lines on every terminal.
fn bare(command: &clap::Command, path: &str, found: &mut Vec<String>) {
    let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let (_, examples) = after.split_once("Examples:\n").unwrap_or_default();
    let long = examples.lines().filter(|line| line.chars().count() > COLUMNS);
    found.extend(long.map(|line| format!("{path}: too long: {line}")));
    if examples.is_empty() {
        found.push(format!("{path}: no examples"));
    }
    for below in command.get_subcommands().filter(|below| !below.is_hide_set() && below.get_name() != "help")
    {
        bare(below, &format!("{path} {}", below.get_name()), found);
    }
}

#[test]
fn every_command_has_examples_that_fit() {
    let (mut found, mut all) = (Vec::new(), ordersys::cli::command());
    all.build();
    bare(&all, "ordersys", &mut found);
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn what_the_pages_show_comes_true() {
    let _turn = busy_blocking();
    let ran = pages().iter().map(|page| run(blocks(page).0)).sum::<usize>();
    assert!(ran > 40, "{ran} lines are too few to be all");
}

#[test]
fn what_the_help_shows_can_be_done() {
    let _turn = busy_blocking();
    let ran = run(help());
    assert!(ran > 40, "{ran} lines are too few to be all");
}
