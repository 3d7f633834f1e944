use std::collections::HashSet;

use super::*;

fn plan(seed: u64, run: u128) -> Plan {
    let users: Vec<_> = (0..4).map(|n| format!("user \"{n}\"")).collect();
    let products = (0..5).map(|n| Product::new(&format!("p{n}"), 100, 10)).collect();
    let shape = Shape {
        seed,
        lines: CountRange::new(1, 5).expect("a range"),
        quantity: CountRange::new(1, 12).expect("a range"),
        ..Shape::default()
    };
    Plan::new(shape, run, &users, products)
}

fn drafts(plan: &Plan, numbers: std::ops::Range<u64>) -> Vec<Draft> {
    let mut draft = Draft::default();
    numbers
        .map(|number| {
            plan.draft(number, &mut draft);
            draft.clone()
        })
        .collect()
}

#[test]
fn the_seed_decides_the_orders_and_nothing_else() {
    assert_eq!(drafts(&plan(7, 1), 0..100), drafts(&plan(7, 2), 0..100));
    assert_ne!(drafts(&plan(7, 1), 0..100), drafts(&plan(8, 1), 0..100));
}

#[test]
fn every_order_has_different_products_and_all_are_ordered() {
    let mut seen = HashSet::new();
    for draft in drafts(&plan(1, 1), 0..1000) {
        let products: HashSet<_> = draft.lines.iter().map(|line| line.product).collect();
        assert_eq!(products.len(), draft.lines.len(), "{draft:?}");
        seen.extend(draft.lines);
    }
    assert_eq!(seen.len(), 5 * 12, "every product in every quantity");
}

#[test]
fn the_body_is_the_json_of_the_order() {
    let plan = plan(1, 1);
    let draft = Draft {
        user: 2,
        lines: vec![Line { product: 4, quantity: 1 }, Line { product: 0, quantity: 10_000 }],
    };
    let mut body = Vec::new();
    plan.render(&draft, &mut body);
    let expected = serde_json::json!({
        "userId": "user \"2\"",
        "items": [{"productId": "p4", "quantity": 1}, {"productId": "p0", "quantity": 10_000}],
    });
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&body).expect("JSON"), expected);
}

#[test]
fn each_number_has_an_order_of_its_own() {
    let all: HashSet<_> = drafts(&plan(1, 1), 0..1000).into_iter().collect();
    assert!(all.len() > 850, "{} of 1000 differ", all.len());
    let seeds: HashSet<_> = (0..64).map(|seed| drafts(&plan(seed, 1), 0..10)).collect();
    assert_eq!(seeds.len(), 64);
}

#[test]
fn users_prove_themselves_with_their_tokens_if_they_have_some() {
    let guests = plan(1, 1);
    let tokens: Vec<_> = (0..4).map(|n| Secret::new(&format!("token-{n}")).expect("visible")).collect();
    let line = |place: u32| format!("authorization: Bearer token-{place}\r\n").into_bytes();
    assert_eq!((guests.user(2), guests.token(2), guests.bearer(2).line()), ("user \"2\"", None, &b""[..]));
    let mut draft = Draft::default();
    assert_eq!(guests.bearer_of(7, &mut draft).line(), b"");
    let registered = guests.signed_in(&tokens);
    for number in 0..20 {
        let bearer = registered.bearer_of(number, &mut draft).line().to_vec();
        assert_eq!(bearer, line(draft.user), "order {number}");
        assert_eq!(registered.token(draft.user), Some(&tokens[draft.user as usize]));
    }
    assert_eq!((registered.users().len(), registered.seed()), (4, 1));
}
