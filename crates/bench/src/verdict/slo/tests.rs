//! Objectives that are read, met and missed.

use super::*;

struct Run {
    nanos: u64,
    at_least: bool,
    errors: f64,
}

impl Measured for Run {
    fn response(&self, _: f64) -> Option<Quantile> {
        let quantile = Quantile { nanos: self.nanos, at_least: self.at_least, above: 100 };
        (self.nanos > 0).then_some(quantile)
    }
    fn error_share(&self) -> f64 {
        self.errors
    }
    fn throughput(&self) -> f64 {
        1000.0
    }
}

#[test]
fn objectives_are_read_and_written() {
    let cases = [
        ("p99<50ms", Some("p99<50ms")),
        ("p99.9 <= 1s", Some("p99.9<=1000ms")),
        ("p999<2ms", Some("p99.9<2ms")),
        ("max<1500us", Some("max<1.5ms")),
        ("errors<0.1%", Some("errors<0.1%")),
        ("throughput>1000", Some("throughput>1000/s")),
        ("throughput>=10/s", Some("throughput>=10/s")),
        ("p100<1ms", None),
        ("p99<50", None),
        ("errors<0.1", None),
        ("p9999<2ms", Some("p99.99<2ms")),
        ("p0<1ms", None),
        ("errors<-1%", None),
        ("throughput>inf", None),
        ("p99=50ms", None),
        ("latency<1ms", None),
        ("", None),
    ];
    for (text, expected) in cases {
        let read = text.parse::<Objective>().ok().map(|objective| objective.to_string());
        assert_eq!(read.as_deref(), expected, "{text}");
    }
    assert_eq!(parse("p99<50ms, errors<1%").map(|list| list.len()), Ok(2));
}

#[test]
fn what_is_wrong_is_pointed_at() {
    let cases = [
        ("p99", 3),
        ("p99<50ms,", 9),
        ("p99<50ms,p100<1s", 9),
        ("p99<50", 4),
        ("errors<1", 7),
        ("throughput> x", 12),
        ("", 0),
    ];
    for (text, at) in cases {
        let said = parse(text).expect_err(text);
        let caret = said.lines().last().and_then(|line| line.find('^')?.checked_sub(2));
        assert_eq!(caret, Some(at), "{said}");
    }
}

#[test]
fn a_time_that_is_only_a_lower_bound_meets_no_upper_limit() {
    let missed = |text: &str, run: &Run| text.parse::<Objective>().expect("parses").missed(run).is_some();
    let known = Run { nanos: 40_000_000, at_least: false, errors: 0.001 };
    let open = Run { at_least: true, ..known };
    assert!(!missed("p99<50ms", &known));
    assert!(missed("p99<40ms", &known), "strictly below");
    assert!(!missed("p99<=40ms", &known));
    assert!(missed("p99<50ms", &open));
    assert!(missed("errors<0.1%", &known));
    assert!(!missed("errors<=0.1%", &known));
    assert!(missed("throughput>1000", &known));
    assert!(!missed("throughput>999", &known));
    assert!(!missed("throughput>=1000", &known) && missed("throughput>=1001", &known));
    assert!(!missed("max<50ms", &known) && missed("max<50ms", &open));
}

#[test]
fn what_was_found_instead_is_said_in_the_unit_of_the_limit() {
    let run = Run { nanos: 40_500_000, at_least: false, errors: 0.25 };
    let open = Run { at_least: true, ..run };
    let nothing = Run { nanos: 0, ..run };
    for (text, run, said) in [
        ("p99<40ms", &run, "p99<40ms was missed: 40.500 ms"),
        ("max<=40ms", &open, "max<=40ms was missed: at least 40.500 ms"),
        ("p99.9<100ms", &open, "p99.9<100ms was missed: p99.9 is not known: 25 % had no good answer"),
        ("max<1s", &nothing, "max<1000ms was missed: max is not known: no request had a good answer"),
        ("errors<1%", &run, "errors<1% was missed: 25.000 %"),
        ("throughput>1000", &run, "throughput>1000/s was missed: 1000.0/s"),
    ] {
        let objective: Objective = text.parse().expect(text);
        let missed = objective.missed(run).expect(text);
        assert_eq!((missed.to_string().as_str(), &missed.objective), (said, &objective.to_string()));
        assert_eq!(objective.is_about_throughput(), text.starts_with("throughput"), "{text}");
    }
    let missed = |text: &str, run: &Run| {
        let missed = text.parse::<Objective>().expect(text).missed(run).expect(text);
        (missed.metric, missed.limit, missed.value, missed.unit)
    };
    assert_eq!(missed("p99.9<40ms", &run), ("p99.9".to_owned(), 40.0, Some(40.5), Unit::Milliseconds));
    assert_eq!(missed("p99<1s", &open), ("p99".to_owned(), 1000.0, None, Unit::Milliseconds));
    assert_eq!(missed("errors<1%", &run), ("errors".to_owned(), 0.01, Some(0.25), Unit::Share));
}
