use super::*;

/// What comes of these pieces, followed by the end of the connection: status, body, reusable.
fn read(pieces: &[&[u8]]) -> Result<Option<(u16, String, bool)>, Unreadable> {
    let mut decoder = ResponseDecoder::default();
    let mut whole = None;
    for piece in pieces {
        decoder.room().extend_from_slice(piece);
        whole = decoder.look()?;
        if whole.is_some() {
            break;
        }
    }
    Ok(whole.or_else(|| decoder.ended()).map(|whole| {
        let body = String::from_utf8_lossy(decoder.body(&whole)).into_owned();
        (whole.status, body, whole.keeps_open)
    }))
}

const CASES: &[(&str, u16, &str, bool)] = &[
    ("HTTP/1.1 201 Created\r\ncontent-length: 5\r\n\r\nhello", 201, "hello", true),
    ("HTTP/1.1 409 \r\nContent-Length: 0\r\n\r\n", 409, "", true),
    ("HTTP/1.1 204 No Content\r\n\r\n", 204, "", true),
    ("HTTP/1.1 200 OK\r\nconnection: Close\r\ncontent-length: 2\r\n\r\nok", 200, "ok", false),
    ("HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok", 200, "ok", false),
    ("HTTP/1.0 200 OK\r\nconnection: x, keep-alive\r\ncontent-length: 2\r\n\r\nok", 200, "ok", true),
    ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx", 200, "x", true),
    (
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-length: 9\r\n\r\n3;a=b\r\nabc\r\n02\r\nde\r\n0\r\nt: v\r\n\r\n",
        200,
        "abcde",
        true,
    ),
    ("HTTP/1.1 200 OK\r\n\r\nuntil the end", 200, "until the end", false),
];

#[test]
fn every_framing_is_read_however_it_is_cut() {
    for (text, status, body, keeps_open) in CASES {
        let bytes = text.as_bytes();
        let expected = Ok(Some((*status, (*body).to_owned(), *keeps_open)));
        assert_eq!(read(&[bytes]), expected, "{text}");
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(read(&single), expected, "byte by byte: {text}");
        for cut in 1..bytes.len() {
            assert_eq!(read(&[&bytes[..cut], &bytes[cut..]]), expected, "cut at {cut}: {text}");
        }
    }
}

#[test]
fn a_refusal_says_how_long_to_wait() {
    let asked = |head: &str| {
        let mut decoder = ResponseDecoder::default();
        decoder.room().extend_from_slice(format!("HTTP/1.1 {head}\r\ncontent-length: 0\r\n\r\n").as_bytes());
        decoder.look().expect("reads").expect("whole").retry_after
    };
    assert_eq!(asked("503 Busy\r\nRetry-After: 2"), Some(Duration::from_secs(2)));
    assert_eq!(asked("503 Busy\r\nretry-after: Wed, 21 Oct 2026 07:28:00 GMT"), None);
    assert_eq!(asked("202 Accepted\r\nretry-after: 2"), None, "no refusal");
}

#[test]
fn an_answer_that_is_cut_off_is_none() {
    for (text, ..) in CASES.iter().filter(|(text, ..)| !text.ends_with("end")) {
        for end in 0..text.len() {
            assert_eq!(read(&[&text.as_bytes()[..end]]), Ok(None), "{}", &text[..end]);
        }
    }
}

#[test]
fn what_breaks_the_rules_is_refused() {
    let malformed = [
        "SSH-2.0-OpenSSH_9\r\n",
        "HTTP/1.1 2OO OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nabc\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n",
    ];
    for text in malformed {
        assert!(matches!(read(&[text.as_bytes()]), Err(Unreadable::Malformed(_))), "{text}");
    }
}

#[test]
fn an_endless_answer_is_given_up() {
    let piece = vec![b'x'; 65_536];
    for head in [
        "HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5f5e0ff\r\n",
        "HTTP/1.1 200 OK\r\nx-endless: ",
    ] {
        let mut pieces = vec![head.as_bytes()];
        pieces.extend(std::iter::repeat_n(piece.as_slice(), 17));
        assert_eq!(read(&pieces), Err(Unreadable::TooLarge), "{head}");
    }
}

#[test]
fn unrequested_bytes_end_the_connection() {
    let text = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\n";
    assert_eq!(read(&[text.as_bytes()]), Ok(Some((200, "ok".to_owned(), false))));
}

#[test]
fn memory_of_a_large_answer_is_given_back() {
    let mut decoder = ResponseDecoder::default();
    decoder.room().extend_from_slice(&vec![b'x'; MAX_ANSWER_BYTES]);
    decoder.clear();
    assert!(decoder.bytes.capacity() <= 2 * KEPT_BYTES, "{}", decoder.bytes.capacity());
}
