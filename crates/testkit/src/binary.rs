//! Where the program is that tests run.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// By this, Cargo says where it built the program for tests of the root package.
const VARIABLE: &str = "CARGO_BIN_EXE_ordersys";

/// The program `ordersys` of the same build. Where Cargo does not say (an example, or a test that a debugger runs), it is
/// the one beside the folder of what runs now.
pub fn binary() -> &'static Path {
    static BINARY: LazyLock<PathBuf> = LazyLock::new(|| {
        let beside = || Some(std::env::current_exe().ok()?.parent()?.parent()?.join("ordersys"));
        let path = std::env::var_os(VARIABLE).map(PathBuf::from).or_else(beside);
        let path = path.expect("the place of what runs now is known");
        assert!(path.is_file(), "{} is not there: `cargo build` makes it", path.display());
        path
    });
    &BINARY
}
