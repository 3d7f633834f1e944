//! Whatever key a list ends with, its cursor leads back to it.

use ordersys_chassis::http::page::{cursor, cursor_text};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_cursor_is_read_as_it_was_written(key in any::<[u8; 16]>()) {
        prop_assert_eq!(cursor::<16>(Some(&cursor_text(&key))), Ok(Some(key)));
    }

    #[test]
    fn no_text_makes_it_panic(text in ".{0,40}") {
        let read = cursor::<16>(Some(&text));
        let written = read.ok().flatten().map(|key| cursor_text(&key));
        prop_assert!(written.is_none_or(|written| written == text.to_lowercase()));
    }
}
