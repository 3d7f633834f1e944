//! What is written is read back the same, for any value.

use ordersys_contract::{Money, Quantity, Timestamp};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn money(minor in 0..=i64::MAX) {
        let amount = Money::from_minor(minor).expect("not negative");
        prop_assert_eq!(amount.to_string().parse(), Ok(amount));
        let json = serde_json::to_string(&amount).expect("serializes");
        prop_assert_eq!(serde_json::from_str::<Money>(&json).expect("parses"), amount);
    }

    #[test]
    fn money_is_added_and_multiplied_exactly_or_not_at_all(
        left in 0..=i64::MAX, right in 0..=i64::MAX, units in 1..=u64::from(Quantity::MAX),
    ) {
        let exactly = |amount: i128| i64::try_from(amount).ok().and_then(Money::from_minor);
        let [a, b] = [left, right].map(|minor| Money::from_minor(minor).expect("not negative"));
        let quantity = Quantity::new(units).expect("in range");
        prop_assert_eq!(a.plus(b), exactly(i128::from(left) + i128::from(right)));
        prop_assert_eq!(a.times(quantity), exactly(i128::from(left) * i128::from(units)));
        let few = Money::from_minor(left >> 20).expect("not negative");
        prop_assert_eq!(few.times(quantity), exactly(i128::from(left >> 20) * i128::from(units)));
    }

    #[test]
    fn no_text_makes_reading_money_panic(text in "[-+]?[0-9]{0,20}[.]?[0-9]{0,3}.?") {
        if let Ok(amount) = text.parse::<Money>() {
            prop_assert!(amount.minor() >= 0);
            prop_assert_eq!(amount.to_string().parse(), Ok(amount));
        }
    }

    /// From the year 0 to the year 9999.
    #[test]
    fn times(millis in -62_167_219_200_000_i64..=253_402_207_200_000) {
        let at = Timestamp::from_millis(millis);
        prop_assert_eq!(at.to_string().parse::<Timestamp>().expect("parses"), at);
    }
}
