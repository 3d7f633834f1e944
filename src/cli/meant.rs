//! What a person means by a text: a part of an id, or a name that is nearly right.

/// Fewest characters of a part of an id.
const FEWEST: usize = 4;
/// Most names that are suggested.
const MOST: usize = 5;

/// Whether a text may be a part of an id.
pub(super) fn is_part(text: &str) -> bool {
    text.len() >= FEWEST && text.chars().all(|c| c.is_ascii_hexdigit() || c == '-')
}

/// Whether an id begins or ends with a part.
pub(super) fn has_part(id: &impl ToString, part: &str) -> bool {
    let (id, part) = (id.to_string(), part.to_lowercase());
    id.starts_with(&part) || id.ends_with(&part)
}

/// The names that `wanted` may have been meant for, the nearest first: by the changes between them, or between
/// `wanted` and one of their words.
pub(super) fn similar<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let wanted = wanted.to_lowercase();
    let most = (wanted.chars().count() / 3).max(1);
    let distance = |name: &str| {
        let name = name.to_lowercase();
        if name.contains(&wanted) {
            return 0;
        }
        let words = name.split([' ', '@']).chain([name.as_str()]);
        words.map(|word| strsim::damerau_levenshtein(word, &wanted)).min().unwrap_or(usize::MAX)
    };
    let near = names.into_iter().map(|name| (distance(name), name)).filter(|(far, _)| *far <= most);
    let mut near: Vec<_> = near.collect();
    near.sort_unstable();
    near.dedup();
    near.into_iter().map(|(_, name)| name).take(MOST).collect()
}

/// A text as one word of a command line.
pub(super) fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "@._-+:/".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    if text.contains(['"', '$', '`', '\\', '!']) || text.chars().any(char::is_control) {
        return shlex::try_quote(text).map_or_else(|_| text.to_owned(), std::borrow::Cow::into_owned);
    }
    format!("\"{text}\"")
}

/// `did you mean ...`, with names as words of a command line.
pub(super) fn did_you_mean(names: &[&str]) -> Option<String> {
    let names: Vec<_> = names.iter().map(|name| quoted(name)).collect();
    (!names.is_empty()).then(|| format!("did you mean {}?", names.join(" or ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_nearly_right_are_found() {
        let names = ["Mechanical Keyboard", "USB-C Hub", "27\" Monitor", "Keyboard"];
        let found = |wanted| similar(wanted, names);
        assert_eq!(found("keybord"), ["Keyboard", "Mechanical Keyboard"]);
        assert_eq!(found("27 Monitor"), ["27\" Monitor"]);
        assert_eq!(found("hub"), ["USB-C Hub"]);
        assert_eq!(found("Teapot"), [] as [&str; 0]);
        assert_eq!(similar("alcie@example.com", ["alice@example.com"]), ["alice@example.com"]);
    }

    #[test]
    fn words_are_quoted_as_a_shell_needs_them() {
        for (text, word) in [
            ("Hub", "Hub"),
            ("USB-C Hub", "\"USB-C Hub\""),
            ("27\" Monitor", "'27\" Monitor'"),
            ("$(date)", "'$(date)'"),
        ] {
            assert_eq!(quoted(text), word);
            assert_eq!(shlex::split(&quoted(text)).expect("splits"), [text]);
        }
    }

    #[test]
    fn parts_of_ids_have_some_length() {
        assert!(is_part("01a2-") && !is_part("01a") && !is_part("hub1"));
        assert!(
            has_part(&"01a2-beef", "BEEF")
                && has_part(&"01a2-beef", "01a2")
                && !has_part(&"01a2-beef", "a2-b")
        );
    }
}
