//! A credential that never shows itself.

use std::fmt::{self, Write as _};
use std::path::Path;

use rand::Rng;

/// A bearer credential; `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// 256 random bits from the operating system's generator, as 64 hexadecimal digits.
    #[must_use]
    pub fn random() -> Self {
        let mut bytes = [0_u8; 32];
        rand::rng().fill_bytes(&mut bytes);
        let mut text = String::with_capacity(64);
        for byte in bytes {
            let _ = write!(text, "{byte:02x}"); // writing to a String cannot fail
        }
        Self(text)
    }

    /// The secret with this text, unless empty or not printable.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let usable = !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic());
        usable.then(|| Self(text.to_owned()))
    }

    /// The secret in the first line of a file.
    pub fn read(path: &Path) -> std::io::Result<Self> {
        let text = std::fs::read_to_string(path)?;
        let line = text.lines().next().unwrap_or("").trim();
        Self::new(line)
            .ok_or_else(|| std::io::Error::new(std::io::ErrorKind::InvalidData, "holds no usable credential"))
    }

    /// The secret itself, for a header or a file of mode 0600, for nothing else.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(hidden)")
    }
}
