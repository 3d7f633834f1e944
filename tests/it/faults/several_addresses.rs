//! A service with several addresses, one of which refuses or breaks off: what a client does with its call.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::StatusCode;
use ordersys_contract::client::{Client, Endpoints};
use ordersys_contract::order::NewOrder;
use ordersys_contract::{ClientError, IdempotencyKey, Role};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
/// Calls enough for each address to be the first one several times.
const CALLS: usize = 12;

/// What an address does with a request it has read.
#[derive(Clone, Copy)]
enum With {
    Answer,
    BreakOff,
}

/// An address, and how many requests reached it.
async fn address(with: With) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    let came = Arc::new(AtomicUsize::new(0));
    let counted = came.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            read_request(&mut stream).await;
            counted.fetch_add(1, Ordering::SeqCst);
            if let With::Answer = with {
                let _ = stream.write_all(ANSWER).await;
            }
        }
    });
    (url, came)
}

/// Reads a request whose body, if it has one, ends with `}`.
async fn read_request(stream: &mut TcpStream) {
    let (mut read, mut block) = (Vec::new(), [0; 1024]);
    while let Ok(count @ 1..) = stream.read(&mut block).await {
        read.extend_from_slice(&block[..count]);
        let is_whole =
            if read.starts_with(b"GET") { read.ends_with(b"\r\n\r\n") } else { read.ends_with(b"}") };
        if is_whole {
            return;
        }
    }
}

/// An address at which nobody listens.
async fn refusing() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
    format!("http://{}", listener.local_addr().expect("bound"))
}

fn client(addresses: &[String; 2]) -> Client {
    Client::new(Endpoints::default().with(Role::Order, addresses))
}

async fn post(client: &Client) -> Result<StatusCode, ClientError> {
    let base = client.endpoints().order.clone();
    Ok(client.post_raw(&base, "/orders", "{}".to_owned()).await?.0)
}

#[tokio::test]
async fn calls_are_spread_over_the_addresses() {
    let ((one, at_one), (other, at_other)) = (address(With::Answer).await, address(With::Answer).await);
    let client = client(&[one, other]);
    for _ in 0..CALLS {
        assert_eq!(post(&client).await.expect("answers"), StatusCode::OK);
    }
    assert_eq!((at_one.load(Ordering::SeqCst), at_other.load(Ordering::SeqCst)), (CALLS / 2, CALLS / 2));
}

#[tokio::test]
async fn a_call_that_is_refused_goes_on_to_the_next_address() {
    let (there, came) = address(With::Answer).await;
    for addresses in [[refusing().await, there.clone()], [there, refusing().await]] {
        let client = client(&addresses);
        let before = came.load(Ordering::SeqCst);
        for _ in 0..CALLS {
            assert_eq!(post(&client).await.expect("answers"), StatusCode::OK);
        }
        assert_eq!(came.load(Ordering::SeqCst) - before, CALLS);
    }
    let nowhere = client(&[refusing().await, refusing().await]);
    assert!(matches!(post(&nowhere).await, Err(ClientError::Unreachable { .. })));
}

#[tokio::test]
async fn what_may_have_been_done_is_done_again_only_where_that_is_harmless() {
    let ((broken, broke_off), (there, came)) = (address(With::BreakOff).await, address(With::Answer).await);
    let writing = client(&[broken.clone(), there.clone()]);
    let mut failed = 0;
    for call in 1..=CALLS {
        failed += usize::from(post(&writing).await.is_err());
        let sent = broke_off.load(Ordering::SeqCst) + came.load(Ordering::SeqCst);
        assert_eq!(sent, call, "each call was sent once");
    }
    assert!(
        (1..CALLS / 2).contains(&failed),
        "{failed}: an address that gave no answer comes last for a while"
    );

    let repeated = client(&[broken.clone(), there.clone()]);
    let order = NewOrder { user_id: String::new(), items: Vec::new() };
    let before = came.load(Ordering::SeqCst);
    for number in 0..CALLS {
        let key = IdempotencyKey::parse(&format!("key-{number}")).expect("a key");
        let placed = repeated.place(&order, Some(&key)).await;
        assert!(matches!(placed, Err(ClientError::BadAnswer { .. })), "an answer came: {placed:?}");
    }
    assert_eq!(came.load(Ordering::SeqCst) - before, CALLS);

    let reading = client(&[broken, there]);
    let base = reading.endpoints().order.clone();
    for _ in 0..CALLS {
        assert_eq!(reading.get_raw(&base, "/orders").await.expect("answers").0, StatusCode::OK);
    }
}
