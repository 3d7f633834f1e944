use super::*;

#[test]
fn amounts_are_read_from_their_digits() {
    let cases: &[(&str, Result<i64, NotMoney>)] = &[
        ("149.99", Ok(14_999)),
        ("0.1", Ok(1)),
        ("7", Ok(7)),
        ("0.125", Ok(125)),
        ("0", Ok(0)),
        ("92233720368547758.07", Ok(i64::MAX)),
        ("92233720368547758.08", Err(NotMoney::TooLarge)),
        ("9223372036854775.807", Ok(i64::MAX)),
        ("1.0005", Err(NotMoney::TooFine)),
        ("0.0000", Err(NotMoney::TooFine)),
        (".5", Err(NotMoney::Malformed)),
        ("-1", Err(NotMoney::Negative)),
        ("1e2", Err(NotMoney::Malformed)),
        ("NaN", Err(NotMoney::Malformed)),
        ("\"1\"", Err(NotMoney::Malformed)),
        ("1.", Err(NotMoney::Malformed)),
        ("", Err(NotMoney::Malformed)),
    ];
    for (text, expected) in cases {
        assert_eq!(text.parse::<Money>().map(Money::minor), *expected, "{text}");
    }
}

#[test]
fn the_wire_has_two_decimals_and_no_float() {
    let amount = Money::from_minor(14_990).expect("not negative");
    assert_eq!(serde_json::to_string(&amount).expect("serializes"), "149.90");
    let text = |minor| Money::from_minor(minor).expect("not negative").to_string();
    assert_eq!([0, 5, 100, 1_234_567].map(text), ["0.00", "0.05", "1.00", "12345.67"]);
    assert_eq!(text(i64::MAX), "92233720368547758.07");
    let back: Money = serde_json::from_str("90071992547409.93").expect("parses");
    assert_eq!(back.minor(), 9_007_199_254_740_993, "not representable as a float");
}

#[test]
fn an_amount_has_the_decimals_of_its_currency() {
    let currency = |code: &str| code.parse::<Currency>().expect("a code");
    let read = |text: &str, code: &str| {
        let amount = text.parse::<Money>().expect("an amount");
        amount.in_currency(currency(code)).map(|amount| (amount.minor(), amount.to_string()))
    };
    let is = |minor: i64, text: &str| Ok((minor, text.to_owned()));
    assert_eq!(read("149.9", "USD"), is(14_990, "149.90"));
    assert_eq!(read("500", "JPY"), is(500, "500"));
    assert_eq!(read("0", "JPY"), is(0, "0"));
    assert_eq!(read("0.125", "KWD"), is(125, "0.125"));
    assert_eq!(read("7", "KWD"), is(7_000, "7.000"));
    for (text, code, most) in [("0.50", "JPY", "no"), ("1.0", "JPY", "no"), ("0.125", "USD", "at most 2")] {
        let error = read(text, code).expect_err(text);
        assert_eq!(error, NotMoney::TooFineFor(currency(code)));
        assert_eq!(error.to_string(), format!("an amount in {code} has {most} decimals"));
    }
    assert_eq!(read("9223372036854775807", "USD"), Err(NotMoney::TooLarge));
    assert_eq!(
        Money::of(i64::MAX, currency("KWD")).map(|most| most.to_string()).as_deref(),
        Some("9223372036854775.807")
    );
}

#[test]
fn amounts_are_compared_by_value() {
    let amount = |text: &str| text.parse::<Money>().expect("an amount");
    assert_eq!(amount("1.5"), amount("1.500"));
    assert!(amount("1.499") < amount("1.5") && amount("2") > amount("1.5"));
    assert_eq!(Money::ZERO.plus(amount("500")).map(|sum| sum.to_string()).as_deref(), Some("500"));
    assert_eq!(amount("500").plus(Money::ZERO).map(|sum| sum.to_string()).as_deref(), Some("500"));
    assert_eq!(amount("1.5").plus(amount("1.25")), None, "of different currencies");
    let hasher = std::hash::RandomState::new();
    let hash = |text: &str| std::hash::BuildHasher::hash_one(&hasher, amount(text));
    assert!(hash("1.5") == hash("1.500") && hash("1.5") != hash("1.501"));
}

#[test]
fn an_amount_is_rounded_to_what_a_currency_has() {
    for (text, code, rounded) in [
        ("0.125", "USD", "0.13"),
        ("0.124", "USD", "0.12"),
        ("7", "USD", "7.00"),
        ("1.500", "JPY", "2"),
        ("1.49", "JPY", "1"),
        ("1.5", "KWD", "1.500"),
        ("0.001", "KWD", "0.001"),
    ] {
        let amount: Money = text.parse().expect("an amount");
        let rounded_to = amount.rounded_to(code.parse().expect("a code"));
        assert_eq!(rounded_to.to_string(), rounded, "{text} {code}");
    }
}

#[test]
fn minor_units_are_as_fine_as_their_currency_or_another_amount() {
    let yen: Currency = "JPY".parse().expect("a code");
    for (amount, text, decimals) in [
        (Money::from_minor(5), "0.05", 2),
        (Money::of(5, yen), "5", 0),
        (Money::as_fine_as(5, "0.125".parse().expect("an amount")), "0.005", 3),
    ] {
        let amount = amount.expect("not negative");
        assert_eq!((amount.to_string().as_str(), amount.minor(), amount.decimals()), (text, 5, decimals));
    }
    for negative in [Money::from_minor(-1), Money::of(-1, yen), Money::as_fine_as(-1, Money::ZERO)] {
        assert_eq!(negative, None);
    }
}

#[test]
fn between_services_money_is_a_whole_number_of_minor_units() {
    #[derive(Debug, Serialize, Deserialize)]
    struct Row(#[serde(with = "minor")] Money);
    let row: Row = serde_json::from_str("14999").expect("minor units");
    assert_eq!(
        (row.0.to_string().as_str(), serde_json::to_string(&row).expect("writes").as_str()),
        ("149.99", "14999")
    );
    assert!(serde_json::from_str::<Row>("-1").is_err() && serde_json::from_str::<Row>("1.5").is_err());
}
