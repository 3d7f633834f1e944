//! A service ends when it is asked to, whatever its callers and its reader do.

use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use ordersys_testkit::{LIMIT, quiet};
use rustix::process::Signal;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{Served, connect_from};

/// Sends requests for what is not there, a hundred at a time, and reads their answers.
async fn ask_for_nothing(address: SocketAddr, batches: usize) {
    const BATCH: usize = 100;
    let mut stream = TcpStream::connect(address).await.expect("connects");
    let requests = "GET /nothing HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(BATCH);
    let mut room = vec![0; 64 * 1024];
    for _ in 0..batches {
        stream.write_all(requests.as_bytes()).await.expect("sends");
        let mut answers = String::new();
        while answers.matches("HTTP/1.1 404").count() < BATCH || !answers.ends_with('}') {
            let count = tokio::time::timeout(LIMIT, stream.read(&mut room)).await.expect("in time");
            let count = count.expect("reads");
            assert!(count > 0, "the service hangs up");
            answers.push_str(std::str::from_utf8(&room[..count]).expect("text"));
        }
    }
}

/// Some lines fill the pipe; of many more than may wait some are dropped.
#[tokio::test]
async fn a_service_whose_output_is_not_read_goes_on_and_ends_when_asked_to() {
    let _turn = quiet().await;
    for (signal, batches) in [(Signal::TERM, 10), (Signal::INT, 200)] {
        let (unread, output) = std::io::pipe().expect("a pipe");
        let mut served = Served::user(&[], output.into()).await;
        ask_for_nothing(served.address, batches).await;
        let took = served.end(signal);
        assert!(took < Duration::from_secs(8), "ends after {took:?}");
        drop(unread);
    }
}

#[tokio::test]
async fn a_service_ends_although_clients_do_not_read_or_do_not_send() {
    let _turn = quiet().await;
    let mut served = Served::user(&["--log", "warn"], Stdio::null()).await;
    let mut deaf = connect_from([127, 0, 0, 1], served.address).await.expect("connects");
    let request = "GET /openapi.json HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(200);
    deaf.write_all(request.as_bytes()).await.expect("sends");
    let mut mute = connect_from([127, 0, 0, 1], served.address).await.expect("connects");
    let head = "POST /users HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n";
    mute.write_all(head.as_bytes()).await.expect("sends");
    let took = served.end(Signal::TERM);
    assert!(took < Duration::from_secs(6), "ends after {took:?}");
}
