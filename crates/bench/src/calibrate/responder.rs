//! A server that does nothing: each answer is ready before the request comes.

use std::io::Read as _;
use std::net::SocketAddr;

use anyhow::Context as _;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use ordersys_command::Outcome;

const ORDER: &[u8] = br#"{"id":"00000000-0000-4000-8000-000000000001","userId":"00000000-0000-4000-8000-000000000002","items":[],"total":1.99,"status":"confirmed"}"#;
const USER: &[u8] = br#"{"id":"00000000-0000-4000-8000-000000000002","name":"Calibration","email":"calibration@example.com","createdAt":"2026-01-01T00:00:00.000Z"}"#;
const PRODUCT: &[u8] = br#"{"id":"00000000-0000-4000-8000-000000000003","name":"Nothing","price":1.99,"stock":1000000000,"currency":"USD","version":1,"createdAt":"2026-01-01T00:00:00.000Z","updatedAt":"2026-01-01T00:00:00.000Z"}"#;
const HEALTH: &[u8] = br#"{"status":"ok"}"#;

/// Serves on a free port of this machine, which `ready` gets, until standard input is closed.
pub fn serve(ready: impl FnOnce(SocketAddr)) -> Outcome {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).context("cannot listen")?;
    ready(listener.local_addr().context("no address")?);
    runtime.spawn(accept(listener));
    // Closed when the process that started this one ends, however it ends.
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
    runtime.shutdown_background();
    Ok(())
}

async fn accept(listener: TcpListener) {
    loop {
        // Out of descriptors for a moment: those who wait are taken when others leave.
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            continue;
        };
        let _ = stream.set_nodelay(true);
        let service = service_fn(async |request| Ok::<_, std::convert::Infallible>(answer(&request)));
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

fn answer(request: &Request<Incoming>) -> Response<Full<Bytes>> {
    let path = request.uri().path();
    let body = match path {
        _ if path.starts_with("/orders") => ORDER,
        _ if path.starts_with("/products") => PRODUCT,
        _ if path.starts_with("/users") => USER,
        _ => HEALTH,
    };
    let mut response = Response::new(Full::new(Bytes::from_static(body)));
    if request.method() == Method::POST {
        *response.status_mut() = StatusCode::CREATED;
    }
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
