//! The names that a user had before, as they are stored: JSON, the latest last; null stands for names that are
//! forgotten.

use ordersys_contract::evidence::MAX_FORMER_NAMES;

/// The names in a stored text.
pub(super) fn parse(text: &str) -> serde_json::Result<Vec<Option<String>>> {
    serde_json::from_str(text)
}

/// The text to store with one name more.
pub(super) fn with_one_more(text: &str, name: String) -> serde_json::Result<String> {
    serde_json::to_string(&with_former(parse(text)?, name))
}

/// The names with one more; the earliest are forgotten if they become too many.
fn with_former(mut names: Vec<Option<String>>, name: String) -> Vec<Option<String>> {
    names.retain(|known| known.as_ref() != Some(&name));
    names.push(Some(name));
    let known = names.iter().flatten().count();
    if known > MAX_FORMER_NAMES {
        let kept = names.into_iter().flatten().skip(known - MAX_FORMER_NAMES).map(Some);
        names = std::iter::once(None).chain(kept).collect();
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn former_names_are_bounded_and_say_when_some_are_forgotten() {
        let mut names = Vec::new();
        for number in 0..MAX_FORMER_NAMES {
            names = with_former(names, number.to_string());
            names = with_former(names, number.to_string());
        }
        assert_eq!(names.len(), MAX_FORMER_NAMES);
        assert!(names.iter().all(Option::is_some));
        names = with_former(names, "one more".to_owned());
        assert_eq!(names.len(), MAX_FORMER_NAMES + 1);
        assert_eq!((&names[0], &names[1]), (&None, &Some("1".to_owned())));
        assert_eq!(with_former(names.clone(), "another".to_owned()).len(), names.len());
    }
}
