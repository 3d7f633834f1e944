//! Heads of requests that are let in, and such that are not.

use std::net::{IpAddr, Ipv4Addr};

use http::Request;

use super::*;

fn checked(method: &str, target: &str, headers: &[(&str, &str)]) -> Result<(), (Code, String)> {
    let mut request = Request::builder().method(method).uri(target);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let (head, ()) = request.body(()).expect("a request").into_parts();
    let hosts = Hosts::of(
        "user-service",
        IpAddr::V4(Ipv4Addr::LOCALHOST),
        &["shop.example".parse().expect("a name")],
    );
    check(&head, &hosts).map_err(|problem| (problem.code, problem.detail))
}

/// A target, the headers beside it, and how it is rejected, if it is.
type HostCase<'a> = (&'a str, &'a [(&'a str, &'a str)], Option<Code>);

#[test]
fn a_host_is_named_once_and_is_ours() {
    let host = |host| ("host", host);
    let cases: &[HostCase<'_>] = &[
        ("/", &[host("localhost:3001")], None),
        ("/", &[host("LOCALHOST")], None),
        ("/", &[host("[::1]:3001")], None),
        ("/", &[host("user-service:3001")], None),
        ("/", &[host("shop.example")], None),
        ("/", &[], Some(Code::InvalidHeader)),
        ("/", &[host("")], Some(Code::InvalidHeader)),
        ("/", &[host("localhost:x")], Some(Code::InvalidHeader)),
        ("/", &[host("localhost:99999")], Some(Code::InvalidHeader)),
        ("/", &[host("localhost, localhost")], Some(Code::InvalidHeader)),
        ("/", &[host("evil.example@localhost")], Some(Code::InvalidHeader)),
        ("/", &[host("localhost"), host("localhost")], Some(Code::InvalidHeader)),
        ("/", &[host("evil.example")], Some(Code::MisdirectedRequest)),
        ("http://localhost:80/", &[host("localhost")], None),
        ("http://localhost/", &[], Some(Code::InvalidHeader)),
        ("http://evil.example/", &[host("localhost")], Some(Code::InvalidHeader)),
        ("http://evil.example/", &[host("evil.example")], Some(Code::MisdirectedRequest)),
        ("http://localhost:1/", &[host("localhost:2")], Some(Code::InvalidHeader)),
    ];
    for (target, headers, expected) in cases {
        let code = checked("GET", target, headers).err().map(|(code, _)| code);
        assert_eq!(code, *expected, "{target} {headers:?}");
    }
}

#[test]
fn only_a_page_of_the_service_may_change_anything() {
    let own = [("origin", "http://localhost:3001"), ("sec-fetch-site", "same-origin")];
    let cases: &[(&[(&str, &str)], bool)] = &[
        (&[], true),
        (&own, true),
        (&own[..1], true),
        (&own[1..], true),
        (&[("sec-fetch-site", "none")], true),
        (&[("sec-fetch-site", "cross-site")], false),
        (&[("sec-fetch-site", "same-site")], false),
        (&[("sec-fetch-site", "?")], false),
        (&[("origin", "null")], false),
        (&[("origin", "http://evil.example")], false),
        (&[("origin", "http://localhost:3002")], false),
        (&[("origin", "http://localhost")], false),
        (&[("origin", "ftp://localhost:3001")], false),
        (&[("origin", "http://evil.example"), own[1]], false),
        (&[("origin", "http://localhost:3001, http://evil.example")], false),
    ];
    for method in ["POST", "PATCH", "PUT", "DELETE", "TRACE"] {
        for (headers, expected) in cases {
            let headers: Vec<_> =
                [("host", "localhost:3001")].into_iter().chain(headers.iter().copied()).collect();
            let outcome = checked(method, "/", &headers).map_err(|(code, _)| code);
            let wanted = if *expected { Ok(()) } else { Err(Code::CrossSiteRequest) };
            assert_eq!(outcome, wanted, "{method} {headers:?}");
        }
    }
    let behind_tls = [("host", "shop.example"), ("origin", "https://shop.example")];
    assert!(checked("POST", "/", &behind_tls).is_ok(), "a proxy took the encryption off");
    let read = [("host", "localhost"), ("origin", "http://evil.example")];
    assert!(checked("GET", "/", &read).is_ok(), "the browser keeps the answer from that page");
}

#[test]
fn what_may_stand_once_is_named_when_it_stands_twice() {
    for name in &ONCE {
        let name = name.as_str();
        let headers = [("host", "localhost"), (name, "localhost"), (name, "localhost")];
        let (code, detail) = checked("GET", "/", &headers).expect_err(name);
        assert_eq!((code, detail.contains(name)), (Code::InvalidHeader, true), "{detail}");
    }
    for list in ["accept", "if-match", "if-none-match", "tracestate", "via", "x-forwarded-for", "cookie"] {
        let headers = [("host", "localhost"), (list, "a"), (list, "b")];
        assert_eq!(checked("GET", "/", &headers), Ok(()), "{list}");
    }
}
