//! What a variable of a switch may say.

/// Reads `1` and `0` and their words.
pub(in crate::cli) fn switch(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Ok(true),
        "" | "0" | "false" | "no" | "off" => Ok(false),
        _ => Err("write 1, true, yes or on; or 0, false, no or off".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_taken_in_any_case() {
        for (text, on) in
            [("1", true), ("Yes", true), ("on", true), ("0", false), ("OFF", false), ("", false)]
        {
            assert_eq!(switch(text), Ok(on), "{text}");
        }
        assert!(switch("maybe").is_err() && switch("2").is_err());
    }
}
